//! A pattern as a list of steps, tried in order at one place of the text.
//!
//! Most tokens and identifiers are read straight on, because the next byte tells how a match continues. That is no faster than an automaton
//! whose states are at hand; but those of hundreds of rules are not, and they take ten times the memory. Where the next byte does not tell,
//! the first way is tried first, as the `regex` crate does. The steps are counted: who asks sets a limit in proportion to the text, and
//! has the pattern searched by an automaton when it is reached.

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

/// The limit was reached before anything was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GaveUp;

struct Node {
    step: Step,
    next: usize,
}

enum Step {
    /// These bytes.
    Literal(Box<[u8]>),
    /// These letters of ASCII in any case.
    Letters(Box<[u8]>),
    /// As many characters of a set as there are, at least and at most so many; fewer, where a match can go on so, if it can.
    Run { set: Set, min: u32, max: u32, fewer: Option<Box<Onward>> },
    /// Nothing, in the right place.
    Look(Look),
    /// Start (0) or end (1) of the value.
    Mark(usize),
    /// The first of these that leads to the end.
    Choice(Box<[Way]>),
    /// The end of the match.
    End,
}

/// A node, and how a match can go on from there.
type Way = (Onward, usize);

/// How a match can go on: with one of these bytes, or perhaps not at all.
#[derive(Clone, Copy, Default)]
struct Onward {
    first: Bytes,
    may_end: bool,
}

impl Onward {
    fn fits(&self, byte: Option<u8>) -> bool {
        self.may_end || byte.is_some_and(|byte| self.first.holds(byte))
    }
}

/// A walk through the steps; kept from match to match.
#[derive(Default)]
pub(super) struct Walk {
    place: Place,
    /// Where another way was open, the latest last: the node, the place then, and what is left to try: choices from that one on, or ends of
    /// the run down to that one.
    open: Vec<(usize, Place, usize)>,
    /// Steps that may yet be taken.
    pub(super) left: usize,
}

#[derive(Clone, Copy, Default)]
struct Place {
    at: usize,
    marks: [Option<usize>; 2],
}

/// Ways that are left open at a time; more are worth an automaton.
const MOST_OPEN: usize = 256;

