use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn headers(coding: &str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_str(coding).expect("value"))])
}

fn coded(coding: &str, body: &[u8]) -> Bytes {
    let rewritten = Rewritten { body: Some(Bytes::copy_from_slice(body)), ..Rewritten::default() };
    encode(&headers(coding), rewritten).expect("encode").body.expect("body")
}

fn decoded(coding: &str, body: &[u8]) -> Result<Bytes, Gap> {
    decode(&headers(coding), &Bytes::copy_from_slice(body), &mut Budget::new(64 << 20, None))
}

proptest! {
    #[test]
    fn every_coding_comes_back(body in prop::collection::vec(any::<u8>(), 0..2000), piece in 1usize..300) {
        for coding in ["gzip", "x-gzip", "deflate", "br", "zstd", "identity", "", "gzip, br", "deflate, zstd, gzip", "GZip"] {
            let sent = coded(coding, &body);
            prop_assert_eq!(decoded(coding, &sent), Ok(Bytes::copy_from_slice(&body)), "{}", coding);

            let (mut decoder, mut out) = (Decoder::new(&headers(coding)).expect("decoder"), Vec::new());
            let mut budget = Budget::new(64 << 20, None);
            for piece in sent.chunks(piece) {
                decoder.push(piece, &mut out, &mut budget).expect("push");
            }
            prop_assert_eq!(decoder.finish(), Ok(()));
            prop_assert_eq!(&out, &body, "{} in pieces", coding);
        }
    }

    #[test]
    fn garbage_is_refused_and_never_panics(body in prop::collection::vec(any::<u8>(), 1..300)) {
        for coding in ["gzip", "zstd", "aws-chunked"] {
            prop_assert_eq!(decoded(coding, &body), Err(Gap::UnknownEncoding));
        }
        let _ = (decoded("deflate", &body), decoded("br", &body));
    }

    #[test]
    fn a_cut_stream_is_refused(body in prop::collection::vec(any::<u8>(), 100..500), cut in 1usize..20) {
        for coding in ["gzip", "deflate", "br", "zstd", "br, gzip"] {
            let sent = coded(coding, &body);
            prop_assert_eq!(decoded(coding, &sent[..sent.len() - cut]), Err(Gap::UnknownEncoding), "{}", coding);
        }
    }
}

#[test]
fn raw_deflate_is_read_too() {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(b"hello hello hello").expect("write");
    assert_eq!(decoded("deflate", &writer.finish().expect("finish")).as_deref(), Ok(&b"hello hello hello"[..]));
}

#[test]
fn every_gzip_member_and_zstd_frame_is_read() {
    for coding in ["gzip", "zstd"] {
        let sent = [coded(coding, b"one "), coded(coding, b""), coded(coding, b"two")].concat();
        assert_eq!(decoded(coding, &sent).as_deref(), Ok(&b"one two"[..]), "{coding}");
    }
}

#[test]
fn gzip_header_fields_are_stepped_over() {
    let mut writer =
        flate2::GzBuilder::new().filename("name").comment("comment").extra(*b"extra").write(Vec::new(), flate2::Compression::fast());
    writer.write_all(b"text").expect("write");
    assert_eq!(decoded("gzip", &writer.finish().expect("finish")).as_deref(), Ok(&b"text"[..]));
}

#[test]
fn bytes_after_the_end_are_refused() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let sent = [&coded(coding, b"clean")[..], b"password"].concat();
        assert_eq!(decoded(coding, &sent), Err(Gap::UnknownEncoding), "{coding}");
    }
    let padded = [&coded("gzip", b"clean")[..], &[0; 7]].concat();
    assert_eq!(decoded("gzip", &padded).as_deref(), Ok(&b"clean"[..]));
}

#[test]
fn a_zstd_skippable_frame_hides_nothing() {
    let sent = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc", &coded("zstd", b"clean")].concat();
    assert_eq!(decoded("zstd", &sent), Err(Gap::UnknownEncoding));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut sent = coded("gzip", b"hello").to_vec();
    let at = sent.len() - 6;
    sent[at] ^= 1;
    assert_eq!(decoded("gzip", &sent), Err(Gap::UnknownEncoding));
}

