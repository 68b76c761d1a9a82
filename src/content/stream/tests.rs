use super::*;
use crate::content::{self, archive::tests::zip, encoding::decode_with};
use bytes::Bytes;
use http::HeaderValue;
use std::io::Write as _;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).expect("written");
    writer.finish().expect("finished")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).expect("written");
    writer.finish().expect("finished")
}

/// What is read of `body`, given in pieces of `size`: each piece's place, and the text of all; and the gaps.
fn read(content_type: &'static str, body: &[u8], size: usize) -> (Vec<Place>, String, Vec<Gap>) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    let (mut places, mut text, mut gaps) = (Vec::new(), String::new(), Vec::new());
    let mut read = |mut batch: Batch| {
        gaps.extend(batch.take_gaps());
        let mut budget = Budget::new(1 << 26, None);
        for segment in content::extract_batch(&batch, &headers, &mut budget, &mut gaps).segments() {
            places.push(segment.place.clone());
            text.push_str(&segment.text);
            text.push('|');
        }
    };
    let (mut stream, mut budget) = (Stream::new(&headers), Budget::new(usize::MAX, None));
    for piece in body.chunks(size) {
        stream.push(piece, &mut budget, &mut read);
        assert!(stream.settled() <= stream.at());
    }
    stream.finish(&mut budget, &mut read);
    assert_eq!(stream.settled(), body.len() as u64, "in the end everything has been read");
    (places, text, gaps)
}

