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
mod explain;
mod fields;
mod file;
mod known;
mod labels;
mod lanes;
mod linear;
mod meter;
mod network;
mod passages;
mod self_test;
mod shipped;
mod vocabulary;
mod windows;

pub use labels::labels;
pub(super) use labels::name_of;
pub use meter::Readings;
use windows::may_hold_language;

use super::{Detection, overlap};
use crate::{
    budget::Budget,
    content::Document,
    finding::{Confidence, Evidence, Finding, Gap, Label},
    text::Span,
};
use bytes::Bytes;
use fields::{Field, Stretch};
use file::{File, Heads};
use known::{Found, Key, Known, Memory};
use lanes::Lanes;
use meter::Meter;
use network::Network;
use std::{borrow::Cow, fmt, ops::Range, sync::Arc, time::Instant};
use vocabulary::Vocabulary;
use windows::Window;

/// The model, loaded and tested. It may be shared by any number of readers.
pub struct Model {
    network: Network,
    vocabulary: Vocabulary,
    heads: Heads,
    version: String,
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

/// What the network said about a window, as far as it matters.
#[derive(Debug, Default, PartialEq)]
struct Read {
    spans: Vec<Spotted>,
    /// Before calibration, one for each sequence label.
    sequence: Vec<f32>,
}

/// A span of a window, in bytes of its text.
#[derive(Clone, Debug, PartialEq)]
struct Spotted {
    range: Range<usize>,
    label: usize,
    confidence: f32,
}

/// A window with what is known about it.
struct Seen {
    /// Index of its field.
    field: usize,
    window: Window,
    key: Key,
    read: Option<Arc<Read>>,
}

/// Some stretches of a document, as far as they were read.
#[derive(Default)]
struct Look {
    fields: Vec<Field>,
    /// In order of the fields.
    seen: Vec<Seen>,
    /// How many windows were known before.
    known: usize,
    /// Why some of them were not read.
    gap: Option<Gap>,
}

impl Look {
    /// The windows of field number `index`.
    fn windows(&self, index: usize) -> &[Seen] {
        let first = self.seen.partition_point(|seen| seen.field < index);
        self.seen.get(first..self.seen.partition_point(|seen| seen.field <= index)).unwrap_or_default()
    }

    /// Whether the field was read to its end.
    fn is_whole(&self, index: usize) -> bool {
        let may_be_cut = self.gap.is_some() && index + 1 == self.fields.len();
        !may_be_cut && self.windows(index).iter().all(|seen| seen.read.is_some())
    }
}

/// Tokens that are read at one time: few enough that a short message behind a long one need not wait long.
const BATCH: usize = 1024;
/// A window that turns out too long is read in pieces that share one in so many tokens.
const SHARED: usize = 5;

impl Model {
    /// The model of these files, which runs `threads` batches at a time.
    ///
    /// # Errors
    /// [`ModelError`]: also if the self-test fails.
    pub fn load(weights: Bytes, tokenizer: &[u8], threads: usize) -> Result<Self, ModelError> {
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
            heads: file.heads.clone(),
        };
        self_test::run(&model, &file.self_test)?;
        Ok(model)
    }

    /// The version of the weights.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it has done so far, for metrics.
    pub fn readings(&self) -> Readings {
        self.meter.readings(self.lanes.waiting())
    }

