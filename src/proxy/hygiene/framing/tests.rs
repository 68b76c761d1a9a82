use super::*;
use proptest::prelude::*;

/// Bytes passed and the verdict, for a stream that arrives in pieces of the given sizes.
fn run(stream: &[u8], pieces: &[usize]) -> (usize, Option<Violation>) {
    let mut guard = Guard::default();
    let (mut passed, mut arrived) = (0, 0);
    let mut pieces = pieces.iter().copied().chain(std::iter::repeat(stream.len().max(1)));
    while arrived < stream.len() {
        arrived = (arrived + pieces.next().unwrap_or(1).max(1)).min(stream.len());
        loop {
            match guard.feed(&stream[passed..arrived]) {
                Ok(0) => break,
                Ok(more) => passed += more,
                Err(violation) => return (passed, Some(violation)),
            }
        }
    }
    (passed, None)
}

fn verdict(stream: &str) -> Option<Violation> {
    run(stream.as_bytes(), &[]).1
}

fn refused(head: &str, violation: Violation) {
    assert_eq!(run(head.as_bytes(), &[]), (0, Some(violation)), "{head:?}");
}

#[test]
fn proper_requests_pass_whole() {
    for stream in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/b?c=%20 HTTP/1.0\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHOST:a:80\r\nX:\r\nY:  v\t \r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nx-sum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /中文 HTTP/1.1\r\nHost: a\r\nX-Name: 名\r\n\r\n",
    ] {
        assert_eq!(run(stream.as_bytes(), &[]), (stream.len(), None), "{stream:?}");
    }
}

#[test]
fn bare_lf_is_refused() {
    refused("GET / HTTP/1.1\nHost: a\r\n\r\n", Violation::BareLf);
    refused("GET / HTTP/1.1\r\nHost: a\n\r\n", Violation::BareLf);
    refused("GET / HTTP/1.1\r\nHost: a\r\n\n", Violation::BareLf);
    refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BareLf);
}

#[test]
fn bare_cr_is_refused() {
    refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", Violation::BareCr);
    refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Violation::BareCr);
    refused("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", Violation::BareCr);
}

#[test]
fn nul_and_other_controls_are_refused() {
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", Violation::Nul);
    refused("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Violation::Nul);
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: a\x0bb\r\n\r\n", Violation::Control);
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", Violation::Control);
}

#[test]
fn folded_headers_are_refused() {
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", Violation::ObsFold);
    refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n", Violation::UnknownEncoding);
    refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Violation::ObsFold);
}

#[test]
fn white_space_before_a_colon_is_refused() {
    refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Violation::SpaceBeforeColon);
    refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n", Violation::SpaceBeforeColon);
}

#[test]
fn header_names_are_tokens() {
    for line in ["no colon", ": empty", "a b: c", "a\u{e9}: c", "a(b): c", "\"a\": c"] {
        refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n"), Violation::BadName);
    }
    refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\x0b: chunked\r\n\r\n", Violation::BadName);
}

#[test]
fn length_and_encoding_together_are_refused_in_either_order() {
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Violation::LengthAndEncoding);
    refused("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n", Violation::LengthAndEncoding);
}

#[test]
fn a_repeated_length_is_refused_even_if_equal() {
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Violation::RepeatedLength);
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-length: 6\r\n\r\nhello", Violation::RepeatedLength);
}

#[test]
fn a_length_is_digits_alone() {
    for length in ["", "+5", "-1", "5, 5", "0x5", "5 5", "5;", "1e3", "18446744073709551616", "\u{666}"] {
        refused(&format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"), Violation::BadLength);
    }
}

#[test]
fn an_encoding_is_chunked_alone() {
    for coding in ["", "gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1", "\"chunked\"", "chunked,"] {
        refused(&format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n"), Violation::UnknownEncoding);
    }
    refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Violation::RepeatedEncoding);
    refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", Violation::RepeatedEncoding);
    refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Violation::EncodingInHttp10);
}

#[test]
fn there_is_one_host() {
    refused("GET / HTTP/1.1\r\n\r\n", Violation::MissingHost);
    refused("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", Violation::RepeatedHost);
    for host in ["a, b", "a b", "a/b", "user@a", "a?", "a#"] {
        refused(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), Violation::BadHost);
    }
}

