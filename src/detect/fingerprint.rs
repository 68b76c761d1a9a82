//! Passages of learnt documents in a text.
//!
//! One passage that stands in a document says little: people share phrases. Passages that stand in the text in the same order and at the same
//! distances as in the document do: they are chained, and a chain that is long enough is a match. What was changed, added or left out between
//! them does not matter much.

use super::learnt::Hit;
use crate::knowledge::{
    Knowledge,
    documents::{Passages, STEP},
    pack::Pack,
    passage::{self, Scheme},
    words::Word,
};
use std::ops::Range;

/// Weight that may lie between two passages of a chain.
const GAP: i64 = 120;
/// How far distances may differ, in weight, beside a quarter of the distance.
const SLACK: i64 = 10;
/// Hits beyond these, in one text, are not looked at: more is not found, only more often.
const MOST_HITS: usize = 1 << 18;
/// Chains of one document that are continued at the same time.
const MOST_OPEN: usize = 8;

/// What the reading needs again and again.
#[derive(Default)]
pub(super) struct Scratch {
    hits: Vec<Seen>,
}

/// A passage of the text that stands in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    document: u32,
    /// Weight before it in the text.
    at: u32,
    /// Weight before it in the document, nearly.
    there: u32,
    first: u32,
    last: u32,
}

/// Passages in a row.
#[derive(Clone, Debug)]
struct Chain {
    document: u32,
    passages: u32,
    /// Weight that they cover.
    covered: u32,
    words: Range<u32>,
    /// The first and the last place in the document.
    there: Range<u32>,
    at: u32,
}

/// Adds the passages of learnt documents that stand in `text`, whose words or tokens are `words`, to `found`.
pub(super) fn find<'p>(
    knowledge: &Knowledge,
    scheme: Scheme,
    packs: impl Iterator<Item = (&'p Pack, &'p Passages)>,
    text: &str,
    words: &[Word],
    scratch: &mut Scratch,
    found: &mut Vec<Hit>,
) {
    for (pack, passages) in packs {
        let hits = &mut scratch.hits;
        hits.clear();
        passage::each(&knowledge.digester, scheme, words, |passage| {
            if passages.may_contain(passage.digest) && hits.len() < MOST_HITS && !pack.unlearnt.has_passage(passage.digest) {
                for place in passages.places(passage.digest) {
                    let (document, step) = passages.document(*place);
                    let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
                    let (first, last) = (index(passage.first), index(passage.last));
                    hits.push(Seen { document: index(document), at: passage.at, there: step * STEP, first, last });
                }
            }
        });
        if hits.len() < 2 {
            continue;
        }
        hits.sort_unstable();
        let mut chains: Vec<Chain> = hits.chunk_by(|a, b| a.document == b.document).flat_map(|hits| chains(hits, scheme.passage)).collect();
        chains.retain(|chain| chain.passages >= scheme.count && chain.covered >= scheme.least);
        // The best first; what another document explains better is not told again.
        chains.sort_by_key(|chain| std::cmp::Reverse((chain.covered, chain.passages)));
        let mut told: Vec<Range<usize>> = Vec::new();
        for chain in chains {
            let Some(range) = bytes(words, &chain.words) else { continue };
            let characters = text.get(range.clone()).map_or(0, |text| text.chars().count());
            let is_news = told.iter().all(|told| told.end <= range.start || range.end <= told.start);
            if characters < knowledge.thresholds.characters || !is_news {
                continue;
            }
            told.push(range.clone());
            let whole = passages.length(chain.document as usize).max(1) * STEP;
            let share = (chain.there.len() as u32 + scheme.passage).min(whole) * 100 / whole;
            let title = pack.title(chain.document as usize);
            found.push(Hit {
                range,
                label: pack.document.clone(),
                detector: format!("{}: document {title}, {share} % of it, {characters} characters", pack.name()).into(),
                confidence: confidence(chain.passages),
            });
        }
    }
}

/// How sure so many passages in a row are.
fn confidence(passages: u32) -> f32 {
    match passages {
        0..=3 => 0.85,
        4 | 5 => 0.9,
        6..=9 => 0.95,
        _ => 0.99,
    }
}

fn bytes(words: &[Word], range: &Range<u32>) -> Option<Range<usize>> {
    let (first, last) = (words.get(range.start as usize)?, words.get(range.end.checked_sub(1)? as usize)?);
    Some(first.start as usize..last.end as usize)
}

/// The chains of one document's hits, which are in the order of the text; each weighs `weight`.
fn chains(hits: &[Seen], weight: u32) -> Vec<Chain> {
    let mut done = Vec::new();
    let mut open: Vec<Chain> = Vec::new();
    for hit in hits {
        open.retain(|chain| {
            let over = i64::from(hit.at) - i64::from(chain.at) > GAP;
            if over {
                done.push(chain.clone());
            }
            !over
        });
        let fits = |chain: &Chain| {
            let (here, there) = (i64::from(hit.at) - i64::from(chain.at), i64::from(hit.there) - i64::from(chain.there.end));
            here > 0 && there >= 0 && (here - there).abs() <= SLACK + here / 4
        };
        // The latest of those that it continues.
        match open.iter_mut().rev().find(|chain| fits(chain)) {
            Some(chain) => {
                let new = hit.last + 1 - hit.first.max(chain.words.end).min(hit.last + 1);
                let all = hit.last + 1 - hit.first;
                // What it shares with the one before counts once.
                chain.covered += weight * new / all.max(1);
                chain.passages += 1;
                chain.words.end = chain.words.end.max(hit.last + 1);
                (chain.there.end, chain.at) = (hit.there, hit.at);
            }
            None => {
                if open.len() >= MOST_OPEN {
                    done.push(open.remove(0));
                }
                open.push(Chain {
                    document: hit.document,
                    passages: 1,
                    covered: weight,
                    words: hit.first..hit.last + 1,
                    there: hit.there..hit.there,
                    at: hit.at,
                });
            }
        }
    }
    done.append(&mut open);
    done
}
