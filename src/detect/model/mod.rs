//! The transformer: reads English and Chinese as a colleague would, and says which characters are people's names, addresses and other
//! free-form personal data, and what kind of business paper a passage is.
//!
//! ```text
//! Document -fields-> texts -windows-> windows -known?-> cache
//!                                        |
//!                                        +-vocabulary-> tokens -network-> logits -decode-> spans, passages
//! ```
//!
//! It reads after the rules, and what they found is masked, so that both agree. Only natural language is read, and of code the
//! beginning. What it does not come to read in time, or beyond the budget of tokens, is the gap `model_skipped`.

mod decode;
mod doubt;
mod explain;
mod fields;
mod file;
mod gist;
mod known;
mod labels;
mod lanes;
mod linear;
mod look;
mod meter;
mod network;
mod passages;
mod self_test;
mod shipped;
mod vocabulary;
mod windows;

pub use gist::Gist;
pub use labels::labels;
pub(super) use labels::name_of;
pub use meter::Readings;
use windows::may_hold_language;

use super::{Detection, overlap};
use crate::{
    budget::Budget,
    content::Document,
    finding::{Confidence, Evidence, Finding, Label},
    knowledge::Knowledge,
    text::Span,
};
use bytes::Bytes;
use fields::{Field, Stretch};
use file::{File, Heads};
use known::{Found, Known, Memory};
use lanes::Lanes;
use look::{Seen, Want, of_others};
use meter::Meter;
use network::Network;
use passages::Passage;
use std::{fmt, ops::Range, sync::Arc};
use vocabulary::Vocabulary;

/// The model, loaded and tested. It may be shared by any number of readers.
pub struct Model {
    network: Network,
    vocabulary: Vocabulary,
    heads: Heads,
    version: String,
    id: u64,
    /// Most tokens of a window without the two special ones.
    room: usize,
    lanes: Lanes,
    memory: Memory,
    detector: Arc<str>,
    meter: Meter,
}

/// Why a model is not loaded.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// Not GGUF, or cut short.
    #[error("the model file cannot be read; use one that models/training/train.py wrote")]
    Unreadable,
    /// A key of the metadata is missing or wrong.
    #[error("the model file's metadata lacks a proper {0}; use one that models/training/train.py wrote")]
    Metadata(&'static str),
    /// A tensor is missing, or of another shape or type.
    #[error("the model file's tensor {0} is missing or of another shape; use one that models/training/train.py wrote")]
    Tensor(String),
    /// The tokenizer is not the model's.
    #[error("the tokenizer cannot be read or is another model's; use the tokenizer.json that was written with the model")]
    Tokenizer,
    /// The network computes something else than it was trained to.
    #[error("the model fails its self-test: {0}; this processor computes it wrongly or the file is damaged. Set inspect.model = \"off\"")]
    SelfTest(String),
    /// No threads to be had.
    #[error("the operating system refuses the model its threads")]
    Threads,
}

impl Model {
    /// The model of these files, which runs `threads` batches at a time.
    ///
    /// # Errors
    /// [`ModelError`]: also if the self-test fails.
    pub fn load(weights: Bytes, tokenizer: &[u8], threads: usize) -> Result<Self, ModelError> {
        let id = blake3::hash(&weights).as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let file = File::open(weights)?;
        let network = Network::load(&file)?;
        let vocabulary = Vocabulary::load(tokenizer, file.shape.vocabulary)?;
        let model = Self {
            network,
            vocabulary,
            room: file.shape.positions - 2,
            lanes: Lanes::new(threads)?,
            memory: Memory::new(),
            detector: Arc::from("model"),
            meter: Meter::default(),
            version: file.version.clone(),
            id,
            heads: file.heads.clone(),
        };
        self_test::run(&model, &file.self_test)?;
        Ok(model)
    }

    /// The version of the weights.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What tells the weights from others: what was learnt from what one network makes of texts means nothing to another.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it has done so far, for metrics.
    pub fn readings(&self) -> Readings {
        self.meter.readings(self.lanes.waiting())
    }

