//! What reviewers called false, as a pack keeps it: masked where the pack is looked things up in, so that it can be taken back.

use super::{
    digest::Digest,
    documents::COUNTED,
    trace::{Part, Trace},
    wire::{Malformed, Reader, Writer},
};

/// Digests that a pack knows and says nothing about, each kind in order.
#[derive(Debug, Default)]
pub(crate) struct Unlearnt {
    values: Vec<Digest>,
    passages: Vec<Digest>,
    texts: Vec<Digest>,
}

impl Unlearnt {
    /// What these traces are to be left out by.
    pub(crate) fn of(traces: &[Trace]) -> Self {
        let of = |part: Part| {
            let own = traces.iter().filter(|trace| trace.part == part);
            let mut digests: Vec<Digest> = own.flat_map(|trace| trace.digests.iter().copied()).collect();
            digests.sort_unstable();
            digests.dedup();
            digests
        };
        Self { values: of(Part::Exact), passages: of(Part::Document), texts: of(Part::Classifier) }
    }

    /// Whether this form of a value is none any more.
    pub(crate) fn has_value(&self, digest: Digest) -> bool {
        self.values.binary_search(&digest).is_ok()
    }

    /// Whether this passage is nobody's own.
    pub(crate) fn has_passage(&self, digest: Digest) -> bool {
        // Nearly always there are none, and this is asked of every passage that meets.
        !self.passages.is_empty() && self.passages.binary_search(&(digest & COUNTED)).is_ok()
    }

    /// Whether a text of just these words is about other matters.
    #[cfg(feature = "model")]
    pub(crate) fn has_text(&self, whole: impl FnOnce() -> Digest) -> bool {
        !self.texts.is_empty() && self.texts.binary_search(&whole()).is_ok()
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        (self.values.len() + self.passages.len() + self.texts.len()) * size_of::<Digest>()
    }
}

pub(crate) fn write(traces: &[Trace]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.u64(traces.len() as u64);
    traces.iter().for_each(|trace| trace.write(&mut writer));
    writer.0
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Trace>, Malformed> {
    let mut reader = Reader(bytes);
    let count = reader.count()?;
    let traces = (0..count).map(|_| Trace::read(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(traces)
}
