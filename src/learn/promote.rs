//! Whether an updated pack may take the place of the earlier one: both are tried on the same texts, which neither was trained on.
//!
//! What a pack finds of its documents is told from the digests of their passages, since their text is not kept; heads are tried on the examples
//! that are held out of every lesson. Rows and public texts are tried as far as this lesson read any.

use super::{
    Learnt,
    evaluate::{Evaluation, Share},
    examples::{Example, Examples},
    head,
    parts::Parts,
};
use crate::{
    detect::model::Model,
    knowledge::{
        Malformed, Pack,
        documents::{Entry, Passages, STEP},
        head::Head,
        pack::Section,
        passage::TEXT,
        unlearnt::Unlearnt,
    },
};
use std::collections::HashSet;

/// The same texts before the earlier pack and before the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which texts.
    pub texts: Tried,
    /// Found by the earlier pack.
    pub earlier: Share,
    /// Found by the new one.
    pub new: Share,
}

/// What packs are tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Stretches of 50 words or 100 characters of all documents: to be found.
    Stretches,
    /// Rows of the tables of this lesson: to be found.
    Rows,
    /// The company's own passages that no head was trained on: to be found.
    OwnPassages,
    /// Public texts of this lesson that are held back: not to be found.
    PublicTexts,
    /// Other passages that no head was trained on: not to be found.
    OtherPassages,
}

impl Trial {
    /// Whether the new pack is worse: it finds less by more than one in a hundred of what it should find, or more of what it should not.
    pub fn is_worse(&self) -> bool {
        match self.texts {
            Tried::Stretches | Tried::Rows | Tried::OwnPassages => self.earlier.hits.saturating_sub(self.new.hits) * 100 > self.new.of,
            Tried::PublicTexts | Tried::OtherPassages => self.new.hits > self.earlier.hits,
        }
    }
}

/// Tries what was learnt beside the `earlier` pack that it is to replace. `evaluations` are of both, on the rows and the held-out public texts of
/// this lesson. There is no trial where there is nothing to try.
///
/// # Errors
/// [`Malformed`].
pub fn compare(
    model: Option<&Model>,
    earlier: &[Section],
    learnt: &Learnt,
    evaluations: [&Evaluation; 2],
) -> Result<Vec<Trial>, Malformed> {
    let (before, now) = (Pack::read(earlier)?, Pack::read(&learnt.sections)?);
    let mut trials = Vec::new();
    let mut add = |texts: Tried, [earlier, new]: [Share; 2]| trials.extend((new.of > 0).then_some(Trial { texts, earlier, new }));
    if let Some(passages) = &now.text {
        // Both with the documents as they are now: what was added or forgotten is no loss, and public material not either.
        add(Tried::Stretches, [&before.unlearnt, &now.unlearnt].map(|without| stretches(passages, without)));
    }
    add(Tried::Rows, evaluations.map(|evaluation| evaluation.rows));
    add(Tried::PublicTexts, evaluations.map(|evaluation| evaluation.alarms.texts));
    if let (Some(model), Some(examples), [Some(old), Some(new)]) = (model, &learnt.examples, [&before.head, &now.head])
        && old.model == new.model
    {
        let examples = Examples::of(model, std::slice::from_ref(examples))?;
        let parts = Parts::of(&examples);
        // What the earlier pack did not know of, its head need not find.
        let known: HashSet<u64> = before.documents.iter().map(|document| document.content).collect();
        let own: Vec<&Example> = parts.held_own.iter().filter(|example| known.contains(&example.content)).copied().collect();
        let others: Vec<&Example> = parts.held_public.iter().chain(&parts.held_ordinary).copied().collect();
        let over = |documents: &[&Example]| [old, new].map(|head: &Head| head::over(head, documents));
        add(Tried::OwnPassages, over(&own));
        add(Tried::OtherPassages, over(&others));
    }
    Ok(trials)
}

/// Steps of a stretch: 50 words or 100 characters, which are found wherever they stand in a document.
const STRETCH: u32 = 100 / STEP;

/// How many stretches of all documents have passages enough to be found, without what was unlearnt.
fn stretches(passages: &Passages, without: &Unlearnt) -> Share {
    let mut entries: Vec<Entry> = passages.entries().filter(|entry| !without.has_passage(entry.digest)).collect();
    entries.sort_unstable_by_key(|entry| (entry.document, entry.place));
    let stretch = |entry: &Entry| (entry.document, entry.place / STRETCH);
    let is_found = |own: &&[Entry]| {
        let (first, last) = (own.first().map_or(0, |entry| entry.place), own.last().map_or(0, |entry| entry.place));
        own.len() >= TEXT.count as usize && (last - first) * STEP + TEXT.passage >= TEXT.least
    };
    let hits = entries.chunk_by(|one, next| stretch(one) == stretch(next)).filter(is_found).count();
    // Those that no pack would find are part of neither share.
    let all = passages.entries().map(|entry| stretch(&entry)).collect::<HashSet<_>>().len();
    Share { hits: hits as u64, of: all as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_of_more_than_a_point_is_worse_and_so_is_one_more_alarm() {
        let trial = |texts: Tried, earlier: u64, new: u64| {
            let share = |hits: u64| Share { hits, of: 200 };
            Trial { texts, earlier: share(earlier), new: share(new) }.is_worse()
        };
        for texts in [Tried::Stretches, Tried::Rows, Tried::OwnPassages] {
            assert_eq!([198, 197, 200].map(|new| trial(texts, 200, new)), [false, true, false], "{texts:?}");
            assert!(!trial(texts, 150, 151));
        }
        for texts in [Tried::PublicTexts, Tried::OtherPassages] {
            assert_eq!([2, 3, 0].map(|new| trial(texts, 2, new)), [false, true, false], "{texts:?}");
        }
    }
}
