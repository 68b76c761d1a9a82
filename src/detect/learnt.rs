//! One text through what the company taught.

use super::{Detection, exact, fingerprint, scan::Origin};
use crate::{
    finding::{Confidence, Evidence, Finding, Label},
    knowledge::{
        Knowledge, code,
        passage::{CODE, TEXT},
        words,
        words::Word,
    },
};
use std::{ops::Range, sync::Arc};

/// What the reading needs again and again.
#[derive(Default)]
pub(super) struct Scratch {
    words: Vec<Word>,
    tokens: Vec<Word>,
    exact: exact::Scratch,
    fingerprint: fingerprint::Scratch,
    hits: Vec<Hit>,
}

/// Something of the company's own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) label: Label,
    pub(super) detector: Arc<str>,
    pub(super) confidence: f32,
}

/// Reads `text`, which is normalised, and adds what it finds to `out`.
pub(super) fn read(knowledge: &Knowledge, text: &str, origin: Origin<'_>, scratch: &mut Scratch, out: &mut Detection) {
    scratch.hits.clear();
    words::read(&knowledge.digester, text, &mut scratch.words);
    exact::find(knowledge, text, &scratch.words, &mut scratch.exact, &mut scratch.hits);
    let texts = knowledge.packs.iter().filter_map(|pack| Some((pack, pack.text.as_ref()?)));
    fingerprint::find(knowledge, TEXT, texts, text, &scratch.words, &mut scratch.fingerprint, &mut scratch.hits);
    if knowledge.packs.iter().any(|pack| pack.code.is_some()) && code::is_likely(text) {
        code::read(&knowledge.digester, text, &mut scratch.tokens);
        let codes = knowledge.packs.iter().filter_map(|pack| Some((pack, pack.code.as_ref()?)));
        fingerprint::find(knowledge, CODE, codes, text, &scratch.tokens, &mut scratch.fingerprint, &mut scratch.hits);
    }
    for Hit { range, label, detector, confidence } in scratch.hits.drain(..) {
        let Some(span) = (origin.place)(range) else { continue };
        let (evidence, confidence) = (Evidence::Exact, Confidence::new(confidence));
        out.findings.push(Finding { segment: origin.segment, span, label, detector, evidence, confidence });
    }
}
