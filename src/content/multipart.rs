//! Multipart bodies (RFC 2046, 5.1; `form-data` RFC 7578): where the parts are.

use super::{
    media_type::{MediaType, params},
    place::readable,
    transfer::Transfer,
};
use std::{borrow::Cow, ops::Range};

/// A multipart body, cut up. All ranges are byte offsets of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Multipart {
    /// What stands before the first boundary and after the last: no receiver reads it, but it goes out.
    pub(super) around: [Range<usize>; 2],
    pub(super) parts: Vec<Part>,
    pub(super) ending: Ending,
}

/// How a multipart body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the closing boundary.
    Closed,
    /// Without: it is cut, or malformed.
    #[default]
    Open,
}

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its header lines, without the empty line after them.
    pub(super) head: Range<usize>,
    /// Its content, without the line break before the boundary.
    pub(super) body: Range<usize>,
}

/// Cuts `bytes` at `boundary`; `None` if that does not occur. Bare line feeds are tolerated.
pub(super) fn split(bytes: &[u8], boundary: &str) -> Option<Multipart> {
    let delimiter = format!("--{boundary}");
    let mut multipart = Multipart::default();
    let mut start = None; // of the part that is open
    for at in memchr::memmem::find_iter(bytes, delimiter.as_bytes()) {
        let Some(line) = delimiter_line(bytes, at, delimiter.len()) else { continue };
        match start {
            Some(start) => multipart.parts.push(part(bytes, start..line.start, line.content_end)),
            None => multipart.around[0] = 0..line.content_end,
        }
        start = Some(line.end);
        if line.closing {
            multipart.around[1] = line.end..bytes.len();
            multipart.ending = Ending::Closed;
            return Some(multipart);
        }
    }
    multipart.parts.push(part(bytes, start?..bytes.len(), bytes.len()));
    Some(multipart)
}

/// A line that ends one part and begins the next. All are byte offsets.
pub(super) struct DelimiterLine {
    /// Where it begins.
    pub(super) start: usize,
    /// Where the content before it ends: the line break between belongs to the delimiter.
    pub(super) content_end: usize,
    pub(super) end: usize,
    pub(super) closing: bool,
}

/// The delimiter line at `at`, if it is one: alone on its line, up to white space.
pub(super) fn delimiter_line(bytes: &[u8], at: usize, len: usize) -> Option<DelimiterLine> {
    let before = bytes.get(..at)?;
    let content_end = match before {
        [] => 0,
        [.., b'\r', b'\n'] => at - 2,
        [.., b'\n'] => at - 1,
        _ => return None,
    };
    let rest = bytes.get(at + len..)?;
    let (closing, tail) = rest.strip_prefix(b"--").map_or((false, rest), |tail| (true, tail));
    let blank = tail.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line_break = match tail.get(blank..)? {
        [] => 0,
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        // What follows a closing delimiter on its line is epilogue.
        _ if closing => 0,
        _ => return None,
    };
    Some(DelimiterLine { start: at, content_end, end: at + len + (rest.len() - tail.len()) + blank + line_break, closing })
}

/// The part between two delimiter lines, of which the content ends at `end`. The empty line of one without content may be the
/// line break that belongs to the delimiter.
fn part(bytes: &[u8], between: Range<usize>, end: usize) -> Part {
    let (start, end) = (between.start, end.max(between.start));
    match head_end(bytes.get(between).unwrap_or_default()) {
        Some(HeadEnd { head, body }) => Part { head: start..start + head, body: start + body..end.max(start + body) },
        // No empty line: what should be a head may as well be content.
        None => Part { head: start..start, body: start..end },
    }
}

/// Where the header lines of a part end and its content begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadEnd {
    pub(super) head: usize,
    pub(super) body: usize,
}

/// The empty line in `bytes`, a part.
pub(super) fn head_end(bytes: &[u8]) -> Option<HeadEnd> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let line = rest.get(..=memchr::memchr(b'\n', rest)?)?;
        if line.trim_ascii().is_empty() {
            return Some(HeadEnd { head: at, body: at + line.len() });
        }
        at += line.len();
    }
}

/// The boundary of a body that looks like `multipart/form-data` without saying so, one that [`split`] finds.
pub(super) fn sniff(bytes: &[u8]) -> Option<&str> {
    let line = bytes.get(..bytes.len().min(200))?.strip_prefix(b"--")?;
    let end = memchr::memchr(b'\n', line)?;
    let head = line.get(end + 1..)?;
    let boundary = std::str::from_utf8(line.get(..end)?).ok()?.trim_end();
    // White space other than blanks is no part of a delimiter line (RFC 2046, 5.1.1): such a line would be looked for in vain.
    delimiter_line(bytes, 0, 2 + boundary.len())?;
    (!boundary.is_empty() && head.get(..8)?.eq_ignore_ascii_case(b"content-")).then_some(boundary)
}

/// What the header of a part says.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<MediaType>,
    pub(super) transfer: Option<Transfer>,
    /// What of it is text, byte offsets of the head: parameters and the values of unknown headers.
    pub(super) texts: Vec<Range<usize>>,
}

impl Head {
    /// What the part is called in places: its file, else its field, else its number, counted from 1.
    pub(super) fn label(&self, number: usize) -> String {
        let names = [self.file_name.as_deref(), self.name.as_deref()];
        names.into_iter().flatten().find_map(readable).map_or_else(|| number.to_string(), str::to_owned)
    }
}

