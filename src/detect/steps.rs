//! A pattern as a list of steps, read straight on from one place of the text.
//!
//! Of most tokens and identifiers the next byte tells how a match goes on, so that nothing read is ever read again: a step is a literal, a run
//! of characters of one kind, a choice by the next byte. That is no faster than an automaton whose states are at hand; but those of hundreds
//! of rules are not, and they take ten times the memory. A pattern of which the next byte does not tell is searched by an automaton.

mod build;
mod set;

use regex_syntax::hir::Look;
use set::{Bytes, Set};
use std::ops::Range;

/// A pattern to be read step by step.
pub(super) struct Steps {
    nodes: Vec<Node>,
    start: usize,
    /// Bytes with which a match can begin.
    first: Bytes,
    /// Bytes of the shortest match.
    shortest: usize,
}

/// A match: what the group called `value` holds (or all), and all.
pub(super) type Found = (Range<usize>, Range<usize>);

/// So much was read from so many places of a window that an automaton is the better way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GaveUp;

/// Bytes that may be read for each byte of a window, and in all for a few.
const READS: usize = 16;
const FEWEST_READS: usize = 500;

struct Node {
    step: Step,
    next: usize,
}

enum Step {
    /// These bytes.
    Literal(Box<[u8]>),
    /// These letters of ASCII in any case.
    Letters(Box<[u8]>),
    /// As many characters of a set as there are, at least and at most so many.
    Run { set: Set, min: u32, max: u32, then: Then },
    /// Nothing, in the right place.
    Look(Look),
    /// Start (0) or end (1) of the value.
    Mark(usize),
    /// The way that the next byte tells.
    Choice(Box<[Way]>),
    /// The end of the match.
    End,
}

/// What follows a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// What no character of the run can be: the run goes as far as it can.
    More,
    /// The end of the match, at the last place of the run where it may be.
    End,
}

struct Way {
    to: usize,
    onward: Onward,
    /// Whether nothing is left but looks: the match may end here, if no earlier way leads to an end.
    ends: bool,
}

/// How a match can go on: with one of these bytes, or with none.
#[derive(Clone, Copy, Default)]
struct Onward {
    first: Bytes,
    may_end: bool,
}

impl Onward {
    fn fits(&self, byte: Option<u8>) -> bool {
        byte.map_or(self.may_end, |byte| self.first.holds(byte))
    }

    fn touches(&self, other: &Self) -> bool {
        (self.may_end && other.may_end) || self.first.touches(&other.first)
    }

    fn union(&self, other: &Self) -> Self {
        Self { first: self.first.union(&other.first), may_end: self.may_end || other.may_end }
    }
}

/// How far a match was read, and where its value stands.
#[derive(Clone, Copy, Default)]
struct Place {
    at: usize,
    marks: [Option<usize>; 2],
}

impl Steps {
    /// The match that begins at the start of `window` and ends in it.
    pub(super) fn match_at(&self, text: &str, window: Range<usize>) -> Option<Found> {
        self.walk(text, window).0
    }

    /// The first match in `window`.
    ///
    /// # Errors
    /// [`GaveUp`] when too much was read in vain.
    pub(super) fn find(&self, text: &str, window: Range<usize>) -> Result<Option<Found>, GaveUp> {
        let mut reads = window.len() * READS + FEWEST_READS;
        let starts = window.start..(window.end + 1).saturating_sub(self.shortest);
        let bytes = text.as_bytes().get(starts).unwrap_or_default();
        for (start, _) in (window.start..).zip(bytes).filter(|(_, byte)| self.first.holds(**byte)) {
            let (found, end) = self.walk(text, start..window.end);
            if found.is_some() {
                return Ok(found);
            }
            reads = reads.checked_sub(end - start).ok_or(GaveUp)?;
        }
        Ok(None)
    }