    /// Reads a document in which the rules have found `detection`, and adds what it finds, and what the heads of `knowledge` say about it.
    pub fn read(&self, document: &Document<'_>, knowledge: Option<&Knowledge>, detection: &mut Detection, budget: &mut Budget) {
        if detection.gap.is_some() {
            return; // there is no time left
        }
        let others = of_others(&detection.findings);
        let may_read = budget.tokens_left() > 0;
        let heads = knowledge.filter(|knowledge| knowledge.heads_for(self.id).next().is_some());
        let want = if heads.is_some() { Want::Means } else { Want::Labels };
        let mut known = Vec::new();
        // Told apart one by one, as the look comes to them: it may not come far.
        let unknown = fields::stretches(document).into_iter().filter(|stretch| {
            let key = || self.memory.stretch(document, &others, stretch);
            // What the heads need is remembered of windows only.
            let read = if want == Want::Labels { self.memory.stretches.get(&key()) } else { None };
            known.extend(read.iter().map(|read| (stretch.clone(), Arc::clone(read))));
            read.is_none()
        });
        let look = self.look(document, &others, unknown, want, budget);
        let remembered: usize = known.iter().map(|(_, read)| read.windows).sum();
        for (index, field) in look.fields.iter().enumerate() {
            let read = Arc::new(self.found(document, field, look.windows(index)));
            if look.is_whole(index) {
                self.memory.stretches.insert(self.memory.stretch(document, &others, &field.stretch), Arc::clone(&read));
            }
            known.push((field.stretch.clone(), read));
        }
        // A look that may read nothing is counted only if that was enough: otherwise another follows.
        if may_read || look.gap.is_none() {
            self.meter.known(remembered + look.known);
        }
        if may_read && look.gap.is_some() {
            self.meter.skipped();
        }
        detection.gap = look.gap;
        let place = |stretch: &Stretch, found: &Found| {
            let text = &document.segments().get(stretch.segment)?.text;
            let span = Span::of(text, stretch.range.start + found.range.start, stretch.range.start + found.range.end)?;
            Some(self.finding(stretch.segment, span, &found.label, found.confidence))
        };
        let placed = |of: fn(&Known) -> &[Found]| -> Vec<Finding> {
            known.iter().flat_map(|(stretch, read)| of(read).iter().filter_map(|found| place(stretch, found))).collect()
        };
        let (mut found, mut whole) = (placed(|read| &read.spans), placed(|read| &read.passages));
        if let Some(knowledge) = heads {
            whole.extend(gist::classified(document, knowledge, self.id, gist::of(document, &look.fields, &look.seen)));
        }
        if found.is_empty() && whole.is_empty() {
            return;
        }
        detection.findings.append(&mut found);
        detection.findings = overlap::resolve(std::mem::take(&mut detection.findings));
        // A passage is no rival of what stands in it.
        detection.findings.append(&mut whole);
        detection.findings.sort_by_key(|finding| (finding.segment, finding.span));
    }

    /// How sure the model is at most that a passage of the document is business content of any kind: for evaluation, since findings
    /// are only what passes a threshold. `None` where there is no passage.
    pub fn surest_passage(&self, document: &Document<'_>, findings: &[Finding], budget: &mut Budget) -> Option<Confidence> {
        let look = self.look(document, &of_others(findings), fields::stretches(document).into_iter(), Want::Labels, budget);
        let passages = (0..look.fields.len()).flat_map(|index| passages::all(&self.heads, look.windows(index)));
        passages.map(|passage| passage.probability).max_by(f32::total_cmp).map(Confidence::new)
    }

    /// What the windows of a field say.
    fn found(&self, document: &Document<'_>, field: &Field, windows: &[Seen]) -> Known {
        let found = |range: Range<usize>, label: &Label, confidence: f32| {
            let span = field.place(document.segments().get(field.stretch.segment)?, range)?;
            let start = field.stretch.range.start;
            Some(Found { range: span.start().checked_sub(start)?..span.end() - start, label: label.clone(), confidence })
        };
        let spotted = windows.iter().flat_map(|seen| seen.read.iter().flat_map(|read| &read.spans).map(move |spotted| (seen, spotted)));
        let spans = spotted.filter_map(|(seen, spotted)| {
            let start = seen.window.range.start;
            let range = start + spotted.range.start..start + spotted.range.end;
            let label = self.heads.token_labels.get(spotted.label)?;
            let limit = doubt::limit(label, &field.text, &range).unwrap_or(1.0);
            found(range, label, spotted.confidence.min(limit))
        });
        let passages = passages::of(&self.heads, windows).into_iter();
        let passage = |Passage { range, label, probability }| {
            let limit = field.text.get(range.clone()).and_then(|text| doubt::limit_of_passage(&label, text)).unwrap_or(1.0);
            found(range, &label, probability.min(limit))
        };
        Known { windows: windows.len(), spans: spans.collect(), passages: passages.filter_map(passage).collect() }
    }

    fn finding(&self, segment: usize, span: Span, label: &Label, confidence: f32) -> Finding {
        let (label, detector) = (label.clone(), Arc::clone(&self.detector));
        Finding { segment, span, label, detector, evidence: Evidence::Model, confidence: Confidence::new(confidence) }
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