/// Reads the header lines of a part.
pub(super) fn read_head(head: &str) -> Head {
    let mut read = Head::default();
    for (name, range) in fields(head) {
        let value = head.get(range.clone()).unwrap_or_default();
        let params = params(value);
        let shift = |inner: &Range<usize>| range.start + inner.start..range.start + inner.end;
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" => {
                for param in &params {
                    let text = || Some(param.text(value).into_owned());
                    match param.name.to_ascii_lowercase().as_str() {
                        "name" => read.name = text(),
                        "filename" | "filename*" => read.file_name = text(),
                        _ => {}
                    }
                    read.texts.push(shift(&param.value));
                }
            }
            "content-type" => {
                read.media_type = Some(MediaType::parse(value));
                let content = params.iter().filter(|param| !matches!(param.name.to_ascii_lowercase().as_str(), "boundary" | "charset"));
                read.texts.extend(content.map(|param| shift(&param.value)));
            }
            "content-transfer-encoding" => read.transfer = Some(Transfer::parse(value)),
            "content-length" | "mime-version" => {}
            _ => read.texts.push(range),
        }
    }
    read
}

/// Name and value's place of each header line, folded lines joined.
fn fields(head: &str) -> Vec<(Cow<'_, str>, Range<usize>)> {
    let mut fields: Vec<(Cow<'_, str>, Range<usize>)> = Vec::new();
    let mut at = 0;
    for line in head.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        match (line.starts_with([' ', '\t']), line.split_once(':')) {
            (true, _) if !fields.is_empty() => {
                if let Some((_, range)) = fields.last_mut() {
                    range.end = end.max(range.end);
                }
            }
            (_, Some((name, value))) => {
                let start = at + name.len() + 1 + (value.len() - value.trim_start().len());
                fields.push((name.trim().into(), start.min(end)..end));
            }
            // Not a header at all, but it goes out.
            (_, None) => fields.push(("".into(), at..end)),
        }
        at += line.len();
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts<'a>(body: &'a str, multipart: &Multipart) -> Vec<(&'a str, &'a str)> {
        multipart.parts.iter().map(|part| (&body[part.head.clone()], &body[part.body.clone()])).collect()
    }

    #[test]
    fn parts_preamble_and_epilogue_are_found() {
        let body = "pre\r\n--b\r\nA: 1\r\n\r\none\r\n--bx\r\n--b \r\n\r\ntwo\r\n--b--\r\nepi";
        let multipart = split(body.as_bytes(), "b").expect("multipart");
        assert_eq!(texts(body, &multipart), [("A: 1\r\n", "one\r\n--bx"), ("", "two")]);
        assert_eq!(multipart.around.clone().map(|range| &body[range]), ["pre", "epi"]);
        assert_eq!(multipart.ending, Ending::Closed);
    }

    #[test]
    fn bare_line_feeds_and_a_missing_end_are_tolerated() {
        let body = "--b\nA: 1\n\none\n--b\n\ntwo";
        let multipart = split(body.as_bytes(), "b").expect("multipart");
        assert_eq!(texts(body, &multipart), [("A: 1\n", "one"), ("", "two")]);
        assert_eq!(multipart.ending, Ending::Open);
        assert_eq!(split(b"no boundary", "b"), None);
    }

    #[test]
    fn a_part_without_an_empty_line_is_all_content() {
        let body = "--b\r\nsecret\r\n--b--";
        assert_eq!(texts(body, &split(body.as_bytes(), "b").expect("multipart")), [("", "secret")]);
    }

    #[test]
    fn every_text_in_a_head_is_named() {
        let head = "Content-Disposition: form-data; name=\"a\"; filename=\"b c\"\r\nContent-Type: text/csv;\r\n name=n; charset=gbk\r\nX-Note: hi\r\n";
        let read = read_head(head);
        assert_eq!((read.name.as_deref(), read.file_name.as_deref()), (Some("a"), Some("b c")));
        assert_eq!(read.media_type.as_ref().and_then(MediaType::charset), Some("gbk"));
        let texts: Vec<_> = read.texts.into_iter().map(|range| &head[range]).collect();
        assert_eq!(texts, ["a", "b c", "n", "hi"]);
    }

    #[test]
    fn form_data_is_recognised_without_its_type() {
        assert_eq!(sniff(b"------X\r\nContent-Disposition: form-data\r\n\r\n"), Some("----X"));
        assert_eq!(sniff(b"--X \t\r\nContent-Type: text/plain\r\n\r\n"), Some("X"));
        assert_eq!(sniff(b"-- a comment\nselect 1"), None);
        assert_eq!(sniff(b"--X\x0b\nContent-Type: text/plain\n\n"), None);
    }

    proptest! {
        #[test]
        fn what_is_recognised_is_found(body in "--[b \t\r\u{b}\u{85}\u{3000}-]{0,5}\nContent-Type: a/b\n\n") {
            if let Some(boundary) = sniff(body.as_bytes()) {
                prop_assert!(split(body.as_bytes(), boundary).is_some());
            }
        }

        #[test]
        fn nothing_panics_and_nothing_is_lost(body in "(--b|\r\n|\n|:|a|-| ){0,40}") {
            if let Some(multipart) = split(body.as_bytes(), "b") {
                let kept: usize = multipart.parts.iter().map(|part| part.head.len() + part.body.len()).sum();
                prop_assert!(kept <= body.len());
                for part in &multipart.parts {
                    read_head(&body[part.head.clone()]);
                }
            }
        }
    }
}
