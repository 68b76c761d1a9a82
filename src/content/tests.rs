//! Whole messages: what is read from them, and that redacting them leaves them whole.

use super::*;
use crate::text::{Edit, Place, Span, Syntax};
use archive::tests::zip;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

/// A message that owns its parts.
struct Sent {
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Sent {
    fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let sent = Self { target: "/".to_owned(), headers: HeaderMap::new(), body: Bytes::from(body.into()) };
        if content_type.is_empty() { sent } else { sent.with("content-type", content_type) }
    }

    fn to(target: &str) -> Self {
        Self { target: target.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).expect("value"));
        self
    }

    fn read(&self) -> (Document<'_>, Vec<Gap>) {
        let (mut gaps, mut budget) = (Vec::new(), Budget::new(64 << 20, None));
        let document = extract(&self.target, &self.headers, &self.body, &mut budget, &mut gaps);
        (document, gaps)
    }

    fn texts(&self) -> Vec<String> {
        self.read().0.segments().iter().map(|segment| segment.text.clone().into_owned()).collect()
    }

    fn gaps(&self) -> Vec<Gap> {
        self.read().1
    }

    /// Every occurrence of `needle`: segment and span.
    fn find(document: &Document<'_>, needle: &str) -> Vec<(usize, Span)> {
        let texts = document.segments().iter().map(|segment| segment.text.as_ref()).enumerate();
        let spans =
            texts.flat_map(|(index, text)| text.match_indices(needle).map(move |(at, _)| (index, Span::of(text, at, at + needle.len()))));
        spans.filter_map(|(index, span)| Some((index, span?))).collect()
    }

    fn place(&self, needle: &str) -> String {
        let (document, _) = self.read();
        let (segment, span) = *Self::find(&document, needle).first().expect("needle");
        document.place(segment, span)
    }

    fn field(&self, needle: &str) -> Option<(String, bool)> {
        let (document, _) = self.read();
        let (segment, span) = *Self::find(&document, needle).first().expect("needle");
        document.field(segment, span).map(|field| (field.name, field.whole))
    }

    /// The message with every occurrence of `needle` replaced.
    fn redact(&self, needle: &str, replacement: &str) -> Result<Self, RewriteError> {
        let (document, _) = self.read();
        let found = Self::find(&document, needle);
        assert!(!found.is_empty(), "{needle:?} is not read");
        let edits: Vec<_> = found.into_iter().map(|(segment, span)| Edit { segment, span, replacement: replacement.to_owned() }).collect();
        let rewritten = document.rewrite(&edits)?;
        let mut headers = self.headers.clone();
        rewritten.headers.iter().for_each(|(name, _)| drop(headers.remove(name)));
        for (name, value) in rewritten.headers {
            headers.append(name, value);
        }
        Ok(Self {
            target: rewritten.target.unwrap_or_else(|| self.target.clone()),
            body: rewritten.body.unwrap_or_else(|| self.body.clone()),
            headers,
        })
    }

    fn redacted_body(&self, needle: &str, replacement: &str) -> String {
        String::from_utf8(self.redact(needle, replacement).expect("rewritten").body.to_vec()).expect("text")
    }
}

fn multipart(parts: &[&str]) -> Sent {
    let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
    Sent::new("multipart/form-data; boundary=b", format!("{parts}--b--\r\n"))
}

