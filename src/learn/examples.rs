//! What a head is trained on: excerpts of documents, as what the model makes of them and as features of their words.
//!
//! They are kept between lessons in a file beside the pack, sealed with the same key, so that `--update` reads only what is new. Nothing but
//! learning reads that file, and a running Exeat does not need it.

use super::Progress;
use crate::{
    budget::Budget,
    content::Document,
    detect::{Detectors, model::Model},
    knowledge::{
        Digester, Malformed,
        head::Feature,
        lexicon,
        pack::{Kind, Section},
        seal::Key,
        wire::{Reader, Writer},
    },
};
use half::f16;
use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Whose a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// The company's own.
    Own,
    /// Of the same kind, known to everybody.
    Public,
    /// Anybody's, about anything.
    Ordinary,
}

/// A document by what was seen of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// Keyed digest of the path of its source.
    pub(super) source: u64,
    /// Keyed digest of its bytes.
    pub(super) content: u64,
    pub(super) passages: Vec<Passage>,
}

/// An excerpt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passage {
    /// What the model makes of it.
    pub(super) mean: Vec<f16>,
    /// In order.
    pub(super) features: Vec<Feature>,
}

/// A document whose excerpts are still to be read.
#[derive(Debug)]
struct Waiting {
    source: u64,
    content: u64,
    excerpts: Vec<String>,
}

/// Documents by side and by the keyed digest of their path.
#[derive(Debug)]
pub(super) struct Examples {
    /// The [model](Model::id) that read them.
    model: u64,
    known: BTreeMap<(Side, u64), Example>,
    waiting: BTreeMap<(Side, u64), Waiting>,
}

/// Texts about everything and nothing, in both languages; `models/training/ordinary.py` makes them.
const ORDINARY: &str = include_str!("ordinary.txt");
/// Of them, a multiple of so many are taken.
const ORDINARY_STEP: usize = 200;
/// Documents of a side; of more, those with the least digests stand for all.
const DOCUMENTS: usize = 4000;
/// Excerpts of a side that are read: at 240 tokens each, half a minute on two cores.
const EXCERPTS: usize = 3000;
/// Excerpts of one document, and of documents that are many.
const MOST: usize = 8;
/// Bytes of an excerpt: some 240 tokens in both languages, two or three windows.
const BYTES: usize = 900;
/// Shorter documents say too little.
const SHORT: usize = 120;