#[test]
fn an_unknown_coding_is_a_gap() {
    for coding in ["compress", "gzip, exi", "sdch"] {
        assert_eq!(decoded(coding, b"x"), Err(Gap::UnknownEncoding));
    }
    assert_eq!(decoded(&["gzip"; 9].join(","), b"x"), Err(Gap::TooLarge));
}

#[test]
fn aws_chunks_are_joined_and_never_rewritten() {
    let sent =
        b"5;chunk-signature=aa\r\nhello\r\n6;chunk-signature=bb\r\n world\r\n0;chunk-signature=cc\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    assert_eq!(decoded("aws-chunked", sent).as_deref(), Ok(&b"hello world"[..]));
    let inner = coded("gzip", b"hello");
    let sent = [format!("{:x}\r\n", inner.len()).as_bytes(), &inner, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(decoded("aws-chunked,gzip", &sent).as_deref(), Ok(&b"hello"[..]));
    let rewritten = Rewritten { body: Some(Bytes::new()), ..Rewritten::default() };
    assert_eq!(encode(&headers("aws-chunked"), rewritten), Err(RewriteError::Signed));
}

/// `coding` of `mib` MiB of zeros, made without holding them.
fn bomb(coding: &str, mib: usize) -> Vec<u8> {
    let zeros = vec![0u8; 1 << 20];
    match coding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            (0..mib).for_each(|_| writer.write_all(&zeros).expect("write"));
            writer.finish().expect("finish")
        }
        "br" => {
            let params = ::brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
            let mut writer = ::brotli::CompressorWriter::with_params(Vec::new(), 1 << 16, &params);
            (0..mib).for_each(|_| writer.write_all(&zeros).expect("write"));
            writer.into_inner()
        }
        _ => {
            let mut writer = ::zstd::stream::Encoder::new(Vec::new(), 1).expect("encoder");
            (0..mib).for_each(|_| writer.write_all(&zeros).expect("write"));
            writer.finish().expect("finish")
        }
    }
}

#[test]
fn a_bomb_stops_at_the_budget() {
    for coding in ["gzip", "br", "zstd"] {
        let sent = bomb(coding, 256);
        let (mut decoder, mut out) = (Decoder::new(&headers(coding)).expect("decoder"), Vec::new());
        let mut budget = Budget::new(3 << 20, None);
        assert_eq!(decoder.push(&sent, &mut out, &mut budget), Err(Gap::TooLarge), "{coding}");
        assert!(out.len() <= 3 << 20, "{coding}");
    }
    // Members of 64 MiB each.
    let ten_gigabytes = bomb("gzip", 64).repeat(160);
    assert_eq!(decode(&headers("gzip"), &ten_gigabytes.into(), &mut Budget::new(usize::MAX, None)), Err(Gap::TooLarge), "by ratio");
}

#[test]
fn a_bomb_in_a_bomb_stops_at_the_budget() {
    let nested = coded("gzip, gzip", &bomb("gzip", 256));
    assert_eq!(decode(&headers("gzip, gzip, gzip"), &nested, &mut Budget::new(8 << 20, None)), Err(Gap::TooLarge));
}

#[test]
fn a_huge_zstd_window_is_refused() {
    let mut writer = ::zstd::stream::Encoder::new(Vec::new(), 1).expect("encoder");
    writer.set_parameter(::zstd::zstd_safe::CParameter::WindowLog(27)).expect("window");
    writer.write_all(&[7; 100_000]).expect("write");
    writer.flush().expect("flush"); // so that the size is not known and the window is declared
    assert_eq!(decoded("zstd", &writer.finish().expect("finish")), Err(Gap::TooLarge));
}

#[test]
fn time_runs_out_too() {
    let mut budget = Budget::new(64 << 20, Some(std::time::Instant::now()));
    assert_eq!(decode(&headers("gzip"), &coded("gzip", b"hello"), &mut budget), Err(Gap::TimedOut));
}
