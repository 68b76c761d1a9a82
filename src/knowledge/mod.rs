//! What the company taught: its tables and word lists as sets of digests, its documents as kept passages.
//!
//! ```text
//! learn/    sources -> cells, words ----> Table, Passages -> Pack -> sections -seal-> file
//! here      file -open-> sections -> Pack -> Knowledge
//! detect/   text -> words, passages ----> Knowledge -> findings
//! ```
//!
//! Learning and reading share the forms of values (`cell`, `number`), the words of a text (`words`, `code`) and the passages (`passage`), so
//! they cannot disagree. Nothing here holds text: digests are keyed, and packs are encrypted and signed on the disk.

pub mod build;
pub(crate) mod cell;
pub(crate) mod code;
pub(crate) mod digest;
pub(crate) mod documents;
pub(crate) mod filter;
pub mod head;
pub(crate) mod hex;
#[cfg(feature = "model")]
pub(crate) mod lexicon;
pub(crate) mod number;
pub mod pack;
pub(crate) mod passage;
#[cfg(feature = "server")]
pub mod seal;
#[cfg(feature = "server")]
pub mod shelf;
pub mod signer;
pub(crate) mod table;
pub(crate) mod trace;
pub(crate) mod unlearnt;
pub(crate) mod wire;
pub(crate) mod words;

pub use self::{
    cell::{Form, Shape},
    digest::{Digest, Digester},
    pack::Pack,
    table::TableBuilder,
    trace::{Part, Trace},
    wire::Malformed,
};

use cell::Lengths;
use filter::Gate;
#[cfg(feature = "model")]
use head::Head;

/// All packs that are in force, ready to be looked things up in.
#[derive(Debug)]
pub struct Knowledge {
    pub(crate) digester: Digester,
    pub(crate) packs: Vec<Pack>,
    pub(crate) thresholds: Thresholds,
    /// The heads of all tables' phrases.
    pub(crate) heads: Gate,
    /// Their lengths.
    pub(crate) lengths: Lengths,
    /// The heads of what stands beside primary values, of all tables.
    pub(crate) beside: Gate,
    /// Their lengths.
    pub(crate) beside_lengths: Lengths,
}

/// How much must come together to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Cells of one row, the primary one among them.
    pub cells: usize,
    /// Characters of a document.
    pub characters: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { cells: 2, characters: 80 }
    }
}

impl Knowledge {
    /// The knowledge of `packs`, whose digests were made by `digester`.
    pub fn new(digester: Digester, packs: Vec<Pack>, thresholds: Thresholds) -> Self {
        let (mut heads, mut beside) = (Gate::closed(), Gate::closed());
        let (mut lengths, mut beside_lengths) = (Lengths::default(), Lengths::default());
        for table in packs.iter().flat_map(|pack| &pack.tables) {
            heads.merge(&table.heads);
            beside.merge(&table.beside);
            lengths.merge(table.alone.lengths);
            lengths.merge(table.primary.lengths);
            table.columns.iter().for_each(|column| beside_lengths.merge(*column));
        }
        Self { digester, packs, thresholds, heads, lengths, beside, beside_lengths }
    }

    /// The packs.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The packs that have a head for this model (`Model::id`), with it.
    #[cfg(feature = "model")]
    pub(crate) fn heads_for(&self, model: u64) -> impl Iterator<Item = (&Pack, &Head)> {
        self.packs.iter().filter_map(move |pack| Some((pack, pack.head.as_ref().filter(|head| head.model == model)?)))
    }

    /// The packs whose head is for another model, and says nothing.
    pub fn stale_heads(&self, model: u64) -> impl Iterator<Item = &Pack> {
        self.packs.iter().filter(move |pack| pack.head.as_ref().is_some_and(|head| head.model != model))
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.packs.iter().map(Pack::bytes).sum()
    }
}

/// The forms in which a text may hold the value of a cell, the plain one first; none if it says too little to go by: under six digits, three
/// letters or two Chinese characters. `text` is as detectors read it (`detect::as_read`).
pub fn forms(digester: &Digester, text: &str) -> Vec<Form> {
    cell::forms(digester, text, &mut Vec::new())
}
