use super::*;
use proptest::prelude::*;

const MOST: usize = 1 << 20;
const DEFLATE: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: None,
    client_max_window_bits: None,
};

/// Everything in `stream`, which arrives in pieces of the given sizes, and how it ended.
fn read(reader: &mut Reader, stream: &[u8], sizes: &[usize]) -> (Vec<Event>, Option<Error>) {
    let mut events = Vec::new();
    let mut rest = stream;
    let mut sizes = sizes.iter().copied().chain(std::iter::repeat(stream.len().max(1)));
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        rest = after;
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    (events, None)
}

fn from_server(stream: &[u8]) -> (Vec<Event>, Option<Error>) {
    read(&mut Reader::new(Peer::Server, None, MOST), stream, &[])
}

fn text(text: &str) -> Event {
    Event::Message(Message { kind: Kind::Text, payload: Bytes::copy_from_slice(text.as_bytes()) })
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    // RFC 6455, 5.7.
    assert_eq!(from_server(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]), (vec![text("Hello")], None));
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read(&mut Reader::new(Peer::Client, None, MOST), &masked, &[]), (vec![text("Hello")], None));
    let fragmented = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(from_server(&fragmented), (vec![text("Hello")], None));
    assert_eq!(from_server(&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]), (vec![Event::Ping(Bytes::from_static(b"Hello"))], None));
}

#[test]
fn a_ping_may_stand_between_the_frames_of_a_message() {
    let stream = [0x01, 1, b'a', 0x89, 1, b'p', 0x00, 0, 0x8a, 0, 0x80, 1, b'b'];
    let events = vec![Event::Ping(Bytes::from_static(b"p")), Event::Pong(Bytes::new()), text("ab")];
    assert_eq!(from_server(&stream), (events, None));
}

#[test]
fn messages_do_not_nest_and_continue_something() {
    for stream in [&[0x01, 0, 0x81, 0][..], &[0x80, 0], &[0x00, 0], &[0x81, 0, 0x80, 0], &[0xc1, 0]] {
        assert!(matches!(from_server(stream), (_, Some(Error::Protocol(_)))), "{stream:x?}");
    }
    let continued = [0x41, 0, 0xc0, 0]; // RSV1 on the second frame as well
    let mut reader = Reader::new(Peer::Server, Some(&DEFLATE), MOST);
    assert!(matches!(read(&mut reader, &continued, &[]), (_, Some(Error::Protocol(_)))));
}

#[test]
fn text_is_utf_8_also_across_frames() {
    assert_eq!(from_server(&[0x01, 1, 0xe4, 0x80, 2, 0xb8, 0xad]), (vec![text("中")], None));
    assert_eq!(from_server(&[0x81, 2, 0xe4, 0xb8]), (vec![], Some(Error::BadText)));
    assert_eq!(from_server(&[0x82, 2, 0xe4, 0xb8]).1, None);
}

