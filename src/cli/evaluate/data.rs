//! Labelled records of three kinds, one a line, gzipped or not.

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// A text with what is known about it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) gold: Gold,
}

/// What is known about a text.
#[derive(Debug)]
pub(super) enum Gold {
    /// What stands where.
    Spans(Vec<Span>),
    /// Whether there is a secret in it.
    Secret { is_secret: bool, kind: String },
    /// What it is as a whole.
    Class { label: String, category: String },
}

/// A labelled stretch, in bytes.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: String,
}

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    text: String,
    spans: Option<Vec<LineSpan>>,
    label: Option<String>,
    kind: Option<String>,
    category: Option<String>,
}

/// In code points.
#[derive(Deserialize)]
struct LineSpan {
    start: usize,
    end: usize,
    label: String,
}

/// The records of a file.
pub(super) fn read(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Record>> + Send + use<>> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| name.clone())?;
    let bytes: Box<dyn Read + Send> =
        if path.extension().is_some_and(|extension| extension == "gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let lines = BufReader::new(bytes).split(b'\n').enumerate();
    Ok(lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty())).map(move |(index, line)| {
        let place = || format!("{name}:{}", index + 1);
        parse(&line.with_context(place)?).with_context(place)
    }))
}

/// Reads one line.
pub(super) fn parse(line: &[u8]) -> anyhow::Result<Record> {
    let Line { id, text, spans, label, kind, category } = serde_json::from_slice(line)?;
    let gold = match (spans, label) {
        (Some(spans), _) => Gold::Spans(in_bytes(&text, spans)?),
        (None, Some(label)) => match (category, kind) {
            (Some(category), _) => Gold::Class { label, category },
            (None, Some(kind)) => Gold::Secret { is_secret: label == "secret", kind },
            (None, None) => bail!("the record has a label, but neither \"category\" nor \"kind\""),
        },
        (None, None) => bail!("the record has neither \"spans\" nor \"label\""),
    };
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    Ok(Record { id, text, gold })
}

fn in_bytes(text: &str, spans: Vec<LineSpan>) -> anyhow::Result<Vec<Span>> {
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let at = |point: usize| bytes.get(point).copied().with_context(|| format!("a span ends beyond the text, at {point}"));
    spans.into_iter().map(|span| Ok(Span { start: at(span.start)?, end: at(span.end)?, label: span.label })).collect()
}
