//! One source of bytes to a report with lines and columns.

use crate::cli::reader::{Reader, Reading};
use anyhow::Context;
use bytes::Bytes;
use exeat::{
    budget::Budget,
    content::{self, Document},
    finding::{Carried, Evidence, Finding, Gap, Label},
    policy::{Action, Decision, Redaction, Whereabouts},
    redact::{self, DigestKey},
    text::Span,
};
use http::HeaderMap;
use std::{fs::File, io::Read, ops::Range, path::Path, sync::Arc};

/// Larger files are read in pieces that end at line ends.
const PIECE: usize = 32 << 20;
/// What unpacking one file may come to.
const UNPACKED: usize = 256 << 20;
/// Of a long excerpt, this many characters are shown.
const EXCERPT: usize = 40;

/// Where some bytes come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// As the user named it; with forward slashes.
    pub(super) path: String,
    /// The commit that added them.
    pub(super) commit: Option<String>,
    /// Lines of the source before them.
    pub(super) lines_before: usize,
    /// Bytes of the source before them.
    pub(super) bytes_before: usize,
}

impl Source {
    pub(super) fn named(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// What came of a source.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) source: Source,
    pub(super) hits: Vec<Hit>,
    pub(super) passed: Vec<Passed>,
    pub(super) gaps: Vec<Gap>,
}

/// A finding with its place.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) at: Region,
    pub(super) label: Label,
    pub(super) detector: Arc<str>,
    pub(super) evidence: Evidence,
    pub(super) confidence: f32,
    pub(super) action: Action,
    /// The policy rule that decided.
    pub(super) rule: Option<Arc<str>>,
    /// Masked, on one line.
    pub(super) excerpt: String,
    /// The words that carried it, weightiest first, unless they are themselves found: those would have to be masked.
    pub(super) carried: Vec<(String, f32)>,
    /// Tells this value from others in a baseline; too short to give it away.
    pub(super) digest: String,
}

/// What looked like a finding and is none.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) at: Region,
    pub(super) detector: Arc<str>,
    pub(super) reason: &'static str,
    pub(super) detail: Option<Arc<str>>,
    /// Masked, on one line.
    pub(super) excerpt: String,
}

/// A stretch of a source. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) bytes: Range<usize>,
    pub(super) start: (usize, usize),
    pub(super) end: (usize, usize),
}

/// Reads a file, piece by piece if it is large.
pub(super) fn file(reader: &Reader, path: &Path) -> anyhow::Result<Report> {
    let name = path.strip_prefix("./").unwrap_or(path).display().to_string().replace('\\', "/");
    let mut source = Source::named(name);
    let mut whole = Report { source: source.clone(), hits: Vec::new(), passed: Vec::new(), gaps: Vec::new() };
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut held = Vec::new();
    loop {
        let room = PIECE.saturating_sub(held.len()).max(1);
        let read = file
            .by_ref()
            .take(u64::try_from(room).unwrap_or(u64::MAX))
            .read_to_end(&mut held)
            .with_context(|| path.display().to_string())?;
        let last = read < room;
        let rest = match memchr::memrchr(b'\n', &held) {
            Some(newline) if !last => held.split_off(newline + 1),
            Some(_) | None => Vec::new(),
        };
        let (lines, length) = (memchr::memchr_iter(b'\n', &held).count(), held.len());
        let report = bytes(reader, &source, held);
        whole.hits.extend(report.hits);
        whole.passed.extend(report.passed);
        whole.gaps.extend(report.gaps);
        if last {
            return Ok(whole);
        }
        source.lines_before += lines;
        source.bytes_before += length;
        held = rest;
    }
}

/// Reads bytes: text as it stands, anything else through the decoders that the proxy uses.
pub(super) fn bytes(reader: &Reader, source: &Source, bytes: Vec<u8>) -> Report {
    match String::from_utf8(bytes) {
        Ok(text) => report(reader, source, &Document::plain(&text), text.as_bytes(), Vec::new()),
        Err(error) => {
            let bytes = Bytes::from(error.into_bytes());
            let (headers, mut gaps) = (HeaderMap::new(), Vec::new());
            let document = content::extract("/", &headers, &bytes, &mut Budget::new(UNPACKED, None), &mut gaps);
            report(reader, source, &document, &bytes, gaps)
        }
    }
}

/// Reads a text.
pub(super) fn text(reader: &Reader, source: &Source, text: &str) -> Report {
    report(reader, source, &Document::plain(text), text.as_bytes(), Vec::new())
}