    /// The match at the start of `window`, and how far was read to know.
    fn walk(&self, text: &str, window: Range<usize>) -> (Option<Found>, usize) {
        let seen = text.as_bytes().get(..window.end).unwrap_or_default();
        let mut place = Place { at: window.start, marks: [None; 2] };
        // The end of a match that may go on.
        let mut found = None;
        let mut node = self.start;
        while let Some(Node { step, next }) = self.nodes.get(node) {
            let goes_on = match step {
                Step::End => return (Some(place.found(window.start)), place.at),
                Step::Literal(literal) => {
                    let fits = seen.get(place.at..).is_some_and(|rest| rest.starts_with(literal));
                    place.at += if fits { literal.len() } else { 0 };
                    fits.then_some(*next)
                }
                Step::Letters(letters) => {
                    let fits = seen.get(place.at..place.at + letters.len()).is_some_and(|there| there.eq_ignore_ascii_case(letters));
                    place.at += if fits { letters.len() } else { 0 };
                    fits.then_some(*next)
                }
                Step::Run { set, min, max, then } => {
                    let (least, have) = set.run(text, seen, place.at, *min);
                    place.at = least;
                    if have == *min {
                        place.at = set.run(text, seen, least, *max - *min).0;
                        if *then == Then::End {
                            let ends = (least..=place.at).rev().filter(|end| text.is_char_boundary(*end));
                            let last = ends.map(|at| Place { at, ..place }).find_map(|place| self.end(text, *next, place));
                            return (last.map(|place| place.found(window.start)).or(found), place.at);
                        }
                    }
                    (have == *min).then_some(*next)
                }
                Step::Look(look) => holds(*look, text.as_bytes(), place.at).then_some(*next),
                Step::Mark(which) => {
                    place.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(place.at));
                    Some(*next)
                }
                Step::Choice(ways) => {
                    let byte = seen.get(place.at).copied();
                    let mut way = None;
                    for one in ways {
                        if !one.ends {
                            way = way.or_else(|| one.onward.fits(byte).then_some(one.to));
                        } else if let Some(end) = self.end(text, one.to, place) {
                            found = Some(end.found(window.start));
                            break;
                        }
                    }
                    way
                }
            };
            match goes_on {
                Some(next) => node = next,
                None => break,
            }
        }
        (found, place.at)
    }

    /// The end of the match at `place`, if the looks from `node` on, where nothing else is left, hold there.
    fn end(&self, text: &str, mut node: usize, mut place: Place) -> Option<Place> {
        loop {
            let Node { step, next } = self.nodes.get(node)?;
            match step {
                Step::End => return Some(place),
                Step::Mark(which) => place.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(place.at)),
                Step::Look(look) if holds(*look, text.as_bytes(), place.at) => {}
                _fails => return None,
            }
            node = *next;
        }
    }
}

impl Place {
    fn found(self, start: usize) -> Found {
        let all = start..self.at;
        let value = match self.marks {
            [Some(start), Some(end)] => start..end,
            _ => all.clone(),
        };
        (value, all)
    }
}