#[test]
fn the_request_line_has_three_parts() {
    refused("GET /\r\nHost: a\r\n\r\n", Violation::RequestLine);
    refused("GET\r\n\r\n", Violation::RequestLine);
    refused("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
    refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
    refused("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Violation::RequestLine);
    refused(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadMethod);
    refused("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadMethod);
    refused("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
    refused("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Violation::RequestLine);
    refused("GET / HTTP/1.2\r\nHost: a\r\n\r\n", Violation::Version);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Violation::Version);
    refused("GET / http/1.1\r\nHost: a\r\n\r\n", Violation::RequestLine);
    refused("\x16\x03\x01\x02\n\r\n", Violation::BareLf);
}

#[test]
fn heads_are_bounded() {
    refused(&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(MAX_HEAD)), Violation::HeadTooLong);
    let headers = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(count));
    assert_eq!(verdict(&headers(MAX_HEADERS - 1)), None);
    refused(&headers(MAX_HEADERS), Violation::TooManyHeaders);
    assert_eq!(verdict(&"\r\n".repeat(MAX_EMPTY_LINES + 1)), Some(Violation::RequestLine));
}

fn chunked(body: &str) -> Option<Violation> {
    verdict(&format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"))
}

#[test]
fn chunk_sizes_are_hexadecimal_and_fit() {
    for line in ["", "g", "0x5", "-1", "+5", " 5", "5 ", "5\t;a", ";a", "5,"] {
        assert_eq!(chunked(&format!("{line}\r\nhello\r\n")), Some(Violation::ChunkSize), "{line:?}");
    }
    assert_eq!(chunked("ffffffffffffffff\r\n"), Some(Violation::ChunkSize));
    assert_eq!(chunked("00000000000000005\r\nhello\r\n"), Some(Violation::ChunkSize));
    assert_eq!(chunked("7fffffffffffffff\r\nx"), None);
    assert_eq!(chunked("5\nhello\r\n"), Some(Violation::BareLf));
}

#[test]
fn chunk_extensions_are_bounded() {
    assert_eq!(chunked(&format!("5;{}\r\n", "a".repeat(MAX_CHUNK_LINE))), Some(Violation::ChunkExtension));
    assert_eq!(chunked("5;a\rb\r\n"), Some(Violation::ChunkExtension));
    assert_eq!(chunked("5;a\0\r\n"), Some(Violation::ChunkExtension));
    assert_eq!(chunked("5;a\nhello\r\n"), Some(Violation::BareLf));
}

#[test]
fn a_chunk_ends_where_its_size_says() {
    assert_eq!(chunked("5\r\nhello!\r\n"), Some(Violation::ChunkEnd));
    assert_eq!(chunked("5\r\nhello\n"), Some(Violation::ChunkEnd));
    assert_eq!(chunked("5\r\nhello\rX"), Some(Violation::ChunkEnd));
}

#[test]
fn trailers_neither_frame_nor_route() {
    assert_eq!(chunked("0\r\nContent-Length: 5\r\n\r\n"), Some(Violation::Trailer));
    assert_eq!(chunked("0\r\nhost: b\r\n\r\n"), Some(Violation::Trailer));
    assert_eq!(chunked("0\r\nx: y\n\r\n"), Some(Violation::BareLf));
    assert_eq!(chunked("0\r\nx: y\r\n z\r\n\r\n"), Some(Violation::ObsFold));
    assert_eq!(chunked(&format!("0\r\nx: {}\r\n\r\n", "y".repeat(MAX_TRAILER))), Some(Violation::HeadTooLong));
}

#[test]
fn a_smuggled_second_request_is_judged_after_the_first_passed() {
    let first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
    let stream = format!("{first}GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n");
    assert_eq!(run(stream.as_bytes(), &[]), (first.len(), Some(Violation::SpaceBeforeColon)));
}

#[test]
fn nothing_passes_behind_a_connect_until_it_is_decided() {
    let connect = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01";
    let mut guard = Guard::default();
    assert_eq!(guard.feed(connect), Ok(connect.len() - 3));
    assert!(guard.is_undecided());
    assert_eq!(guard.feed(b"\x16\x03\x01"), Ok(0));
    guard.switch_off();
    assert_eq!(guard.feed(b"\x16\x03\x01"), Ok(3));

    let mut guard = Guard::default();
    assert_eq!(guard.feed(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\nGET / HT"), Ok(49));
    assert!(guard.is_undecided());
    guard.resume();
    assert_eq!(guard.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(27));
    assert_eq!(guard.requests(), 2);
    refused("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", Violation::ConnectWithContent);
}

#[test]
fn a_bare_lf_after_an_empty_line_that_came_in_two_is_seen() {
    assert_eq!(run(b"\r\n\n", &[1, 1, 1]), (2, Some(Violation::BareLf)));
}

fn piece() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => Just("Host: a\r\n".to_owned()),
        2 => Just("Content-Length: 5\r\n".to_owned()),
        2 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => Just("X: y\n".to_owned()),
        1 => Just(" folded\r\n".to_owned()),
        1 => Just("X : y\r\n".to_owned()),
        1 => Just("X: a\rb\r\n".to_owned()),
        2 => "[a-z]{1,8}: [ -~]{0,20}\r\n",
    ];
    let head = (proptest::collection::vec(line, 0..4)).prop_map(|lines| format!("POST / HTTP/1.1\r\n{}\r\n", lines.concat()));
    prop_oneof![
        6 => head,
        3 => Just("hello".to_owned()),
        2 => Just("5\r\nhello\r\n0\r\n\r\n".to_owned()),
        1 => Just("0\r\nx: y\r\n\r\n".to_owned()),
        1 => "[ -~\r\n]{0,12}",
    ]
}

proptest! {
    #[test]
    fn every_split_of_a_stream_gets_the_same_verdict(
        pieces in proptest::collection::vec(piece(), 1..6),
        sizes in proptest::collection::vec(1_usize..40, 0..60),
    ) {
        let stream = pieces.concat();
        let whole = run(stream.as_bytes(), &[]);
        prop_assert_eq!(run(stream.as_bytes(), &sizes), whole);
        prop_assert_eq!(run(stream.as_bytes(), &vec![1; stream.len()]), whole);
    }

    #[test]
    fn no_bytes_make_it_panic_or_pass_more_than_there_are(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (passed, _) = run(&bytes, &[]);
        prop_assert!(passed <= bytes.len());
    }
}