    /// Reads a document in which the rules have found `detection`, and adds what it finds.
    pub fn read(&self, document: &Document<'_>, detection: &mut Detection, budget: &mut Budget) {
        if detection.gap.is_some() {
            return; // there is no time left
        }
        let others = of_others(&detection.findings);
        let may_read = budget.tokens_left() > 0;
        let mut known = Vec::new();
        // Told apart one by one, as the look comes to them: it may not come far.
        let unknown = fields::stretches(document).into_iter().filter(|stretch| {
            let read = self.memory.stretches.get(&self.memory.stretch(document, &others, stretch));
            known.extend(read.iter().map(|read| (stretch.clone(), Arc::clone(read))));
            read.is_none()
        });
        let look = self.look(document, &others, unknown, budget);
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
        let look = self.look(document, &of_others(findings), fields::stretches(document).into_iter(), budget);
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
            let label = self.heads.token_labels.get(spotted.label)?;
            found(start + spotted.range.start..start + spotted.range.end, label, spotted.confidence)
        });
        let passages = passages::of(&self.heads, windows).into_iter();
        Known {
            windows: windows.len(),
            spans: spans.collect(),
            passages: passages.filter_map(|passage| found(passage.range, &passage.label, passage.probability)).collect(),
        }
    }

    /// The windows of some stretches, read as far as the budget allows.
    fn look(&self, document: &Document<'_>, findings: &[Finding], stretches: impl Iterator<Item = Stretch>, budget: &mut Budget) -> Look {
        let mut look = Look::default();
        let (mut unread, mut weight) = (0, 0);
        'fields: for field in stretches.filter_map(|stretch| fields::prepare(document, findings, &stretch)) {
            let windows = windows::windows(&field.text);
            let key = |window: &Window| self.memory.window(field.text.get(window.range.clone()).unwrap_or_default());
            let keyed: Vec<_> = windows.into_iter().map(|window| (key(&window), window)).collect();
            let index = look.fields.len();
            look.fields.push(field);
            for (key, window) in keyed {
                let read = self.memory.windows.get(&key);
                match &read {
                    Some(_) => look.known += 1,
                    None if budget.take_tokens(window.weight).is_err() => {
                        look.gap = Some(Gap::ModelSkipped);
                        break 'fields;
                    }
                    None => weight += window.weight,
                }
                look.seen.push(Seen { field: index, window, key, read });
                if weight >= BATCH {
                    look.gap = self.fill(&look.fields, look.seen.get_mut(unread..).unwrap_or_default(), budget).err();
                    (unread, weight) = (look.seen.len(), 0);
                    if look.gap.is_some() {
                        break 'fields;
                    }
                }
            }
        }
        let rest = self.fill(&look.fields, look.seen.get_mut(unread..).unwrap_or_default(), budget).err();
        look.gap = look.gap.or(rest);
        look
    }

    /// Reads those of some windows that are not known yet.
    fn fill(&self, fields: &[Field], seen: &mut [Seen], budget: &Budget) -> Result<(), Gap> {
        let unknown: Vec<&mut Seen> = seen.iter_mut().filter(|seen| seen.read.is_none()).collect();
        let text = |seen: &Seen| fields.get(seen.field).and_then(|field| field.text.get(seen.window.range.clone())).unwrap_or_default();
        let texts: Vec<&str> = unknown.iter().map(|seen| text(seen)).collect();
        let reads = self.read_texts(&texts, budget.deadline())?;
        for (seen, read) in unknown.into_iter().zip(reads) {
            let read = Arc::new(read);
            self.memory.windows.insert(seen.key, Arc::clone(&read));
            seen.read = Some(read);
        }
        Ok(())
    }

    /// Reads texts of a window each.
    fn read_texts(&self, texts: &[&str], deadline: Option<Instant>) -> Result<Vec<Read>, Gap> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let tokens: Vec<_> = texts.iter().map(|text| self.vocabulary.tokens(text)).collect();
        let pieces: Vec<(usize, Range<usize>)> =
            tokens.iter().enumerate().flat_map(|(index, tokens)| self.pieces(tokens.ids.len()).map(move |piece| (index, piece))).collect();
        let ids = |(index, piece): &(usize, Range<usize>)| tokens.get(*index).and_then(|tokens| tokens.ids.get(piece.clone()));
        let framed: Vec<_> = pieces.iter().map(|piece| self.vocabulary.framed(ids(piece).unwrap_or_default())).collect();
        let mut reads: Vec<Read> = texts.iter().map(|_| Read::default()).collect();
        let mut counts = vec![0.0_f32; texts.len()];
        let (mut pieces, mut framed) = (pieces.as_slice(), framed.as_slice());
        while !framed.is_empty() {
            let (count, total) = batch(framed);
            let (now, later) = framed.split_at_checked(count).unwrap_or((framed, &[]));
            let (now_pieces, later_pieces) = pieces.split_at_checked(count).unwrap_or((pieces, &[]));
            let windows: Vec<&[u32]> = now.iter().map(Vec::as_slice).collect();
            let timed = self.lanes.run(deadline, || {
                let begun = Instant::now();
                (self.network.read(&windows), begun.elapsed())
            });
            let (logits, took) = timed.ok_or(Gap::ModelSkipped)?;
            self.meter.read(count, total, took);
            for ((index, piece), logits) in now_pieces.iter().zip(&logits) {
                let (Some(read), Some(tokens), Some(count)) = (reads.get_mut(*index), tokens.get(*index), counts.get_mut(*index)) else {
                    continue;
                };
                let places = tokens.places.get(piece.clone()).unwrap_or_default();
                let text = texts.get(*index).copied().unwrap_or_default();
                passages::add_spans(&self.heads, text, places, logits, &mut read.spans);
                *count += 1.0;
                mix(&mut read.sequence, &logits.sequence, *count);
            }
            (framed, pieces) = (later, later_pieces);
        }
        Ok(reads)
    }

    /// Cuts so many tokens into pieces that fit the network.
    fn pieces(&self, tokens: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let room = self.room;
        let step = (room - room / SHARED).max(1);
        let count = if tokens <= room { 1 } else { 1 + (tokens - room).div_ceil(step) };
        (0..count).map(move |number| number * step..(number * step + room).min(tokens))
    }

    fn finding(&self, segment: usize, span: Span, label: &Label, confidence: f32) -> Finding {
        let (label, detector) = (label.clone(), Arc::clone(&self.detector));
        Finding { segment, span, label, detector, evidence: Evidence::Model, confidence: Confidence::new(confidence) }
    }
}

/// Findings but the model's own, which hide nothing from it if it has read the document before.
fn of_others(findings: &[Finding]) -> Cow<'_, [Finding]> {
    let is_own = |finding: &Finding| finding.evidence == Evidence::Model;
    if findings.iter().any(is_own) { findings.iter().filter(|finding| !is_own(finding)).cloned().collect() } else { findings.into() }
}

/// How many of `windows` are a batch, and their tokens.
fn batch(windows: &[Vec<u32>]) -> (usize, usize) {
    let mut total = 0;
    for (count, window) in windows.iter().enumerate() {
        if count > 0 && total + window.len() > BATCH {
            return (count, total);
        }
        total += window.len();
    }
    (windows.len(), total)
}

/// Makes `mean`, of `count` - 1 rows so far, the mean of one row more.
fn mix(mean: &mut Vec<f32>, row: &[f32], count: f32) {
    if mean.is_empty() {
        mean.extend_from_slice(row);
    } else {
        mean.iter_mut().zip(row).for_each(|(mean, number)| *mean += (number - *mean) / count);
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