#[test]
fn a_close_frame_is_read_and_ends_the_direction() {
    let code = CloseCode::of(1000).expect("code");
    let close = |reason: &str| Event::Close(Some(Close { code, reason: reason.to_owned() }));
    assert_eq!(from_server(&[0x88, 0]), (vec![Event::Close(None)], None));
    assert_eq!(from_server(&[0x88, 4, 0x03, 0xe8, b'o', b'k', 0x81, 0]), (vec![close("ok")], None));
    for payload in [&[0x03][..], &[0x03, 0xed], &[0x03, 0xee], &[0x03, 0xf7], &[0x00, 0x00], &[0x07, 0xd0], &[0xff, 0xff]] {
        let stream = [&[0x88, payload.len() as u8], payload].concat();
        assert!(matches!(from_server(&stream), (_, Some(Error::Protocol(_)))), "{stream:x?}");
    }
    assert_eq!(from_server(&[0x88, 3, 0x03, 0xe8, 0xff]).1, Some(Error::BadText));
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_header() {
    let mut reader = Reader::new(Peer::Server, None, 10);
    assert_eq!(read(&mut reader, &[0x82, 11], &[]).1, Some(Error::TooLarge));
    let mut reader = Reader::new(Peer::Server, None, 10);
    assert_eq!(read(&mut reader, &[0x02, 6, 0, 0, 0, 0, 0, 0, 0x80, 5], &[]).1, Some(Error::TooLarge));
    let mut reader = Reader::new(Peer::Server, None, 10);
    assert_eq!(read(&mut reader, &[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[]).1, Some(Error::TooLarge));
}

#[test]
fn a_compressed_bomb_is_capped() {
    let mut out = Vec::new();
    Writer::new(Peer::Client, Some(&DEFLATE)).message(Kind::Binary, &vec![0; 32 << 20], &mut out);
    assert!(out.len() < 1 << 20);
    let mut reader = Reader::new(Peer::Server, Some(&DEFLATE), MOST);
    assert_eq!(read(&mut reader, &out, &[]), (vec![], Some(Error::TooLarge)));
    assert_eq!(reader.next(), Err(Error::TooLarge));
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let mut out = Vec::new();
    Writer::new(Peer::Client, None).close(Some(&Close { code: CloseCode::POLICY, reason: "拦".repeat(100) }), &mut out);
    let (events, None) = from_server(&out) else { panic!("not read") };
    assert_eq!(events, [Event::Close(Some(Close { code: CloseCode::POLICY, reason: "拦".repeat(41) }))]);
}

#[test]
fn what_a_peer_said_stays_out_of_debug() {
    let shown = format!("{:?} {:?}", text("secret"), Event::Close(Some(Close { code: CloseCode::POLICY, reason: "secret".to_owned() })));
    assert!(!shown.contains("secret"), "{shown}");
}

fn event() -> impl Strategy<Value = Event> {
    let control = || proptest::collection::vec(any::<u8>(), 0..126).prop_map(Bytes::from);
    let repetitive = ("[a-z ]{1,20}", 1_usize..200).prop_map(|(word, count)| word.repeat(count));
    prop_oneof![
        3 => ".{0,200}".prop_map(|payload| text(&payload)),
        3 => repetitive.prop_map(|payload| text(&payload)),
        3 => proptest::collection::vec(any::<u8>(), 0..2000).prop_map(|payload| Event::Message(Message { kind: Kind::Binary, payload: payload.into() })),
        1 => control().prop_map(Event::Ping),
        1 => control().prop_map(Event::Pong),
    ]
}

fn parameters() -> impl Strategy<Value = Option<Deflate>> {
    let bits = || proptest::option::of(8_u8..=15);
    proptest::option::of((any::<bool>(), any::<bool>(), bits(), bits()).prop_map(|(server, client, server_bits, client_bits)| Deflate {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    }))
}

proptest! {
    #[test]
    fn what_is_written_is_read_in_any_split(
        events in proptest::collection::vec(event(), 1..8),
        deflate in parameters(),
        from in prop_oneof![Just(Peer::Client), Just(Peer::Server)],
        sizes in proptest::collection::vec(1_usize..300, 0..40),
    ) {
        let to = match from { Peer::Client => Peer::Server, Peer::Server => Peer::Client };
        let mut writer = Writer::new(to, deflate.as_ref());
        let mut stream = Vec::new();
        events.iter().for_each(|event| writer.event(event, &mut stream));
        let mut reader = Reader::new(from, deflate.as_ref(), MOST);
        prop_assert_eq!(read(&mut reader, &stream, &sizes), (events, None));
    }

    #[test]
    fn every_split_of_any_bytes_reads_the_same(
        stream in proptest::collection::vec(prop_oneof![2 => Just(0x81_u8), 1 => Just(0x01), 1 => Just(0x80), 1 => Just(0x89), 4 => 0_u8..6, 2 => any::<u8>()], 0..80),
        sizes in proptest::collection::vec(1_usize..10, 0..80),
    ) {
        let whole = from_server(&stream);
        prop_assert_eq!(&read(&mut Reader::new(Peer::Server, None, MOST), &stream, &sizes), &whole);
        prop_assert_eq!(&read(&mut Reader::new(Peer::Server, None, MOST), &stream, &vec![1; stream.len()]), &whole);
    }

    #[test]
    fn no_compressed_bytes_make_it_panic_or_exceed_the_limit(payload in proptest::collection::vec(any::<u8>(), 0..120)) {
        let mut stream = vec![0xc2, payload.len() as u8];
        stream.extend_from_slice(&payload);
        let (events, _) = read(&mut Reader::new(Peer::Server, Some(&DEFLATE), 1000), &stream, &[]);
        let fits = events.iter().all(|event| matches!(event, Event::Message(message) if message.payload.len() <= 1000));
        prop_assert!(fits);
    }
}
