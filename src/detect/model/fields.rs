//! A document to texts as the model reads them: field by field, with what rules found and what is no language masked out, look-alikes
//! resolved, and the way back to the document's own bytes.

use crate::{
    content::Document,
    detect::normalise::{Normalised, normalise},
    finding::{Finding, Label},
    text::{OffsetMap, Place, Segment, Span, Syntax},
};
use std::ops::Range;

/// A text prepared for the model.
#[derive(Debug)]
pub(super) struct Field {
    /// Where it comes from.
    pub(super) stretch: Stretch,
    pub(super) text: String,
    /// From the text to the segment's.
    map: OffsetMap,
}

/// What stands in the text where something is masked; the vocabulary has a token for it.
pub(super) const MASK: &str = "<mask>";
/// A word of letters and digits longer than this is an identifier or a code.
const LONGEST_WORD: usize = 48;
/// Strings of a JSON document from this length on are read by themselves; shorter ones with the keys beside them.
const LONG_STRING: usize = 60;
/// Longer fields are prepared in pieces that end at a line's end, so that memory stays bounded.
const PIECE: usize = 64 << 10;

impl Field {
    /// Where `range` of the text stands in `segment`'s; `None` if it is nothing there.
    pub(super) fn place(&self, segment: &Segment<'_>, range: Range<usize>) -> Option<Span> {
        let source = self.map.source(Span::of(&self.text, range.start, range.end)?);
        Span::of(&segment.text, source.start, source.end)
    }
}

/// Text that is read by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Index of the document's segment.
    pub(super) segment: usize,
    /// Of the segment's text.
    pub(super) range: Range<usize>,
}

/// The stretches of the document, in order.
pub(super) fn stretches(document: &Document<'_>) -> Vec<Stretch> {
    let mut all = Vec::new();
    for (index, segment) in document.segments().iter().enumerate() {
        if matches!(segment.place, Place::Header(_)) || segment.syntax == Syntax::Raw || !super::may_hold_language(segment.text.as_bytes())
        {
            continue;
        }
        let mut push = |range: Range<usize>| pieces(&segment.text, range, |range| all.push(Stretch { segment: index, range }));
        match segment.syntax {
            Syntax::Plain | Syntax::Xml | Syntax::Raw => push(0..segment.text.len()),
            Syntax::UrlEncoded => {
                // Values, and the path of a URL.
                let mut start = 0;
                for parameter in segment.text.split_inclusive(['&', '?']) {
                    let value = parameter.find('=').map_or(0, |equals| equals + 1);
                    push(start + value..start + parameter.len());
                    start += parameter.len();
                }
            }
            Syntax::Json => {
                let mut start = 0;
                for string in document.strings(index) {
                    if string.len() >= LONG_STRING && string.start >= start {
                        push(start..string.start);
                        start = string.end;
                        push(string);
                    }
                }
                push(start..segment.text.len());
            }
        }
    }
    all
}

/// Cuts a range of `text` into pieces of bounded size.
fn pieces(text: &str, range: Range<usize>, mut piece: impl FnMut(Range<usize>)) {
    let mut start = range.start;
    while start < range.end {
        let mut end = (start + PIECE).min(range.end);
        if end < range.end {
            end = text.floor_char_boundary(end).max(start + 1);
            let line = text.get(start..end).and_then(|piece| piece.rfind('\n')).map(|at| start + at + 1);
            end = line.filter(|line| *line > start).unwrap_or(end);
        }
        piece(start..end);
        start = end;
    }
}

/// The parts of a stretch in which `findings`, in order, leave nothing for the model to think of.
pub(super) fn masked(findings: &[Finding], stretch: &Stretch) -> impl Iterator<Item = Range<usize>> {
    let Stretch { segment, range } = stretch.clone();
    let first = findings.partition_point(|finding| (finding.segment, finding.span.end()) <= (segment, range.start));
    let (found, end) = (findings.iter().skip(first), range.end);
    found
        .take_while(move |finding| finding.segment == segment && finding.span.start() < end)
        .filter(|finding| is_masked(&finding.label))
        .map(move |finding| finding.span.start().max(range.start)..finding.span.end().min(range.end))
}

/// Prepares a stretch of the document.
pub(super) fn prepare(document: &Document<'_>, findings: &[Finding], stretch: &Stretch) -> Option<Field> {
    let (source, range) = (document.segments().get(stretch.segment)?, stretch.range.clone());
    let mut writer = Writer { text: String::with_capacity(range.len()), map: OffsetMap::starting_at(range.start) };
    let mut at = range.start;
    for mask in masked(findings, stretch) {
        let (start, end) = (mask.start.max(at), mask.end.max(at));
        writer.plain(source.text.get(at..start)?, source.syntax);
        writer.replace(MASK, end - start);
        at = end;
    }
    writer.plain(source.text.get(at..range.end)?, source.syntax);
    let Writer { text, map } = writer;
    let stretch = stretch.clone();
    Some(match normalise(&text) {
        None => Field { stretch, text, map },
        Some(Normalised { text, map: outer }) => Field { stretch, text, map: outer.through(&map) },
    })
}

/// Whether a finding is a structured value, of which the model is not to think. Names and addresses it reads itself, and in their light
/// the rest.
fn is_masked(label: &Label) -> bool {
    const READ: [&str; 8] =
        ["personal.name", "personal.address", "personal.birth_date", "personal.handle", "personal.job_title", "org", "health", "business"];
    !READ.iter().any(|prefix| label.is_under(prefix))
}