impl Examples {
    /// None yet, to be read by `model`.
    pub(super) fn new(model: &Model) -> Self {
        Self { model: model.id(), known: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Those of an earlier lesson; none of them if another model read them.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn of(model: &Model, sections: &[Section]) -> Result<Self, Malformed> {
        let mut examples = Self::new(model);
        if let Some(section) = sections.iter().find(|section| section.kind == Kind::Examples) {
            let mut reader = Reader(&section.bytes);
            if reader.u64()? == examples.model {
                examples.known = read(&mut reader)?;
            }
        }
        Ok(examples)
    }

    /// How they are kept.
    pub(super) fn section(&self) -> Section {
        let mut writer = Writer::default();
        writer.u64(self.model);
        write(&self.known, &mut writer);
        Section { kind: Kind::Examples, bytes: writer.0 }
    }

    /// Whether the document is known as it is.
    pub(super) fn knows(&self, side: Side, id: u64, content: u64) -> bool {
        self.known.get(&(side, id)).is_some_and(|example| example.content == content)
    }

    /// Takes a document, to be [read](Self::read) later.
    pub(super) fn add(&mut self, side: Side, id: u64, source: u64, content: u64, text: &str) {
        self.known.remove(&(side, id));
        let excerpts = excerpts(text);
        if excerpts.is_empty() {
            return;
        }
        self.waiting.insert((side, id), Waiting { source, content, excerpts });
        if self.count(side) > DOCUMENTS {
            let all = (side, 0)..=(side, u64::MAX);
            let known = self.known.range(all.clone()).next_back().map(|(key, _)| *key);
            let waiting = self.waiting.range(all).next_back().map(|(key, _)| *key);
            if known > waiting {
                known.map(|key| self.known.remove(&key));
            } else {
                waiting.map(|key| self.waiting.remove(&key));
            }
        }
    }

    /// Takes ordinary texts that are part of the program, as far as they are not known: at least five for each of the company's documents.
    pub(super) fn add_ordinary(&mut self, key: &Key) {
        // In the order of their digests: the two languages mixed, and the same ones first however many are taken.
        let mut lines: Vec<(u64, &str)> = ORDINARY.lines().map(|line| (key.digest(line.as_bytes()), line)).collect();
        lines.sort_unstable();
        // In steps, so that a few documents more ask for no more.
        let count = (5 * self.count(Side::Own)).next_multiple_of(ORDINARY_STEP);
        for (id, line) in lines.into_iter().take(count) {
            if !self.knows(Side::Ordinary, id, id) {
                let text = line.replace("\\\\", "\u{1}").replace("\\n", "\n").replace('\u{1}', "\\");
                self.add(Side::Ordinary, id, 0, id, &text);
            }
        }
    }

    /// Drops the documents of a side for which `gone` holds: of their digest and their source's.
    pub(super) fn forget(&mut self, side: Side, gone: impl Fn(u64, u64) -> bool) {
        self.known.retain(|(other, id), example| *other != side || !gone(*id, example.source));
    }

    /// How many documents of a side there are.
    pub(super) fn count(&self, side: Side) -> usize {
        let all = (side, 0)..=(side, u64::MAX);
        self.known.range(all.clone()).count() + self.waiting.range(all).count()
    }

    /// The documents of a side, by digest.
    pub(super) fn documents(&self, side: Side) -> impl Iterator<Item = (u64, &Example)> {
        self.known.range((side, 0)..=(side, u64::MAX)).map(|((_, id), example)| (*id, example))
    }

    /// Lets the model read all that waits, on all cores.
    pub(super) fn read(&mut self, model: &Model, detectors: &Detectors, digester: &Digester, tell: &mut dyn FnMut(Progress<'_>)) {
        for side in [Side::Own, Side::Public, Side::Ordinary] {
            let each = (EXCERPTS / self.count(side).max(1)).clamp(1, MOST);
            for (_, waiting) in self.waiting.range_mut((side, 0)..=(side, u64::MAX)) {
                waiting.excerpts.truncate(each);
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        let excerpts: Vec<(usize, &str)> =
            waiting.values().enumerate().flat_map(|(at, waiting)| waiting.excerpts.iter().map(move |text| (at, text.as_str()))).collect();
        let mut passages: Vec<Vec<(usize, Passage)>> = waiting.values().map(|_| Vec::new()).collect();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let (done, results) = mpsc::channel();
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                let (done, next, excerpts) = (done.clone(), &next, &excerpts);
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some((at, text)) = excerpts.get(number) else { break };
                        if done.send((*at, number, passage(model, detectors, digester, text))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(done);
            for (count, (at, number, passage)) in results.iter().enumerate() {
                tell(Progress::Model(count + 1, excerpts.len()));
                if let (Some(to), Some(passage)) = (passages.get_mut(at), passage) {
                    to.push((number, passage));
                }
            }
        });
        for ((key, Waiting { source, content, .. }), mut passages) in waiting.into_iter().zip(passages) {
            passages.sort_by_key(|(number, _)| *number);
            let passages = passages.into_iter().map(|(_, passage)| passage).collect();
            self.known.insert(key, Example { source, content, passages });
        }
    }
}

/// An excerpt as it would be seen in a message; `None` where there is no language in it.
pub(super) fn passage(model: &Model, detectors: &Detectors, digester: &Digester, text: &str) -> Option<Passage> {
    let document = Document::plain(text);
    let findings = detectors.scan(text).findings;
    let mut budget = Budget::new(usize::MAX, None).with_tokens(usize::MAX);
    let (gists, _) = model.gists(&document, &findings, &mut budget);
    let gist = gists.into_iter().max_by_key(|gist| gist.text.len())?;
    let mean = gist.mean.iter().map(|number| f16::from_f32(*number)).collect();
    Some(Passage { mean, features: lexicon::features(digester, &gist.text) })
}

/// Excerpts of a text, evenly spread; the first few of them are spread as well.
pub(super) fn excerpts(text: &str) -> Vec<String> {
    if text.len() < SHORT {
        return Vec::new();
    }
    let count = (text.len() / BYTES).clamp(1, MOST);
    let room = text.len().saturating_sub(BYTES);
    let cut = |number: usize| {
        let start = text.floor_char_boundary(room * number / count.max(2).saturating_sub(1));
        let end = text.floor_char_boundary((start + BYTES).min(text.len()));
        let excerpt = text.get(start..end)?;
        // At a line's beginning and end, where one is near.
        let from = if start == 0 { 0 } else { excerpt.find('\n').filter(|at| *at < BYTES / 4).map_or(0, |at| at + 1) };
        let to = excerpt.rfind('\n').filter(|at| end < text.len() && *at > BYTES / 2).unwrap_or(excerpt.len());
        excerpt.get(from..to).map(str::to_owned)
    };
    // 0, 4, 2, 6, 1, ... : bits reversed.
    let order = (0..MOST).map(|number| number.reverse_bits() >> (usize::BITS - MOST.trailing_zeros()));
    order.filter(|number| *number < count).filter_map(cut).collect()
}

fn write(known: &BTreeMap<(Side, u64), Example>, to: &mut Writer) {
    to.u64(known.len() as u64);
    for ((side, id), Example { source, content, passages }) in known {
        to.u32(*side as u32).u64(*id).u64(*source).u64(*content).u64(passages.len() as u64);
        for Passage { mean, features } in passages {
            let mean: Vec<u16> = mean.iter().map(|number| number.to_bits()).collect();
            to.array(&mean).array(features);
        }
    }
}

fn read(from: &mut Reader<'_>) -> Result<BTreeMap<(Side, u64), Example>, Malformed> {
    let mut known = BTreeMap::new();
    for _ in 0..from.count()? {
        let side = match from.u32()? {
            0 => Side::Own,
            1 => Side::Public,
            2 => Side::Ordinary,
            _ => return Err(Malformed),
        };
        let (id, source, content) = (from.u64()?, from.u64()?, from.u64()?);
        let count = from.count()?;
        let mut passage = || {
            let mean = from.array::<u16>()?.into_iter().map(f16::from_bits).collect();
            Ok(Passage { mean, features: from.array()? })
        };
        let passages = (0..count).map(|_| passage()).collect::<Result<_, Malformed>>()?;
        known.insert((side, id), Example { source, content, passages });
    }
    from.end()?;
    Ok(known)
}

#[cfg(test)]
impl Examples {
    /// None, of no model.
    pub(super) fn empty() -> Self {
        Self { model: 0, known: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Takes a document as it would have been read.
    pub(super) fn insert(&mut self, side: Side, id: u64, example: Example) {
        self.known.insert((side, id), example);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_spread_and_whole() {
        assert!(excerpts("too short").is_empty());
        assert_eq!(excerpts(&"word ".repeat(100)).len(), 1);
        let text: String = (0..2000).map(|line| format!("line {line} of the text\n")).collect();
        let all = excerpts(&text);
        assert!(all.len() == MOST && all.iter().all(|excerpt| excerpt.len() <= BYTES && excerpt.starts_with("line ")), "{all:?}");
        assert!(all[0].starts_with("line 0 ") && !all[1].starts_with("line 0 "));
        let middle = text.find(&all[1]).expect("cut out") as f64 / text.len() as f64;
        assert!((0.4..0.6).contains(&middle), "the second is from the middle: {middle}");
        let chinese = excerpts(&"离心泵的叶轮需要更换。".repeat(300));
        assert!(chinese.len() == MOST && chinese.iter().all(|excerpt| excerpt.len() > BYTES - 6));
    }

    #[test]
    fn of_too_many_documents_those_with_the_least_digests_stay() {
        let mut examples = Examples::empty();
        let text = "word ".repeat(100);
        for id in (0..DOCUMENTS as u64).map(|id| id * 2 + 10) {
            examples.insert(Side::Own, id, Example { source: 0, content: id, passages: Vec::new() });
        }
        examples.add(Side::Own, 1, 0, 1, &text);
        examples.add(Side::Own, u64::MAX, 0, 1, &text);
        examples.add(Side::Public, 5, 0, 1, &text);
        assert_eq!((examples.count(Side::Own), examples.count(Side::Public)), (DOCUMENTS, 1));
        assert!(examples.waiting.contains_key(&(Side::Own, 1)) && !examples.waiting.contains_key(&(Side::Own, u64::MAX)));
        assert!(!examples.known.contains_key(&(Side::Own, DOCUMENTS as u64 * 2 + 8)), "the greatest of the known made room");
    }

    #[test]
    fn examples_come_back_as_they_were_and_nothing_damaged_is_read() {
        let mut examples = Examples::empty();
        let passage = Passage { mean: vec![f16::from_f32(0.5), f16::from_f32(-2.0)], features: vec![1, 7] };
        examples.insert(Side::Own, 1, Example { source: 2, content: 3, passages: vec![passage.clone(), passage] });
        examples.insert(Side::Public, 4, Example { source: 5, content: 6, passages: Vec::new() });
        let bytes = examples.section().bytes;
        let mut reader = Reader(&bytes);
        assert_eq!((reader.u64(), read(&mut reader)), (Ok(0), Ok(examples.known)));
        for len in 8..bytes.len() {
            assert_eq!(read(&mut Reader(&bytes[8..len])), Err(Malformed), "{len}");
        }
    }
}
