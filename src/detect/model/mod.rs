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
mod gist;
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

pub use gist::Gist;
pub use labels::labels;
pub(super) use labels::name_of;
pub use meter::Readings;
use windows::may_hold_language;

use super::{Detection, overlap};
use crate::{
    budget::Budget,
    content::Document,
    finding::{Confidence, Evidence, Finding, Gap, Label},
    knowledge::Knowledge,
};
use bytes::Bytes;
use fields::Field;
use file::{File, Heads};
use half::f16;
use lanes::Lanes;
use meter::Meter;
use network::Network;
use quick_cache::sync::Cache;
use std::{fmt, hash::BuildHasher, ops::Range, sync::Arc, time::Instant};
use vocabulary::Vocabulary;
use windows::Window;

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
    known: Cache<[u8; 16], Arc<Read>>,
    /// Of the digests that windows are known by.
    key: [u8; 32],
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
    /// The mean of the hidden states; empty unless it was [wanted](Want).
    mean: Vec<f16>,
}

/// What is to be known about windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// What the model's own heads say.
    Labels,
    /// And the hidden states' mean, for what the company taught.
    Means,
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
    key: [u8; 16],
    read: Option<Arc<Read>>,
}

/// Tokens that are read at one time: few enough that a short message behind a long one need not wait long.
const BATCH: usize = 1024;
/// A window that turns out too long is read in pieces that share one in so many tokens.
const SHARED: usize = 5;
/// Windows remembered: a hundred bytes each, their findings, and 768 bytes more where a pack has a head.
const REMEMBERED: usize = 100_000;

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
        let secret = std::hash::RandomState::new();
        let secret: Vec<u8> = (0..4).flat_map(|number| secret.hash_one(number).to_le_bytes()).collect();
        let model = Self {
            network,
            vocabulary,
            room: file.shape.positions - 2,
            lanes: Lanes::new(threads)?,
            known: Cache::new(REMEMBERED),
            key: blake3::derive_key("exeat 2026 model windows", &secret),
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
        let heads = knowledge.filter(|knowledge| knowledge.heads_for(self.id).next().is_some());
        let want = if heads.is_some() { Want::Means } else { Want::Labels };
        let (fields, seen, gap) = self.look(document, &detection.findings, want, budget);
        detection.gap = gap;
        let mut found = Vec::new();
        let mut whole = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let first = seen.partition_point(|seen| seen.field < index);
            let last = seen.partition_point(|seen| seen.field <= index);
            let own = seen.get(first..last).unwrap_or_default();
            let Some(segment) = document.segments().get(field.segment) else { continue };
            let add = |to: &mut Vec<Finding>, range: Range<usize>, label: &Label, confidence: f32| {
                to.extend(field.place(segment, range).map(|span| self.finding(field.segment, span, label, confidence)));
            };
            for seen in own {
                for spotted in seen.read.iter().flat_map(|read| &read.spans) {
                    let Some(label) = self.heads.token_labels.get(spotted.label) else { continue };
                    let start = seen.window.range.start;
                    add(&mut found, start + spotted.range.start..start + spotted.range.end, label, spotted.confidence);
                }
            }
            for passage in passages::of(&self.heads, own) {
                add(&mut whole, passage.range, &passage.label, passage.probability);
            }
        }
        if let Some(knowledge) = heads {
            whole.extend(gist::topics(knowledge, self.id, gist::of(document, &fields, &seen)));
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
        let (fields, seen, _) = self.look(document, findings, Want::Labels, budget);
        let own = |index: usize| {
            let first = seen.partition_point(|seen| seen.field < index);
            seen.get(first..seen.partition_point(|seen| seen.field <= index)).unwrap_or_default()
        };
        let passages = (0..fields.len()).flat_map(|index| passages::all(&self.heads, own(index)));
        passages.map(|passage| passage.probability).max_by(f32::total_cmp).map(Confidence::new)
    }

    /// The windows of a document, read; and the gap, if some were not.
    fn look(&self, document: &Document<'_>, findings: &[Finding], want: Want, budget: &mut Budget) -> (Vec<Field>, Vec<Seen>, Option<Gap>) {
        let (mut fields, mut seen) = (Vec::new(), Vec::new());
        let (mut unread, mut weight) = (0, 0);
        let mut gap = None;
        let may_read = budget.tokens_left() > 0;
        // Its own findings, if it has read the document before, hide nothing.
        let findings: Vec<Finding> = findings.iter().filter(|finding| finding.evidence != Evidence::Model).cloned().collect();
        'fields: for (segment, range) in fields::stretches(document) {
            let Some(field) = fields::prepare(document, &findings, segment, range) else { continue };
            let windows = windows::windows(&field.text);
            if windows.is_empty() {
                continue;
            }
            let index = fields.len();
            let digest = |window: &Window| self.digest(field.text.get(window.range.clone()).unwrap_or_default());
            let keyed: Vec<_> = windows.into_iter().map(|window| (digest(&window), window)).collect();
            fields.push(field);
            for (key, window) in keyed {
                let read = self.known.get(&key).filter(|read| want == Want::Labels || !read.mean.is_empty());
                match &read {
                    Some(_) => self.meter.known(),
                    None if budget.take_tokens(window.weight).is_err() => {
                        gap = Some(Gap::ModelSkipped);
                        break 'fields;
                    }
                    None => weight += window.weight,
                }
                seen.push(Seen { field: index, window, key, read });
                if weight >= BATCH {
                    gap = self.fill(&fields, seen.get_mut(unread..).unwrap_or_default(), want, budget).err();
                    (unread, weight) = (seen.len(), 0);
                    if gap.is_some() {
                        break 'fields;
                    }
                }
            }
        }
        let rest = self.fill(&fields, seen.get_mut(unread..).unwrap_or_default(), want, budget).err();
        gap = gap.or(rest);
        if gap.is_some() && may_read {
            self.meter.skipped();
        }
        (fields, seen, gap)
    }

    /// Reads those of some windows that are not known yet.
    fn fill(&self, fields: &[Field], seen: &mut [Seen], want: Want, budget: &Budget) -> Result<(), Gap> {
        let unknown: Vec<&mut Seen> = seen.iter_mut().filter(|seen| seen.read.is_none()).collect();
        let text = |seen: &Seen| fields.get(seen.field).and_then(|field| field.text.get(seen.window.range.clone())).unwrap_or_default();
        let texts: Vec<&str> = unknown.iter().map(|seen| text(seen)).collect();
        let reads = self.read_texts(&texts, want, budget.deadline())?;
        for (seen, read) in unknown.into_iter().zip(reads) {
            let read = Arc::new(read);
            self.known.insert(seen.key, Arc::clone(&read));
            seen.read = Some(read);
        }
        Ok(())
    }

    /// Reads texts of a window each.
    fn read_texts(&self, texts: &[&str], want: Want, deadline: Option<Instant>) -> Result<Vec<Read>, Gap> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let tokens: Vec<_> = texts.iter().map(|text| self.vocabulary.tokens(text)).collect();
        let pieces: Vec<(usize, Range<usize>)> =
            tokens.iter().enumerate().flat_map(|(index, tokens)| self.pieces(tokens.ids.len()).map(move |piece| (index, piece))).collect();
        let ids = |(index, piece): &(usize, Range<usize>)| tokens.get(*index).and_then(|tokens| tokens.ids.get(piece.clone()));
        let framed: Vec<_> = pieces.iter().map(|piece| self.vocabulary.framed(ids(piece).unwrap_or_default())).collect();
        let mut reads: Vec<Read> = texts.iter().map(|_| Read::default()).collect();
        let mut means: Vec<Vec<f32>> = texts.iter().map(|_| Vec::new()).collect();
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
                means.get_mut(*index).into_iter().for_each(|mean| mix(mean, &logits.mean, *count));
            }
            (framed, pieces) = (later, later_pieces);
        }
        if want == Want::Means {
            reads.iter_mut().zip(means).for_each(|(read, mean)| read.mean = mean.into_iter().map(f16::from_f32).collect());
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

    fn finding(&self, segment: usize, span: crate::text::Span, label: &Label, confidence: f32) -> Finding {
        let (label, detector) = (label.clone(), Arc::clone(&self.detector));
        Finding { segment, span, label, detector, evidence: Evidence::Model, confidence: Confidence::new(confidence) }
    }

    /// What a window is known by.
    fn digest(&self, text: &str) -> [u8; 16] {
        let digest = blake3::keyed_hash(&self.key, text.as_bytes());
        digest.as_bytes().first_chunk().copied().unwrap_or_default()
    }
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