struct Writer {
    text: String,
    map: OffsetMap,
}

impl Writer {
    fn replace(&mut self, by: &str, source: usize) {
        self.text.push_str(by);
        self.map.replaced(by.len(), source);
    }

    fn copy(&mut self, text: &str) {
        self.text.push_str(text);
        self.map.copied(text.len());
    }

    /// Writes text, without links, codes, tags and what the vocabulary would take for a token of its own.
    fn plain(&mut self, text: &str, syntax: Syntax) {
        let bytes = text.as_bytes();
        let (mut done, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            let (len, by) = match byte {
                b'<' => (tag_len(text.get(at..).unwrap_or_default(), syntax), " "),
                _ if is_word(byte) => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let len = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
                    let word = text.get(at..at + len).unwrap_or_default();
                    let is_code = len > LONGEST_WORD
                        || word.contains("://")
                        || word.starts_with("www.")
                        || (syntax == Syntax::Json && is_joined(word) && is_whole_value(bytes, at, at + len));
                    if !is_code {
                        at += len;
                        continue;
                    }
                    (len, MASK)
                }
                _ => (0, ""),
            };
            if len == 0 {
                at += 1;
                continue;
            }
            self.copy(text.get(done..at).unwrap_or_default());
            self.replace(by, len);
            at += len;
            done = at;
        }
        self.copy(text.get(done..).unwrap_or_default());
    }
}

/// Whether a word is letters with something else among them, such as `chat-large` or `gpt4`.
fn is_joined(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_alphabetic()) && !word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether all of a JSON string that is no key stands from `start` to `end`: a joined word alone is a value that programs agreed on,
/// such as the name of a model.
fn is_whole_value(json: &[u8], start: usize, end: usize) -> bool {
    let is_string = start.checked_sub(1).and_then(|before| json.get(before)) == Some(&b'"') && json.get(end) == Some(&b'"');
    let behind = || json.get(end + 1..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace());
    is_string && behind() != Some(&b':')
}

/// What links, identifiers and base64 are made of.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/=.~%&?#:@$!*".contains(&byte)
}

/// The length of the tag that `text` begins with; 0 if that is none.
fn tag_len(text: &str, syntax: Syntax) -> usize {
    const LONGEST_TAG: usize = 1000;
    if let Some(special) = ["<s>", "</s>", "<pad>", "<unk>", MASK].iter().find(|special| text.starts_with(**special)) {
        return special.len();
    }
    match syntax {
        Syntax::Xml => text.bytes().take(LONGEST_TAG).position(|byte| byte == b'>').map_or(0, |end| end + 1),
        Syntax::Plain | Syntax::Json | Syntax::UrlEncoded | Syntax::Raw => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Evidence};

    fn prepared(text: &str, findings: &[Finding]) -> Field {
        prepare(&Document::plain(text), findings, &Stretch { segment: 0, range: 0..text.len() }).expect("a field")
    }

    #[test]
    fn what_rules_found_is_masked_and_leads_back() {
        let text = "致电１３９ ok 13902468135 给张伟 https://a.example/x?y=1 和 </s> 完";
        let start = text.find("13902").expect("number");
        let span = Span::of(text, start, start + 11).expect("span");
        let (label, detector) = (Label::parse("personal.phone").expect("label"), "x".into());
        let finding = Finding { segment: 0, span, label, detector, evidence: Evidence::Context, confidence: Confidence::new(0.9) };
        let field = prepared(text, &[finding]);
        assert_eq!(field.text, "致电139 ok <mask> 给张伟 <mask> 和   完");
        let at = field.text.find("张伟").expect("name");
        let document = Document::plain(text);
        let place = field.place(&document.segments()[0], at..at + 6).expect("place");
        assert_eq!(place.slice(text), "张伟");
        let digits = field.text.find("139").expect("digits");
        assert_eq!(field.place(&document.segments()[0], digits..digits + 3).expect("place").slice(text), "１３９");
    }

    #[test]
    fn names_that_programs_agreed_on_are_no_language() {
        let headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
        let body = bytes::Bytes::from(r#"{"model":"chat-large-4","to":"Ada Lovelace","from":"张伟","first": "Ada","url-key":"x"}"#);
        let document = crate::content::extract("/", &headers, &body, &mut crate::budget::Budget::new(1 << 20, None), &mut Vec::new());
        let segment = document.segments().iter().position(|segment| segment.syntax == Syntax::Json).expect("a body");
        let stretch = Stretch { segment, range: 0..document.segments()[segment].text.len() };
        let text = prepare(&document, &[], &stretch).expect("a field").text;
        assert_eq!(text, r#"{"model":"<mask>","to":"Ada Lovelace","from":"张伟","first": "Ada","url-key":"x"}"#);
    }

    #[test]
    fn a_long_message_in_json_is_read_by_itself() {
        let body = format!(
            "{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}],\"n\":1}}",
            "say \\\"hi\\\" to Ana. ".repeat(6)
        );
        let headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
        let bytes = bytes::Bytes::from(body);
        let mut budget = crate::budget::Budget::new(1 << 20, None);
        let document = crate::content::extract("/chat", &headers, &bytes, &mut budget, &mut Vec::new());
        let texts: Vec<_> =
            stretches(&document).into_iter().map(|stretch| &document.segments()[stretch.segment].text[stretch.range]).collect();
        assert!(texts.iter().any(|text| text.starts_with("say \"hi\" to Ana. say") && text.ends_with("Ana. ")), "{texts:?}");
    }
}