/// Whether `look`, of a kind that patterns have as steps, holds at `at`.
fn holds(look: Look, text: &[u8], at: usize) -> bool {
    let (left, right) = (at.checked_sub(1).and_then(|left| text.get(left)), text.get(at));
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match look {
        Look::WordAscii => is_word(left) != is_word(right),
        Look::Start => left.is_none(),
        Look::End => right.is_none(),
        Look::StartLF => matches!(left, None | Some(b'\n')),
        Look::EndLF => matches!(right, None | Some(b'\n')),
        _other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{engine, pattern, rule, rule::Rule, shipped};
    use proptest::prelude::*;
    use regex_automata::{Anchored, Input, meta::Regex, util::primitives::NonMaxUsize};
    use std::sync::LazyLock;

    fn walked(steps: &Steps, text: &str, window: Range<usize>) -> Option<Found> {
        steps.match_at(text, window)
    }

    fn searched(regex: &Regex, text: &str, window: Range<usize>) -> Option<Found> {
        let mut slots = vec![None; 4];
        regex.search_slots(&Input::new(text).range(window).anchored(Anchored::Yes), &mut slots)?;
        let range = |at: usize| Some(slots.get(at)?.map(NonMaxUsize::get)?..slots.get(at + 1)?.map(NonMaxUsize::get)?);
        Some((range(2).or(range(0))?, range(0)?))
    }

    #[test]
    fn the_first_way_counts_as_in_a_search() {
        for pattern in [
            r"a(?:b(?:c|a)?)?",
            r"a*?",
            r"(?:ab)+(?P<value>中*)",
            r"(?:a(?P<value>b*))+",
            r"a(?:$|b)",
            r"a(?:b|$|中1)",
            r"(?m)^a[ab]*$",
            r"\d+(?:\.\d+)?\b",
            r"[a\n]{0,3}\b",
            r"[a中]{1,3}\b",
            r"a[b1]{1,2}\b(?P<value>\n?)",
            r"a{2,3}(?P<value>[^a]|\z)",
            r"[^b]*(?P<value>b?)",
            r"(?:ab|aa|a)(?P<value>中?)",
            r"a[ab]{2}|aa1|中",
            r"(?i)aB|k",
            r"(?i)b+A1?",
            r"[a-f中-鿿]{2}(?P<value>1|)",
        ] {
            let hir = regex_syntax::parse(&pattern::ascii(pattern)).expect("pattern");
            let (steps, regex) = engine::both(&hir).unwrap_or_else(|| panic!("{pattern}"));
            for number in 0..4_usize.pow(7) {
                let text: String = (0..7).map(|place| ["a", "b", "中", "\n1"][number / 4_usize.pow(place) % 4]).collect();
                assert_eq!(walked(&steps, &text, 0..text.len()), searched(&regex, &text, 0..text.len()), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn a_pattern_that_the_next_byte_does_not_decide_has_no_steps() {
        for pattern in [r"(?:a|[ab]a)b", r"[ab]*b", r"[ab]{1,3}?b", r"(?:ab?)+?c?a", r"[^b]*中", r"(?:a|ab)(?:c|bcd)", r"a-{0,3}\b-"] {
            assert!(Steps::of(&regex_syntax::parse(&pattern::ascii(pattern)).expect("pattern")).is_none(), "{pattern}");
        }
    }

    #[test]
    fn where_reading_on_from_every_place_is_long_an_automaton_searches() {
        let steps = Steps::of(&regex_syntax::parse("[a-z]+@").expect("pattern")).expect("steps");
        let text = "a".repeat(10_000);
        assert_eq!(steps.find(&text, 0..text.len()), Err(GaveUp));
        assert_eq!(steps.find("some aa@", 0..8), Ok(Some((5..8, 5..8))));
    }

    /// The shipped rules, both ways.
    static RULES: LazyLock<Vec<(Rule, Steps, Regex)>> = LazyLock::new(|| {
        let rules = rule::parse(shipped::FILES).expect("rules").into_iter();
        rules.filter_map(|rule| engine::both(&rule.hir).map(|(steps, regex)| (rule, steps, regex))).collect()
    });

    #[test]
    fn most_shipped_patterns_have_steps() {
        let all = rule::parse(shipped::FILES).expect("rules").len();
        assert!(RULES.len() * 100 >= all * 55, "{} of {all}", RULES.len());
    }

    proptest! {
        #[test]
        fn steps_match_what_a_search_finds(
            pick in any::<prop::sample::Index>(),
            text in any::<prop::sample::Index>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3),
            cut in 0..8usize,
        ) {
            let (rule, steps, regex) = pick.get(&RULES);
            let mut text: Vec<char> = text.get(&[&rule.examples[..], &rule.counterexamples].concat()).chars().collect();
            for (at, with) in changes {
                let at = at.index(text.len());
                text[at] = *with.get(&['a', 'Z', '0', '_', '-', ' ', '"', '\n', '中', '.']);
            }
            let text: String = text.into_iter().collect();
            for start in 0..text.len() {
                let window = start..text.len().saturating_sub(cut).max(start);
                prop_assert_eq!(walked(steps, &text, window.clone()), searched(regex, &text, window), "{} {} {}", &rule.id, &text, start);
            }
        }
    }
}