impl Steps {
    /// The match that begins at the start of `window` and ends in it.
    ///
    /// # Errors
    /// [`GaveUp`] when no steps are left to `walk`, or too many ways open.
    pub(super) fn match_at(&self, text: &str, window: Range<usize>, walk: &mut Walk) -> Result<Option<Found>, GaveUp> {
        walk.place = Place { at: window.start, marks: [None; 2] };
        walk.open.clear();
        let seen = text.as_bytes().get(..window.end).unwrap_or_default();
        let mut at = self.start;
        while let Some(Node { step, next }) = self.nodes.get(at) {
            walk.left = walk.left.checked_sub(1).ok_or(GaveUp)?;
            let place = &mut walk.place;
            let goes_on = match step {
                Step::End => return Ok(Some(place.found(window.start))),
                Step::Literal(literal) => {
                    let fits = seen.get(place.at..).is_some_and(|rest| rest.starts_with(literal));
                    place.at += literal.len();
                    fits.then_some(*next)
                }
                Step::Letters(letters) => {
                    let end = place.at + letters.len();
                    let fits = seen.get(place.at..end).is_some_and(|there| there.eq_ignore_ascii_case(letters));
                    place.at = end;
                    fits.then_some(*next)
                }
                Step::Run { set, min, max, fewer } => {
                    let (least, have) = set.run(text, seen, place.at, *min);
                    let (most, _) = if have < *min { (least, 0) } else { set.run(text, seen, least, *max - *min) };
                    walk.left = walk.left.saturating_sub(most - place.at);
                    place.at = most;
                    if fewer.is_some() && least < most {
                        walk.open.push((at, *place, least));
                    }
                    (have == *min).then_some(*next)
                }
                Step::Look(look) => holds(*look, text.as_bytes(), place.at).then_some(*next),
                Step::Mark(which) => {
                    place.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(place.at));
                    Some(*next)
                }
                Step::Choice(ways) => walk.choose(at, ways, 0, seen),
            };
            match goes_on.or_else(|| self.go_back(text, seen, walk)) {
                Some(next) if walk.open.len() <= MOST_OPEN => at = next,
                Some(_) => return Err(GaveUp),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The first match in `window`.
    pub(super) fn find(&self, text: &str, window: Range<usize>, walk: &mut Walk) -> Result<Option<Found>, GaveUp> {
        let starts = window.start..(window.end + 1).saturating_sub(self.shortest);
        let bytes = text.as_bytes().get(starts).unwrap_or_default();
        for (start, _) in (window.start..).zip(bytes).filter(|(_, byte)| self.first.holds(**byte)) {
            if let Some(found) = self.match_at(text, start..window.end, walk)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The next way that was left open.
    fn go_back(&self, text: &str, seen: &[u8], walk: &mut Walk) -> Option<usize> {
        while let Some((at, place, left)) = walk.open.pop() {
            walk.place = place;
            let Node { step, next } = self.nodes.get(at)?;
            match step {
                Step::Choice(ways) => match walk.choose(at, ways, left, seen) {
                    None => {}
                    way => return way,
                },
                Step::Run { fewer: Some(onward), .. } => {
                    let fits = |end: &usize| text.is_char_boundary(*end) && onward.fits(seen.get(*end).copied());
                    let Some(end) = (left..place.at).rev().find(fits) else { continue };
                    walk.left = walk.left.saturating_sub(place.at - end);
                    walk.place.at = end;
                    if left < end {
                        walk.open.push((at, walk.place, left));
                    }
                    return Some(*next);
                }
                _decided => {}
            }
        }
        None
    }
}

impl Walk {
    /// The first of the ways from number `from` on that the next byte allows.
    fn choose(&mut self, node: usize, ways: &[Way], from: usize, seen: &[u8]) -> Option<usize> {
        let byte = seen.get(self.place.at).copied();
        let mut fitting = (from..).zip(ways.get(from..)?).filter(|(_, (onward, _))| onward.fits(byte));
        let (_, (_, way)) = fitting.next()?;
        if let Some((other, _)) = fitting.next() {
            self.open.push((node, self.place, other));
        }
        Some(*way)
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
        steps.match_at(text, window, &mut Walk { left: 10_000, ..Walk::default() }).expect("fuel")
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
            r"a|ab",
            r"ab|a",
            r"(?:a|ab)(?:c|bcd)",
            r"a*?b",
            r"(?:ab?)+?c?",
            r"[ab]*b",
            r"[ab]{1,3}?b",
            r"(?:a(?P<value>b*))+",
            r"a(?:$|b)",
            r"(?m)^a[\s\S]*b$",
            r"\d+(?:\.\d+)?\b",
            r"[^b]*中|a",
            r"(?i)aB|k",
            r"(?i)b+bA1?",
            r"[a-f中-鿿]{2}(?P<value>c|)",
        ] {
            let hir = regex_syntax::parse(&pattern::ascii(pattern)).expect("pattern");
            let (steps, regex) = engine::both(&hir).expect("both");
            for number in 0..4_usize.pow(7) {
                let text: String = (0..7).map(|place| ["a", "b", "中", "\n1"][number / 4_usize.pow(place) % 4]).collect();
                assert_eq!(walked(&steps, &text, 0..text.len()), searched(&regex, &text, 0..text.len()), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn a_walk_without_an_end_gives_up() {
        let hir = regex_syntax::parse("(?:a|aa|aaa)*b").expect("pattern");
        let text = "a".repeat(60);
        let mut walk = Walk { left: 5000, ..Walk::default() };
        assert_eq!(Steps::of(&hir).expect("steps").match_at(&text, 0..60, &mut walk), Err(GaveUp));
    }

    /// The shipped rules, both ways.
    static RULES: LazyLock<Vec<(Rule, Steps, Regex)>> = LazyLock::new(|| {
        let rules = rule::parse(shipped::FILES).expect("rules").into_iter();
        rules.filter_map(|rule| engine::both(&rule.hir).map(|(steps, regex)| (rule, steps, regex))).collect()
    });

    #[test]
    fn hardly_a_shipped_pattern_must_be_searched() {
        let all = rule::parse(shipped::FILES).expect("rules").len();
        assert!(RULES.len() * 100 >= all * 98, "{} of {all}", RULES.len());
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