fn report(reader: &Reader, source: &Source, document: &Document<'_>, bytes: &[u8], gaps: Vec<Gap>) -> Report {
    let Reading { findings, suppressed, carried, gap, verdict } = reader.read(document, Whereabouts::File(&source.path), &gaps);
    let mut lines = Lines::of(source, bytes);
    // Public on purpose: a baseline written here must be readable there. See `digest`.
    let key = DigestKey::new(*b"exeat baseline: not for secrets.");
    let word = |segment: usize, carried: &Carried| {
        let is_found =
            |finding: &Finding| finding.segment == segment && finding.evidence != Evidence::Model && finding.span.overlaps(carried.span);
        let is_shown = !findings.iter().any(is_found);
        is_shown.then(|| (one_line(document.text(segment, carried.span)), carried.share))
    };
    let hit = |(index, (finding, decision)): (usize, (&Finding, &Decision))| {
        let text = document.text(finding.segment, finding.span);
        Hit {
            at: lines.region(document, finding.segment, finding.span),
            label: finding.label.clone(),
            detector: Arc::clone(&finding.detector),
            evidence: finding.evidence,
            confidence: finding.confidence.value(),
            action: decision.action,
            rule: decision.rule.clone(),
            carried: carried.get(index).into_iter().flatten().filter_map(|carried| word(finding.segment, carried)).collect(),
            excerpt: one_line(&redact::replacement(&finding.label, text, Redaction::Mask, &key)),
            // 32 bits: many phone numbers share them, so the number cannot be read back out of a baseline.
            digest: key.digest(text).chars().take(8).collect(),
        }
    };
    let hits = findings.iter().zip(&verdict.decisions).enumerate().map(hit).collect();
    let passed = suppressed.into_iter().map(|passed| Passed {
        at: lines.region(document, passed.segment, passed.span),
        excerpt: one_line(&stars(document.text(passed.segment, passed.span))),
        detector: passed.detector,
        reason: passed.reason,
        detail: passed.detail,
    });
    let gaps = gaps.into_iter().chain(gap).collect();
    Report { source: source.clone(), hits, passed: passed.collect(), gaps }
}

fn stars(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT).collect();
    if text.chars().nth(EXCERPT).is_some() { line + "…" } else { line }
}

/// Line ends, found when first needed: most sources have no finding.
struct Lines<'a> {
    source: &'a Source,
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(source: &'a Source, bytes: &'a [u8]) -> Self {
        Self { source, bytes, starts: Vec::new() }
    }

    fn region(&mut self, document: &Document<'_>, segment: usize, span: Span) -> Region {
        let bytes = document.segments().get(segment).map_or(span.range(), |segment| segment.map.source(span));
        let (start, end) = (self.position(bytes.start), self.position(bytes.end));
        let before = self.source.bytes_before;
        Region { bytes: before + bytes.start..before + bytes.end, start, end }
    }

    fn position(&mut self, at: usize) -> (usize, usize) {
        if self.starts.is_empty() {
            self.starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', self.bytes).map(|newline| newline + 1)).collect();
        }
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.bytes.get(start..at.min(self.bytes.len())).unwrap_or_default();
        // Bytes that continue a UTF-8 character are no column of their own.
        let column = 1 + before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        (self.source.lines_before + line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::config::{Config, Overrides};

    fn reader() -> Reader {
        Reader::of(&Config::load(None, &Overrides::default()).expect("defaults")).expect("shipped rules")
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "first\n联系人 jane.roe@corp-mail.com,\n";
        let report = bytes(&reader(), &Source::named("a.txt"), text.as_bytes().to_vec());
        let [hit] = &report.hits[..] else { panic!("{:?}", report.hits) };
        assert_eq!((hit.at.start, hit.at.end), ((2, 5), (2, 27)));
        assert_eq!(text.get(hit.at.bytes.clone()), Some("jane.roe@corp-mail.com"));
        assert_eq!(hit.excerpt, "j***.***@c********.com");
    }

    #[test]
    fn a_long_secret_is_shown_masked_and_short() {
        let long = format!("{}\n{}", "x".repeat(30), "y".repeat(30));
        assert_eq!(one_line(&stars(&long)).chars().filter(|c| *c == '*').count(), 39);
        assert!(one_line(&stars(&long)).ends_with('…') && !one_line(&stars(&long)).contains('\n'));
    }

    #[test]
    fn places_in_a_later_piece_of_a_file_count_on() {
        let source = Source { lines_before: 10, bytes_before: 500, ..Source::named("a") };
        let report = text(&reader(), &source, "\njane.roe@corp-mail.com");
        assert_eq!(report.hits[0].at, Region { bytes: 501..523, start: (12, 1), end: (12, 23) });
    }
}