/// Text longer than is gathered, with `inside` in its middle, that compresses well but not like a bomb.
fn long(inside: &str) -> Vec<u8> {
    let line = |n: usize| format!("line {n} of a long and quiet report, {}\n", n * 7919 % 10_007);
    let half: String = (0..20_000).map(line).collect();
    [half.as_bytes(), inside.as_bytes(), half.as_bytes()].concat()
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn form(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        let head = format!("--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--xyz--\r\n");
    body
}

const FORM: &str = "multipart/form-data; boundary=xyz";

#[test]
fn a_small_body_is_read_in_its_format() {
    let (_, text, gaps) = read("application/json", br#"{"note":"\u4e2d\u6587"}"#, 5);
    assert_eq!((text.as_str(), gaps), (r#"{"note":"中文"}|"#, vec![]));
}

#[test]
fn windows_overlap_and_cut_no_character() {
    let body = "中文，".repeat(300_000);
    let (_, text, gaps) = read("text/plain", body.as_bytes(), 10_007);
    assert_eq!(gaps, []);
    let windows: Vec<&str> = text.split_terminator('|').collect();
    assert!(windows.len() > 5);
    assert!(windows.iter().all(|window| window.chars().all(|c| "中文，".contains(c))));
    let read: usize = windows.iter().map(|window| window.len()).sum();
    assert!(read >= body.len() + (windows.len() - 1) * (OVERLAP - 6), "each begins with the end of the one before");
}

#[test]
fn compressed_files_in_a_form_are_undone_small_and_large() {
    for inside in [b"small: the needle".to_vec(), long("the needle")] {
        let zstd = zstd::bulk::compress(&inside, 1).expect("compressed");
        for file in [gzip(&inside), zstd, gzip(&gzip(&inside))] {
            for size in [977, 1 << 20] {
                let (places, text, gaps) = read(FORM, &form(&[("a.gz", &file), ("b.txt", b"after")]), size);
                assert!(text.contains("the needle") && text.contains("|after|"), "{} bytes in pieces of {size}", file.len());
                assert_eq!(gaps, []);
                assert!(places.contains(&Place::Part("a.gz".to_owned())) && places.contains(&Place::Part("b.txt".to_owned())));
            }
        }
    }
}

#[test]
fn a_large_archive_is_read_member_by_member() {
    let body = long("the needle");
    let packed = deflate(&body);
    let archive = zip(&[("a/one.txt", 8, 0, &packed), ("two.txt", 0, 0, &body), ("三.txt", 0, 0, b"third")]);
    for size in [4099, 1 << 20] {
        let (places, text, gaps) = read("application/zip", &archive, size);
        assert_eq!(text.matches("the needle").count(), 2);
        assert!(text.contains("a/one.txt|") && text.contains("|third|") && text.contains("三.txt"));
        assert_eq!(gaps, []);
        assert!(places.contains(&Place::Part("one.txt".to_owned())));
    }
    let (_, text, gaps) = read(FORM, &form(&[("all.zip", &archive)]), 4099);
    assert_eq!((text.matches("the needle").count(), gaps), (2, vec![]));
}

#[test]
fn members_whose_size_comes_behind_them_are_read() {
    let body = [noise(WHOLE), long("the needle")].concat();
    let packed = deflate(&body);
    let head = |name: &str| {
        [b"PK\x03\x04\x14\0\x08\0\x08\0", &[0; 16][..], &[u8::try_from(name.len()).expect("short"), 0, 0, 0], name.as_bytes()].concat()
    };
    let descriptor = [&b"PK\x07\x08"[..], &[1; 12]].concat();
    let bare = [2; 12].to_vec();
    for behind in [descriptor, bare] {
        let member = |name: &str| [head(name), packed.clone(), behind.clone()].concat();
        let archive = [member("one.txt"), member("two.txt"), b"PK\x01\x02 and so on, as long as a directory is".to_vec()].concat();
        let (_, text, gaps) = read("application/zip", &archive, 8191);
        assert_eq!((text.matches("the needle").count(), gaps), (2, vec![]));
    }
}

#[test]
fn what_cannot_be_read_in_a_large_archive_is_a_gap() {
    let body = long("");
    let archive = |method, flags| zip(&[("one.txt", method, flags, body.as_slice()), ("two.txt", 0, 0, b"plain")]);
    for (archive, gap) in [(archive(0, 1), Gap::Encrypted), (archive(14, 0), Gap::UnknownEncoding), (archive(8, 0), Gap::UnknownEncoding)] {
        let (_, text, gaps) = read("application/zip", &archive, 65_536);
        assert_eq!(gaps, [gap]);
        assert!(text.contains("|plain|"), "and the next member is read");
    }
}

#[test]
fn a_compressed_file_that_breaks_off_is_a_gap() {
    let file = gzip(&long(""));
    let cut = &file[..file.len() - 100];
    assert!(cut.len() < WHOLE, "read as a whole then, with the same result");
    assert_eq!(read("application/gzip", cut, 4096).2, [Gap::UnknownEncoding]);
    let file = gzip(&noise(3 << 20));
    assert!(file.len() > WHOLE);
    assert_eq!(read("application/gzip", &file, 4096).2, []);
    assert_eq!(read("application/gzip", &file[..file.len() - 100], 4096).2, [Gap::UnknownEncoding]);
    let mut broken = file.clone();
    broken[2 << 20] ^= 0xff;
    assert_eq!(read("application/gzip", &broken, 4096).2, [Gap::UnknownEncoding]);
}

#[test]
fn parts_are_cut_as_in_a_body_that_is_held() {
    let bodies: [&[u8]; 7] = [
        b"pre\r\n--xyz\r\nA: 1\r\n\r\none\r\n--xyzq\r\n--xyz \r\n\r\ntwo\r\n--xyz--\r\nepi",
        b"--xyz\nA: 1\n\none\n--xyz\n\ntwo",
        b"--xyz\r\nno empty line\r\n--xyz--",
        b"--xyz\r\n\r\n--xyz--",
        b"--xyz--",
        b"nothing of the kind",
        b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--xyz\r\n\r\n\r\n--xyz--\r\n",
    ];
    for body in bodies {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(FORM))]);
        let (bytes, mut gaps) = (Bytes::copy_from_slice(body), Vec::new());
        let document = content::extract("", &headers, &bytes, &mut Budget::new(1 << 20, None), &mut gaps);
        let words = |text: &str| {
            text.split(|c: char| c == '|' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let held: Vec<String> = document.segments().iter().flat_map(|segment| words(&segment.text)).collect();
        for size in [1, 3, 1000] {
            let (_, text, streamed) = read(FORM, body, size);
            assert_eq!(words(&text), held, "{:?} in pieces of {size}", String::from_utf8_lossy(body));
            assert_eq!(streamed, gaps);
        }
    }
}

#[test]
fn a_bomb_is_refused_in_little_memory() {
    let inner = gzip(&vec![0; 64 << 20]);
    let mut most = 0;
    let headers = HeaderMap::new();
    let (mut stream, mut budget, mut gaps) = (Stream::new(&headers), Budget::new(usize::MAX, None), Vec::new());
    let archive = zip(&[("noise", 0, 0, &noise(2 << 20)), ("bomb.gz", 8, 0, &deflate(&inner))]);
    let mut read = |mut batch: Batch| {
        most = most.max(batch.text.len());
        gaps.extend(batch.take_gaps());
    };
    stream.push(&archive, &mut budget, &mut read);
    stream.finish(&mut budget, &mut read);
    assert!(most < 2 << 20, "{most}");
    // The gzip file is short and so read as a whole; what it becomes is bounded by the budget of that reading.
    assert_eq!(gaps, []);
    assert_eq!(
        decode_with(content::encoding::Decoder::of("gzip").expect("gzip"), &inner, &mut Budget::new(1 << 24, None)),
        Err(Gap::TooLarge)
    );
}

#[test]
fn a_pause_reads_what_is_at_hand_unless_it_means_nothing() {
    let mut text = String::new();
    let mut budget = Budget::new(usize::MAX, None);
    let mut stream = Stream::new(&HeaderMap::new());
    let mut read = |batch: Batch| text.push_str(&String::from_utf8_lossy(&batch.text));
    stream.push(b"hello", &mut budget, &mut read);
    assert_eq!(stream.settled(), 0);
    stream.pause(&mut budget, &mut read);
    assert_eq!(stream.settled(), 5);
    stream.push(b", you", &mut budget, &mut read);
    assert_eq!(stream.settled(), 5);
    stream.finish(&mut budget, &mut read);
    assert_eq!(text, "hellohello, you", "the overlap is read again");
    let mut form = Stream::new(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(FORM))]));
    form.push(b"--xyz\r\n\r\nhello", &mut budget, &mut |_| panic!("nothing is ready"));
    form.pause(&mut budget, &mut |_| panic!("nobody waits for it"));
    assert!(form.is_patient());
}
