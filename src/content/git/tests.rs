use super::*;
use crate::{
    budget::Budget,
    content::{self, Document, Stream},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use proptest::prelude::*;
use std::io::Write as _;

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).expect("written");
    writer.finish().expect("finished")
}

/// An object of type `kind`: its header, `base` (what names the base of a delta) and its content.
fn object(kind: u8, base: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = content.len();
    let mut head = vec![kind << 4 | u8::try_from(size & 15).expect("four bits")];
    size >>= 4;
    while size > 0 {
        *head.last_mut().expect("one") |= 0x80;
        head.push(u8::try_from(size & 0x7f).expect("seven bits"));
        size >>= 7;
    }
    [&head[..], base, &zlib(content)].concat()
}

fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

/// A push of `objects` to the branch `main`.
fn push(objects: &[Vec<u8>]) -> Vec<u8> {
    let (old, new) = ("0".repeat(40), "5".repeat(40));
    let command = packet(&format!("{old} {new} refs/heads/main\0 report-status side-band-64k agent=git/2.39"));
    let count = u32::try_from(objects.len()).expect("few").to_be_bytes();
    [command.as_bytes(), b"0000PACK\0\0\0\x02", &count, &objects.concat(), &[7; 20]].concat()
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-git-receive-pack-request"))])
}

/// Place and text of each segment, and the gaps, of a body that is held.
fn held(body: &[u8]) -> (Vec<(String, String)>, Vec<Gap>) {
    let (headers, body, mut gaps) = (headers(), Bytes::copy_from_slice(body), Vec::new());
    let document = content::extract("/p.git/git-receive-pack", &headers, &body, &mut Budget::new(1 << 24, None), &mut gaps);
    (texts(&document).split_off(1), gaps)
}

fn texts(document: &Document<'_>) -> Vec<(String, String)> {
    document.segments().iter().map(|segment| (format!("{:?}", segment.place), segment.text.clone().into_owned())).collect()
}

/// The same of one that comes in pieces of `size` bytes.
fn streamed(body: &[u8], size: usize) -> (Vec<(String, String)>, Vec<Gap>) {
    let headers = headers();
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    let mut read = |mut batch: content::Batch| {
        gaps.extend(batch.take_gaps());
        let mut budget = Budget::new(1 << 24, None);
        found.extend(texts(&content::extract_batch(&batch, &headers, &mut budget, &mut gaps)));
    };
    let (mut stream, mut budget) = (Stream::new(&headers), Budget::new(usize::MAX, None));
    for piece in body.chunks(size) {
        stream.push(piece, &mut budget, &mut read);
        assert!(stream.settled() <= stream.at());
    }
    stream.finish(&mut budget, &mut read);
    (found, gaps)
}

fn part(name: &str, text: &str) -> (String, String) {
    (format!("{:?}", crate::text::Place::Part(name.to_owned())), text.to_owned())
}

#[test]
fn every_object_is_read_as_what_it_is() {
    let name = "ab".repeat(20);
    let commit = format!("tree {name}\nauthor Li Wei <li@example.com> 1700000000 +0800\n\nadd the key\n");
    let tree = [&b"100644 config.py\0"[..], &[0xfe; 20]].concat();
    let delta = [&[20, 9, 0x90, 4, 3][..], b"new"].concat();
    let body = push(&[
        object(1, &[], commit.as_bytes()),
        object(4, &[], format!("object {name}\ntype commit\n\nfirst release\n").as_bytes()),
        object(2, &[], &tree),
        object(3, &[], b"key = 'k'\n"),
        object(6, &[0x81, 0x05], &delta),
        object(7, &[9; 20], &delta),
    ]);
    let expected = vec![
        part("ref", "refs/heads/main"),
        part("commit message", "\n\nadd the key\n"),
        part("tag message", "type commit\n\n\nfirst release\n"),
        part("file name", "config.py\n"),
        part("blob", "key = 'k'\n"),
        part("delta", "\nnew"),
        part("delta", "\nnew"),
    ];
    assert_eq!(held(&body), (expected.clone(), vec![]));
    for size in [1, 7, 1000] {
        assert_eq!(streamed(&body, size), (expected.clone(), vec![]), "in pieces of {size}");
    }
}