#[test]
fn json_is_one_segment_with_escapes_decoded() {
    let sent = Sent::new("application/json", r#"{"messages":[{"role":"user","content":"my \u006bey\nis K\"1"}],"n":4111}"#);
    assert_eq!(sent.texts(), ["{\"messages\":[{\"role\":\"user\",\"content\":\"my key\nis K\"1\"}],\"n\":4111}"]);
    assert_eq!(sent.place("key"), "$.messages[0].content");
    assert_eq!(sent.field("4111"), Some(("n".to_owned(), true)));
    assert_eq!(sent.field("key"), Some(("content".to_owned(), false)));
    assert_eq!(sent.redacted_body("key\nis", "\"x\"\n"), r#"{"messages":[{"role":"user","content":"my \"x\"\n K\"1"}],"n":4111}"#);
    assert_eq!(sent.redacted_body("4111", "[CARD]"), r#"{"messages":[{"role":"user","content":"my \u006bey\nis K\"1"}],"n":"[CARD]"}"#);
}

#[test]
fn an_edit_across_json_tokens_keeps_the_structure() {
    let sent = Sent::new("application/json", r#"{"street":"1 Main St","city":"Boston","zip":2110}"#);
    assert_eq!(sent.redacted_body(r#"Main St","city":"Boston","zip":2110"#, "[A]"), r#"{"street":"1 [A]","city":"[A]","zip":"[A]"}"#);
    assert_eq!(sent.redacted_body(r#"city":"#, "[A]"), r#"{"street":"1 Main St","[A]":"Boston","zip":2110}"#);
    assert_eq!(sent.redact(":", "x").err(), Some(RewriteError::Unsupported), "nothing but structure");
}

#[test]
fn duplicate_keys_are_both_read() {
    assert!(Sent::new("application/json", r#"{"a":"first","a":"second"}"#).texts()[0].contains("first"));
}

#[test]
fn json_is_read_whatever_it_is_called() {
    for content_type in
        ["", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "application/vnd.x+json", "image/png"]
    {
        let sent = Sent::new(content_type, "[{\"a\":\"\\u0041\"}]");
        assert_eq!(sent.texts(), ["[{\"a\":\"A\"}]"], "{content_type}");
        assert!(sent.gaps().is_empty());
    }
}

#[test]
fn json_in_another_charset_is_read_and_rewritten() {
    for charset in ["utf-16le", "utf-16be", "utf-32le", "gb18030"] {
        let charset::Label::Known(charset) = charset::Charset::parse(charset) else { panic!("charset") };
        let sent = Sent::new("application/json", charset.encode("{\"姓名\":\"张三\",\"n\":\"\\u0041\"}"));
        assert_eq!(sent.texts(), ["{\"姓名\":\"张三\",\"n\":\"A\"}"]);
        assert_eq!(sent.place("张三"), "$[*]");
        let redacted = sent.redact("张三", "[某人]").expect("rewritten");
        assert_eq!(redacted.body, charset.encode("{\"姓名\":\"[某人]\",\"n\":\"\\u0041\"}"));
    }
    assert_eq!(Sent::new("application/json", "\u{feff}{\"a\":1}").gaps(), []);
}

#[test]
fn broken_json_is_a_gap_and_still_read() {
    let sent = Sent::new("application/json", r#"{"a":"p\u0061ss",}"#);
    assert_eq!(sent.gaps(), [Gap::Malformed]);
    assert_eq!(sent.texts(), [r#"{"a":"pass",}"#, r#"{"a":"p\u0061ss",}"#]);
    assert_eq!(sent.redacted_body("pass", "\""), r#"{"a":"\"",}"#);
    let form = Sent::new("application/json", "a=b&c=d");
    assert_eq!((form.texts(), form.gaps()), (vec!["a=b&c=d".to_owned()], vec![Gap::Malformed]));
    assert!(Sent::new("application/json", "").gaps().is_empty());
}

#[test]
fn deep_json_does_not_overflow_the_stack() {
    let sent = Sent::new("application/json", "[".repeat(1_000_000) + "\"secret\"" + &"]".repeat(1_000_000));
    assert!(sent.gaps().is_empty());
    assert!(sent.redacted_body("secret", "x").contains("[\"x\"]"));
    assert!(sent.place("secret").len() < 200);
}

#[test]
fn a_form_is_one_segment_and_keeps_its_separators() {
    let sent = Sent::new("application/x-www-form-urlencoded", "email=a%40b.com&note=call+me%26+now");
    assert_eq!(sent.texts(), ["email=a@b.com&note=call me& now"]);
    assert_eq!(sent.place("a@b.com"), "field \"email\"");
    assert_eq!(sent.field("a@b.com"), Some(("email".to_owned(), true)));
    assert_eq!(sent.field("call me"), Some(("note".to_owned(), false)));
    assert_eq!(sent.redacted_body("a@b.com&note=call", "[X Y]"), "email=%5BX+Y%5D&note=%5BX+Y%5D+me%26+now");
    assert_eq!(Sent::new("text/plain", "q=a%40b").texts(), ["q=a@b"], "as beacons send it");
}

#[test]
fn the_url_is_read_path_and_query() {
    let sent = Sent::to("/u/a%40b.com?q=my+key&token=T");
    assert_eq!(sent.texts(), ["/u/a@b.com?q=my key&token=T"]);
    assert_eq!((sent.place("key"), sent.field("T")), ("url".to_owned(), Some(("token".to_owned(), true))));
    assert_eq!(sent.redact("a@b.com", "[X Y]").expect("rewritten").target, "/u/%5BX%20Y%5D?q=my+key&token=T");
    assert_eq!(sent.redact("my key", "[X Y]").expect("rewritten").target, "/u/a%40b.com?q=%5BX+Y%5D&token=T");
    assert!(Sent::to("/").texts().is_empty());
}

#[test]
fn headers_that_carry_text_are_read_and_rewritten() {
    let sent =
        Sent::to("/").with("referer", "https://x/?q=a%40b").with("x-file-name", "%E5%BC%A0%E4%B8%89.txt").with("cookie", "session=1");
    assert_eq!(sent.texts(), ["https://x/?q=a@b", "张三.txt"]);
    assert_eq!(sent.place("张三"), "header x-file-name");
    let redacted = sent.redact("张三", "x y").expect("rewritten");
    assert_eq!(redacted.headers.get("x-file-name").expect("header"), "x%20y.txt");
    assert_eq!(redacted.headers.get("referer"), sent.headers.get("referer"));

    let sent = Sent::to("/").with("subject", "one").with("subject", "=?utf-8?B?5byg5LiJ?= two").with("title", "张三");
    assert_eq!(sent.texts(), ["one", "张三 two", "张三"]);
    let redacted = sent.redact("张三", "a\"\r\n").expect("rewritten");
    assert_eq!(redacted.headers.get_all("subject").iter().collect::<Vec<_>>(), ["one", "a___ two"]);

    let sent = Sent::to("/").with("content-disposition", "attachment; filename=\"cv a.txt\"; filename*=UTF-8''%E5%BC%A0.txt");
    assert_eq!(sent.texts(), ["cv a.txt", "张.txt"]);
    let redacted = sent.redact("张", "x").expect("rewritten");
    assert_eq!(redacted.headers.get("content-disposition").expect("header"), "attachment; filename=\"cv a.txt\"; filename*=UTF-8''x.txt");
}

#[test]
fn multipart_parts_are_read_by_their_type() {
    let sent = multipart(&[
        "Content-Disposition: form-data; name=\"note\"\r\n\r\nhello KEY",
        "Content-Disposition: form-data; name=\"f\"; filename=\"cv.txt\"\r\nContent-Type: text/plain; charset=gbk\r\n\r\nplain",
        "Content-Disposition: form-data; name=\"j\"; filename=\"j.json\"\r\n\r\n{\"a\":\"\\u0041B\"}",
        "Content-Disposition: form-data; name=\"p\"\r\nContent-Transfer-Encoding: base64\r\n\r\nc2VjcmV0IHRleHQ=",
        "Content-Disposition: form-data; name=\"q\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\npass=\r\nword=3D1",
    ]);
    assert_eq!(
        sent.texts(),
        ["note", "hello KEY", "f", "cv.txt", "plain", "j", "j.json", "{\"a\":\"AB\"}", "p", "secret text", "q", "password=1"]
    );
    assert!(sent.gaps().is_empty());
    assert_eq!(sent.place("plain"), "part \"cv.txt\"");
    assert_eq!(sent.place("AB"), "part \"j.json\" $.a");
    assert_eq!(sent.field("hello KEY"), Some(("note".to_owned(), true)));
    assert_eq!(sent.field("plain"), None, "a file is not a field");
    let body = String::from_utf8(sent.body.to_vec()).expect("text");
    assert_eq!(sent.redacted_body("KEY", "[X]"), body.replace("KEY", "[X]"));
    assert_eq!(sent.redacted_body("AB", "\""), body.replace("\\u0041B", "\\\""));
    assert_eq!(sent.redacted_body("secret", "[X]"), body.replace("c2VjcmV0IHRleHQ=", "W1hdIHRleHQ="));
    assert_eq!(sent.redacted_body("password", "é"), body.replace("pass=\r\nword", "=C3=A9"));
    assert_eq!(sent.redacted_body("cv.txt", "a\"b\r\n"), body.replace("cv.txt", "a_b__"));
}

#[test]
fn preamble_and_epilogue_and_broken_multipart_are_read() {
    let sent = Sent::new("multipart/mixed; boundary=\"b\"", "before\n--b\n\ninside\n--b--\nafter");
    assert_eq!(sent.texts(), ["before", "inside", "after"]);
    let cut = Sent::new("multipart/mixed; boundary=b", "--b\r\n\r\ninside");
    assert_eq!((cut.texts(), cut.gaps()), (vec!["inside".to_owned()], vec![Gap::Malformed]));
    let none = Sent::new("multipart/mixed; boundary=b", "secret");
    assert_eq!((none.texts(), none.gaps()), (vec!["secret".to_owned()], vec![Gap::Malformed]));
    let no_delimiter = Sent::new("text/plain", "--b\u{b}\nContent-Type: text/plain\n\nsecret");
    assert_eq!(no_delimiter.texts(), ["--b\u{b}\nContent-Type: text/plain\n\nsecret"], "and it is read once");
}

#[test]
fn nested_multipart_ends_at_the_depth_budget() {
    let inner = |depth: usize| {
        let open: String =
            (0..depth).map(|level| format!("--b{level}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", level + 1)).collect();
        let body = format!("{open}--b{depth}\r\n\r\nsecret text\r\n--b{depth}--");
        Sent::new("multipart/mixed; boundary=b0", body)
    };
    assert!(inner(3).texts().contains(&"secret text".to_owned()));
    let deep = inner(40);
    assert!(deep.gaps().contains(&Gap::TooLarge));
    assert!(deep.texts().iter().any(|text| text.contains("secret text")), "what is too deep is read raw");
}

#[test]
fn more_parts_than_any_message_has_are_bounded() {
    let sent = Sent::new("multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n".repeat(200_000) + "--b\r\n\r\nsecret\r\n--b--");
    let (document, gaps) = sent.read();
    assert!(document.segments().len() <= 1 << 16);
    assert_eq!(gaps, [Gap::TooLarge]);
    assert!(document.segments().last().is_some_and(|last| last.text.contains("secret")));
}

#[test]
fn xml_is_read_and_rewritten() {
    let sent = Sent::new("application/soap+xml", "<a b=\"x&#64;y\">KEY<![CDATA[<KEY>]]><!-- KEY --></a>");
    assert_eq!(sent.texts(), ["<a b=\"x@y\">KEY<KEY><!-- KEY --></a>"]);
    assert!(sent.gaps().is_empty());
    assert_eq!(sent.redacted_body("KEY", "<&]]>-"), "<a b=\"x&#64;y\">&lt;&amp;]]&gt;-<![CDATA[<<&]]]]><![CDATA[>->]]><!-- <&]]>_ --></a>");
    assert_eq!(sent.redacted_body("x@y", "\""), "<a b=\"&quot;\">KEY<![CDATA[<KEY>]]><!-- KEY --></a>");
    assert_eq!(Sent::new("application/xml", "<a>x</b>").gaps(), [Gap::Malformed]);
    assert!(Sent::new("text/html", "<p>a<br>b").gaps().is_empty());
}

#[test]
fn text_in_any_charset_is_read_and_rewritten() {
    let chinese = "客户张三的电话，请尽快联系他们。\n";
    for label in ["gb18030", "utf-16le", "big5"] {
        let charset::Label::Known(charset) = charset::Charset::parse(label) else { panic!("charset") };
        let chinese = if label == "big5" { "客戶張三的電話，請盡快聯絡他們。\n" } else { chinese };
        let name = if label == "big5" { "張三" } else { "张三" };
        let sent = Sent::new(&format!("text/plain; charset={label}"), charset.encode(chinese));
        assert_eq!(sent.texts(), [chinese]);
        assert_eq!(sent.redact(name, "[某人]").expect("rewritten").body, charset.encode(&chinese.replace(name, "[某人]")));
    }
    assert_eq!(Sent::new("text/plain; charset=utf-7", "+AGE-").gaps(), [Gap::UnknownEncoding]);
    assert!(Sent::new("text/plain; charset=nonsense", "plain").gaps().is_empty());
}

#[test]
fn unknown_bytes_are_read_raw_and_never_written() {
    let sent = Sent::new("application/octet-stream", b"\x00\x01\xfe\xffpassword: hunter2\x00\x90\x03".to_vec());
    assert_eq!(sent.texts(), ["password: hunter2"]);
    assert!(sent.gaps().is_empty());
    assert_eq!(sent.redact("hunter2", "x").err(), Some(RewriteError::Unsupported));
}

#[test]
fn of_media_the_metadata_is_read() {
    let sent = Sent::new("image/jpeg", b"\xff\xd8\xff\xe1\x00\x18Exif\x00\x00Artist: Alice Example\x00\xff\xd9\x00".to_vec());
    assert_eq!(sent.gaps(), [Gap::Media]);
    assert_eq!(sent.texts(), ["Artist: Alice Example"]);
    assert!(Sent::new("image/png", "only text, whatever it claims").gaps().is_empty());
}

#[test]
fn archives_are_read_by_their_members() {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut deflate, b"{\"a\":\"deflated\"}").expect("write");
    let deflated = deflate.finish().expect("finish");
    let archive = zip(&[("dir/a.txt", 0, 0, b"stored text"), ("b.json", 8, 0, &deflated)]);
    let sent = Sent::new("application/zip", archive);
    assert_eq!(sent.texts(), ["dir/a.txt\nb.json", "stored text", "{\"a\":\"deflated\"}"]);
    assert_eq!((sent.place("deflated\""), sent.gaps()), ("part \"b.json\" $.a".to_owned(), vec![]));
    assert_eq!(sent.redact("stored", "x").err(), Some(RewriteError::Unsupported));
    assert_eq!(Sent::new("", zip(&[("a", 0, 1, b"\xffsecret")])).gaps(), [Gap::Encrypted]);
    assert_eq!(Sent::new("", b"PK\x03\x04\xff no directory".to_vec()).gaps(), [Gap::Malformed]);
}

#[test]
fn compressed_files_are_read_within_the_budget() {
    let gzip = |bytes: &[u8]| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut writer, bytes).expect("write");
        writer.finish().expect("finish")
    };
    assert_eq!(Sent::new("application/gzip", gzip(b"secret text")).texts(), ["secret text"]);
    assert_eq!(Sent::new("application/gzip", gzip(&vec![b'x'; 65 << 20])).gaps(), [Gap::TooLarge]);
    let nested = (0..20).fold(b"secret text".to_vec(), |inner, _| gzip(&inner));
    assert_eq!(Sent::new("", nested).gaps(), [Gap::TooLarge]);
}

#[test]
fn encrypted_messages_are_a_gap() {
    assert_eq!(Sent::new("text/plain", "-----BEGIN PGP MESSAGE-----\n\nhQEM\n").gaps(), [Gap::Encrypted]);
}

#[test]
fn grpc_messages_are_read() {
    let body = b"\x00\x00\x00\x00\x0d\x0a\x0bhello world".to_vec();
    assert_eq!(Sent::new("application/grpc+proto", body.clone()).texts(), ["hello world"]);
    let armoured = transfer::encode_base64(&body, b"");
    assert_eq!(Sent::new("application/grpc-web-text", armoured).texts(), ["hello world"]);
    let broken = Sent::new("application/grpc", b"\x07\x00 secret".to_vec());
    assert_eq!((broken.texts(), broken.gaps()), (vec![" secret".to_owned()], vec![Gap::Malformed]));
}

#[test]
fn a_signed_body_is_not_rewritten() {
    let sent = Sent::new("text/plain", "a secret").with("content-digest", "sha-256=:x:").with("title", "secret");
    assert_eq!(sent.redact("a secret", "x").err(), Some(RewriteError::Signed));
    let header = Sent::new("text/plain", "nothing").with("content-digest", "sha-256=:x:").with("title", "secret");
    assert!(header.redact("secret", "x").is_ok(), "only the header changes");
}

#[test]
fn debug_output_holds_no_content() {
    let sent = Sent::new("application/json", "{\"a\":\"s3cret\"}").with("title", "s3cret");
    let (document, _) = sent.read();
    let (segment, span) = Sent::find(&document, "s3cret")[0];
    let edits = [Edit { segment, span, replacement: "s3c***".to_owned() }];
    let rewritten = document.rewrite(&edits).expect("rewritten");
    assert!(!format!("{document:?}{rewritten:?}{edits:?}").contains("s3c"));
}

#[test]
fn plain_documents_are_scanned_and_rewritten_too() {
    let document = Document::plain("my key");
    let edit = Edit { segment: 0, span: Span::of("my key", 3, 6).expect("span"), replacement: "[X]".to_owned() };
    assert_eq!((document.segments()[0].syntax, &document.segments()[0].place), (Syntax::Plain, &Place::Body));
    assert_eq!(document.rewrite(&[edit]).expect("rewritten").body.as_deref(), Some(&b"my [X]"[..]));
}

/// Any text, with what formats find special made likely.
fn any_text() -> impl Strategy<Value = String> {
    "([ -~]|[\"\\\\&=<>%+\n中é😀\\]]){0,16}"
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![any_text().prop_map(Into::into), any::<i32>().prop_map(Into::into), any::<bool>().prop_map(Into::into)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((any_text(), inner), 0..4).prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether a body parses.
type Parses = fn(&[u8]) -> bool;

/// A message of each syntax around `text`, and whether its body still parses as that syntax.
fn around(text: &str) -> Vec<(Sent, Parses)> {
    let json = serde_json::json!({ "k": [1, { "x": text }], "tail": true }).to_string();
    let escaped = |text: &str| text.chars().map(|char| format!("&#{};", u32::from(char))).collect::<String>();
    let valid_json: Parses = |body| serde_json::from_slice::<serde_json::Value>(body).is_ok();
    let valid_xml: Parses = |body| {
        let mut reader = quick_xml::Reader::from_reader(body);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    };
    let valid_form: fn(&[u8]) -> bool = |body| body.split(|byte| *byte == b'&').count() == 2 && body.ends_with(b"&z=1");
    let valid_parts: fn(&[u8]) -> bool = |body| multipart::split(body, "b").is_some_and(|multipart| multipart.parts.len() == 2);
    let coded = String::from_utf8(transfer::encode_base64(text.as_bytes(), b"")).expect("base64");
    let part = |transfer: &str, text: &str| format!("Content-Disposition: form-data; name=\"n\"\r\n{transfer}\r\n{text}");
    let transfer_base64 = "Content-Transfer-Encoding: base64\r\n";
    vec![
        (Sent::new("application/json", json), valid_json),
        (Sent::new("application/x-www-form-urlencoded", format!("n={}&z=1", form::escape(text.as_bytes(), form::Space::Plus))), valid_form),
        (Sent::new("text/xml", format!("<r><v a=\"{}\"/><w/></r>", xml::escape(text))), valid_xml),
        (Sent::new("text/xml", format!("<r>{}</r>", escaped(text))), valid_xml),
        (Sent::new("text/plain", format!("plain: {text}.")), |_| true),
        (multipart(&[&part(transfer_base64, &coded), &part("", "other")]), valid_parts),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_redacted_value_vanishes_and_the_rest_still_parses(
        text in "[A-Z0-9][A-Z0-9中😀\"\\\\&<>%+ -]{3,12}[0-9]",
        replacement in "\\[[A-Z\"\\\\&<>%+ 中\\]-]{0,8}",
    ) {
        prop_assume!(!replacement.contains(&text));
        for (sent, still_parses) in around(&text) {
            let (document, _) = sent.read();
            prop_assert!(!Sent::find(&document, &text).is_empty(), "{:?}", sent.body);
            let redacted = sent.redact(&text, &replacement).expect("rewritten");
            prop_assert!(redacted.texts().iter().all(|read| !read.contains(&text)), "{:?}", redacted.body);
            prop_assert!(still_parses(&redacted.body), "{:?}", redacted.body);
        }
    }

    #[test]
    fn no_edit_is_the_identity(text in any_text()) {
        for (sent, _) in around(&text) {
            prop_assert_eq!(sent.read().0.rewrite(&[]), Ok(Rewritten::default()));
        }
    }

    #[test]
    fn any_edit_of_any_json_leaves_json_and_other_bytes_alone(value in json_value(), start in any::<prop::sample::Index>(), len in 1usize..40) {
        let sent = Sent::new("application/json", value.to_string());
        let (document, gaps) = sent.read();
        prop_assert!(gaps.is_empty());
        let text = &document.segments()[0].text;
        let borders: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let first = start.index(borders.len() - 1);
        let last = (first + len).min(borders.len() - 1);
        let span = Span::of(text, borders[first], borders[last]).expect("span");
        document.place(0, span);
        document.field(0, span);
        if let Ok(rewritten) = document.rewrite(&[Edit { segment: 0, span, replacement: "\"X\\".to_owned() }]) {
            let body = rewritten.body.expect("body");
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "{:?}", body);
            let source = document.segments()[0].map.source(span);
            prop_assert_eq!(&body[..source.start.saturating_sub(16).min(body.len())], &sent.body[..source.start.saturating_sub(16).min(body.len())]);
            let tail = sent.body.len() - source.end;
            prop_assert!(tail < 16 || body.ends_with(&sent.body[sent.body.len() - tail + 15..]));
        }
    }

    #[test]
    fn nothing_panics_whatever_it_claims(
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), "(--b|\r\n|\\{|\\}|\"|:|,|<|>|&|=|%41|PK\u{3}\u{4}|a){0,40}".prop_map(String::into_bytes)],
        content_type in prop::sample::select(vec!["", "application/json", "multipart/form-data; boundary=b", "text/xml", "application/grpc", "text/plain; charset=gbk", "application/x-www-form-urlencoded"]),
    ) {
        let sent = Sent::new(content_type, body);
        let (document, _) = sent.read();
        for (index, segment) in document.segments().iter().enumerate() {
            let end = segment.text.char_indices().nth(3).map_or(segment.text.len(), |(at, _)| at);
            let span = Span::of(&segment.text, 0, end).expect("span");
            document.place(index, span);
            document.field(index, span);
            let _ = document.rewrite(&[Edit { segment: index, span, replacement: "[X]".to_owned() }]);
        }
    }

    #[test]
    fn what_is_not_redacted_stays_the_same(text in "[a-z]{0,8}", needle in "[0-9]{6}") {
        let before = serde_json::json!({ "a": text, "b": format!("{text}{needle}{text}\n") }).to_string();
        let redacted = Sent::new("application/json", before.clone()).redacted_body(&needle, "[N]");
        prop_assert_eq!(redacted, before.replace(&needle, "[N]"));
    }
}
