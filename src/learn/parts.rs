//! Which documents a head is trained on, which set its threshold, and which are held out to try it on.

use super::examples::{Example, Examples, Side};
use std::collections::HashSet;

/// The documents by what they are for.
pub(super) struct Parts<'e> {
    pub(super) train_own: Vec<&'e Example>,
    pub(super) held_own: Vec<&'e Example>,
    pub(super) train_other: Vec<&'e Example>,
    pub(super) threshold: Vec<&'e Example>,
    pub(super) held_public: Vec<&'e Example>,
    pub(super) held_ordinary: Vec<&'e Example>,
}

impl<'e> Parts<'e> {
    /// By the digest of what a document says: the same company material falls into the same parts wherever it lies, and a copy never on both sides
    /// of a trial.
    pub(super) fn of(examples: &'e Examples) -> Self {
        let of = |side| examples.documents(side).map(|(_, example)| example);
        let other = || of(Side::Public).chain(of(Side::Ordinary));
        let public: HashSet<u64> = of(Side::Public).map(|example| example.content).collect();
        // What is public as well is nobody's own.
        let own = |is_held: bool| {
            let own = of(Side::Own).filter(|example| !public.contains(&example.content));
            own.filter(|example| example.content.is_multiple_of(5) == is_held).collect()
        };
        let is_held = |example: &&Example| example.content % 4 == 3;
        Self {
            train_own: own(false),
            held_own: own(true),
            train_other: other().filter(|example| example.content % 4 < 2).collect(),
            threshold: other().filter(|example| example.content % 4 == 2).collect(),
            held_public: of(Side::Public).filter(is_held).collect(),
            held_ordinary: of(Side::Ordinary).filter(is_held).collect(),
        }
    }
}
