//! A look at a document: its stretches cut to windows, those that are not known given to the network, as far as the budget goes.

use super::{
    Model,
    fields::{self, Field, Stretch},
    known::Key,
    passages,
    windows::{self, Window},
};
use crate::{
    budget::Budget,
    content::Document,
    finding::{Evidence, Finding, Gap},
};
use half::f16;
use std::{borrow::Cow, ops::Range, sync::Arc, time::Instant};

/// What the network said about a window, as far as it matters.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    pub(super) spans: Vec<Spotted>,
    /// Before calibration, one for each sequence label.
    pub(super) sequence: Vec<f32>,
    /// The mean of the hidden states; empty unless it was [wanted](Want).
    pub(super) mean: Vec<f16>,
}

/// What is to be known about windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// What the model's own heads say.
    Labels,
    /// And the hidden states' mean, for what the company taught.
    Means,
}

/// A span of a window, in bytes of its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spotted {
    pub(super) range: Range<usize>,
    pub(super) label: usize,
    pub(super) confidence: f32,
}

/// A window with what is known about it.
pub(super) struct Seen {
    /// Index of its field.
    pub(super) field: usize,
    pub(super) window: Window,
    pub(super) key: Key,
    pub(super) read: Option<Arc<Read>>,
}

/// Some stretches of a document, as far as they were read.
#[derive(Default)]
pub(super) struct Look {
    pub(super) fields: Vec<Field>,
    /// In order of the fields.
    pub(super) seen: Vec<Seen>,
    /// How many windows were known before.
    pub(super) known: usize,
    /// Why some of them were not read.
    pub(super) gap: Option<Gap>,
}

impl Look {
    /// The windows of field number `index`.
    pub(super) fn windows(&self, index: usize) -> &[Seen] {
        let first = self.seen.partition_point(|seen| seen.field < index);
        self.seen.get(first..self.seen.partition_point(|seen| seen.field <= index)).unwrap_or_default()
    }

    /// Whether the field was read to its end.
    pub(super) fn is_whole(&self, index: usize) -> bool {
        let may_be_cut = self.gap.is_some() && index + 1 == self.fields.len();
        !may_be_cut && self.windows(index).iter().all(|seen| seen.read.is_some())
    }
}

/// Tokens that are read at one time: few enough that a short message behind a long one need not wait long.
const BATCH: usize = 1024;
/// A window that turns out too long is read in pieces that share one in so many tokens.
const SHARED: usize = 5;

impl Model {
    /// The windows of some stretches, read as far as the budget allows.
    pub(super) fn look(
        &self,
        document: &Document<'_>,
        findings: &[Finding],
        stretches: impl Iterator<Item = Stretch>,
        want: Want,
        budget: &mut Budget,
    ) -> Look {
        let mut look = Look::default();
        let (mut unread, mut weight) = (0, 0);
        'fields: for field in stretches.filter_map(|stretch| fields::prepare(document, findings, &stretch)) {
            let windows = windows::windows(&field.text);
            let key = |window: &Window| self.memory.window(field.text.get(window.range.clone()).unwrap_or_default());
            let keyed: Vec<_> = windows.into_iter().map(|window| (key(&window), window)).collect();
            let index = look.fields.len();
            look.fields.push(field);
            for (key, window) in keyed {
                let read = self.memory.windows.get(&key).filter(|read| want == Want::Labels || !read.mean.is_empty());
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
                    look.gap = self.fill(&look.fields, look.seen.get_mut(unread..).unwrap_or_default(), want, budget).err();
                    (unread, weight) = (look.seen.len(), 0);
                    if look.gap.is_some() {
                        break 'fields;
                    }
                }
            }
        }
        let rest = self.fill(&look.fields, look.seen.get_mut(unread..).unwrap_or_default(), want, budget).err();
        look.gap = look.gap.or(rest);
        look
    }

    /// Reads those of some windows that are not known yet.
    fn fill(&self, fields: &[Field], seen: &mut [Seen], want: Want, budget: &Budget) -> Result<(), Gap> {
        let unknown: Vec<&mut Seen> = seen.iter_mut().filter(|seen| seen.read.is_none()).collect();
        let text = |seen: &Seen| fields.get(seen.field).and_then(|field| field.text.get(seen.window.range.clone())).unwrap_or_default();
        let texts: Vec<&str> = unknown.iter().map(|seen| text(seen)).collect();
        let reads = self.read_texts(&texts, want, budget.deadline())?;
        for (seen, read) in unknown.into_iter().zip(reads) {
            let read = Arc::new(read);
            self.memory.windows.insert(seen.key, Arc::clone(&read));
            seen.read = Some(read);
        }
        Ok(())
    }

    /// Reads texts of a window each.
    pub(super) fn read_texts(&self, texts: &[&str], want: Want, deadline: Option<Instant>) -> Result<Vec<Read>, Gap> {
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
}

/// Findings but the model's own, which hide nothing from it if it has read the document before.
pub(super) fn of_others(findings: &[Finding]) -> Cow<'_, [Finding]> {
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