#[test]
fn a_push_without_a_pack_and_one_with_options_are_read() {
    let (old, new) = ("1".repeat(40), "0".repeat(40));
    let deletion = format!("{}0000", packet(&format!("{old} {new} refs/heads/old\0report-status")));
    assert_eq!(held(deletion.as_bytes()), (vec![part("ref", "refs/heads/old")], vec![]));
    assert_eq!(held(b"0000"), (vec![], vec![]), "the probe before a large push");
    let command = packet(&format!("{old} {new} refs/heads/old\0report-status push-options object-format=sha256"));
    let with = format!("{command}0000{}0000", packet("ci.skip"));
    assert_eq!(held(with.as_bytes()), (vec![part("ref", "refs/heads/old"), part("push option", "ci.skip")], vec![]));
}

#[test]
fn what_is_no_pack_or_is_cut_is_a_gap() {
    let whole = push(&[object(3, &[], b"some text in a file"), object(3, &[], b"another")]);
    assert_eq!(held(&whole).1, []);
    for end in 70..whole.len() {
        let gaps = held(&whole[..end]).1;
        let is_at_flush = whole[..end].ends_with(b"0000");
        assert_eq!(gaps.is_empty(), is_at_flush, "cut at {end}");
    }
    assert_eq!(held(&[&whole[..], b"more"].concat()).1, [Gap::UnknownEncoding]);
    assert_eq!(held(b"zzzz no lines at all").1, [Gap::UnknownEncoding]);
    let size_wrong = object(3, &[], b"some text").into_iter().enumerate().map(|(at, byte)| if at == 0 { byte - 1 } else { byte });
    assert_eq!(held(&push(&[size_wrong.collect()])).1, [Gap::UnknownEncoding]);
}

#[test]
fn a_large_blob_is_let_go_behind_the_reading() {
    // Does not compress, so that what is held and what is read are about the same.
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..6 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    let body = push(&[object(3, &[], &noise), object(3, &[], b"the end")]);
    let (mut stream, mut budget) = (Stream::new(&headers()), Budget::new(usize::MAX, None));
    let (mut most_held, mut most_text) = (0, 0);
    for piece in body.chunks(16 << 10) {
        stream.push(piece, &mut budget, &mut |batch| most_text = most_text.max(batch.text.len()));
        most_held = most_held.max(stream.at() - stream.settled());
    }
    stream.finish(&mut budget, &mut |_| {});
    assert_eq!(stream.settled(), body.len() as u64);
    assert!(most_held < 2 << 20, "{most_held} bytes were held back");
    assert!(most_text < 2 << 20, "{most_text} bytes were read at one time");
}

proptest! {
    #[test]
    fn a_damaged_push_does_not_panic(at in 0usize..400, byte in any::<u8>(), size in 1usize..50) {
        let mut body = push(&[object(1, &[], b"tree x\n\nm"), object(3, &[], b"text"), object(7, &[9; 20], &[20, 9, 0x90, 4, 1, b'x'])]);
        let at = at % body.len();
        body[at] = byte;
        held(&body);
        streamed(&body, size);
    }
}

#[test]
fn what_a_fetch_asks_is_no_language_and_is_read_all_the_same() {
    let lines = ["command=ls-refs\n", "agent=git/2.39.5"].map(packet).concat()
        + "0001"
        + &["peel\n", "ref-prefix refs/heads/\n"].map(packet).concat();
    let asked = format!("{lines}0000");
    assert!(is_lines(asked.as_bytes()) && is_lines(packet("done\n").as_bytes()) && !is_lines(b"Dear Ada") && !is_lines(b"0009don"));
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-git-upload-pack-request"))]);
    let syntaxes = |body: &[u8]| {
        let body = Bytes::copy_from_slice(body);
        let document = crate::content::extract("/", &headers, &body, &mut Budget::new(1 << 20, None), &mut Vec::new());
        document.segments().iter().filter(|segment| segment.text.contains("ref")).map(|segment| segment.syntax).collect::<Vec<_>>()
    };
    assert_eq!(syntaxes(asked.as_bytes()), [crate::text::Syntax::Raw]);
    assert_eq!(syntaxes(b"Please refer to it"), [crate::text::Syntax::Plain]);
}
