//! A pattern as a list of steps, read from one place of the text on.
//!
//! Of most tokens and identifiers the next byte tells how a match goes on, and a step is a literal or a whole run of characters of one kind.
//! Where the next byte does not tell, the ways are followed side by side, in the order in which a search would try them (Pike's simulation),
//! and those that meet become one: nothing is tried again. That is no faster than an automaton whose states are at hand; but those of
//! hundreds of rules are not, and they take ten times the memory. Reading is counted, and a pattern that reads too much is searched by an
//! automaton.

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
    /// Whether it begins at a border of words.
    at_border: bool,
    /// Bytes of the shortest match.
    shortest: usize,
}

/// A match: what the group called `value` holds (or all), and all.
pub(super) type Found = (Range<usize>, Range<usize>);

/// More was read than is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GaveUp;

/// Steps and characters that may be read for each byte of a window, and in all for a few.
const READS: usize = 16;
const FEWEST_READS: usize = 500;
/// Ways at a time; more are worth an automaton.
const MOST_THREADS: usize = 64;

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
    /// The first of these that leads to the end.
    Choice(Box<[(Onward, usize)]>),
    /// The end of the match.
    End,
}

/// What follows a run.
enum Then {
    /// What no character of the run can be: the run goes as far as it can.
    More,
    /// What may begin before the run ends.
    Sooner(Box<Onward>),
    /// Nothing but looks: the match ends at the last place of the run where it may.
    End,
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

    fn union(&self, other: &Self) -> Self {
        Self { first: self.first.union(&other.first), may_end: self.may_end || other.may_end }
    }
}

/// A way that is followed: the step it is at, how much of a run it has read, and where.
#[derive(Clone, Copy, Default)]
struct Thread {
    node: usize,
    have: u32,
    at: usize,
    marks: [Option<usize>; 2],
}

impl Thread {
    fn is_at(&self, other: &Self) -> bool {
        (self.at, self.node, self.have) == (other.at, other.node, other.have)
    }

    fn found(self, start: usize) -> Found {
        let all = start..self.at;
        let value = match self.marks {
            [Some(start), Some(end)] => start..end,
            _ => all.clone(),
        };
        (value, all)
    }
}

/// The ways that are followed, the foremost first; kept from match to match.
#[derive(Default)]
pub(super) struct Threads {
    now: Vec<Thread>,
    later: Vec<Thread>,
    /// What may yet be read.
    left: usize,
}

impl Threads {
    /// Allows for reading `window` once.
    fn allow(&mut self, window: &Range<usize>) {
        self.left = window.len() * READS + FEWEST_READS;
    }

    fn spend(&mut self, reads: usize) -> Result<(), GaveUp> {
        self.left = self.left.checked_sub(reads).ok_or(GaveUp)?;
        Ok(())
    }

    /// Follows `thread` when the others are as far.
    fn put_off(&mut self, thread: Thread) -> Result<(), GaveUp> {
        if self.later.len() == MOST_THREADS {
            return Err(GaveUp);
        }
        if !self.later.iter().any(|other| other.is_at(&thread)) {
            self.later.push(thread);
        }
        Ok(())
    }
}

/// A text and how far of it a match may read.
#[derive(Clone, Copy)]
struct Seen<'t> {
    text: &'t str,
    bytes: &'t [u8],
}

impl Steps {
    /// The match that begins at the start of `window` and ends in it.
    ///
    /// # Errors
    /// [`GaveUp`] when too much was read in vain.
    pub(super) fn match_at(&self, text: &str, window: Range<usize>, threads: &mut Threads) -> Result<Option<Found>, GaveUp> {
        threads.allow(&window);
        self.walk(text, window, threads)
    }

    /// The first match in `window`.
    ///
    /// # Errors
    /// As [`match_at`](Self::match_at).
    pub(super) fn find(&self, text: &str, window: Range<usize>, threads: &mut Threads) -> Result<Option<Found>, GaveUp> {
        threads.allow(&window);
        let starts = window.start..(window.end + 1).saturating_sub(self.shortest);
        let bytes = text.as_bytes().get(starts).unwrap_or_default();
        let mut left = window.start.checked_sub(1).and_then(|left| text.as_bytes().get(left)).copied();
        for (start, byte) in (window.start..).zip(bytes) {
            let before = left.replace(*byte);
            let may_begin = self.first.holds(*byte) && !(self.at_border && is_word(before) == is_word(Some(*byte)));
            if may_begin && let Some(found) = self.walk(text, start..window.end, threads)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn walk(&self, text: &str, window: Range<usize>, threads: &mut Threads) -> Result<Option<Found>, GaveUp> {
        let seen = Seen { text, bytes: text.as_bytes().get(..window.end).unwrap_or_default() };
        let mut end = None;
        threads.later.clear();
        let first = Thread { node: self.start, at: window.start, ..Thread::default() };
        if let Some(last) = self.follow(first, true, seen, threads)? {
            end = Some(last);
        }
        while let Some(at) = threads.later.iter().map(|thread| thread.at).min() {
            let mut now = std::mem::replace(&mut threads.later, std::mem::take(&mut threads.now));
            threads.spend(now.len())?;
            let alone = now.len() == 1;
            for thread in now.drain(..) {
                if thread.at > at {
                    threads.put_off(thread)?;
                } else if let Some(last) = self.follow(thread, alone, seen, threads)? {
                    // Ways after this one do not matter any more.
                    end = Some(last);
                    break;
                }
            }
            now.clear();
            threads.now = now;
        }
        Ok(end.map(|thread| thread.found(window.start)))
    }

    /// Follows a way until it has read something; one that is `alone`, to where it parts or ends. The end of a match, if it gets there.
    fn follow(&self, mut thread: Thread, alone: bool, seen: Seen<'_>, threads: &mut Threads) -> Result<Option<Thread>, GaveUp> {
        while let Some(Node { step, next }) = self.nodes.get(thread.node) {
            threads.spend(1)?;
            let before = thread.at;
            match step {
                Step::End => return Ok(Some(thread)),
                Step::Literal(literal) => {
                    if !seen.bytes.get(thread.at..).is_some_and(|rest| rest.starts_with(literal)) {
                        return Ok(None);
                    }
                    thread = Thread { node: *next, at: thread.at + literal.len(), ..thread };
                }
                Step::Letters(letters) => {
                    let end = thread.at + letters.len();
                    if !seen.bytes.get(thread.at..end).is_some_and(|there| there.eq_ignore_ascii_case(letters)) {
                        return Ok(None);
                    }
                    thread = Thread { node: *next, at: end, ..thread };
                }
                Step::Run { set, min, max, then } => {
                    if thread.have < *min {
                        (thread.at, thread.have) = set.run(seen.text, seen.bytes, thread.at, *min);
                        if thread.have < *min {
                            return Ok(None);
                        }
                    }
                    match then {
                        Then::More => {
                            thread.at = set.run(seen.text, seen.bytes, thread.at, *max - thread.have).0;
                            thread = Thread { node: *next, have: 0, ..thread };
                        }
                        Then::End => {
                            let most = set.run(seen.text, seen.bytes, thread.at, *max - thread.have).0;
                            threads.spend(most - before)?;
                            let ends = (thread.at..=most).rev().filter(|end| seen.text.is_char_boundary(*end));
                            return Ok(ends
                                .map(|at| Thread { at, node: *next, have: 0, ..thread })
                                .find_map(|end| self.end(seen.text, end)));
                        }
                        Then::Sooner(onward) => {
                            let byte = seen.bytes.get(thread.at).copied();
                            let end = set.run(seen.text, seen.bytes, thread.at, u32::from(thread.have < *max)).0;
                            let longer = Thread { at: end, have: thread.have + 1, ..thread };
                            match (end > thread.at, onward.fits(byte)) {
                                (true, false) => thread = longer,
                                (true, true) => {
                                    threads.put_off(longer)?;
                                    thread = Thread { node: *next, have: 0, ..thread };
                                }
                                (false, true) => thread = Thread { node: *next, have: 0, ..thread },
                                (false, false) => return Ok(None),
                            }
                        }
                    }
                }
                Step::Look(look) => {
                    if !holds(*look, seen.text.as_bytes(), thread.at) {
                        return Ok(None);
                    }
                    thread.node = *next;
                }
                Step::Mark(which) => {
                    thread.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(thread.at));
                    thread.node = *next;
                }
                Step::Choice(ways) => {
                    let byte = seen.bytes.get(thread.at).copied();
                    let mut fitting = ways.iter().filter(|(onward, _)| onward.fits(byte)).map(|(_, node)| *node);
                    let Some(mut way) = fitting.next() else { return Ok(None) };
                    for other in fitting {
                        if let Some(end) = self.follow(Thread { node: way, ..thread }, false, seen, threads)? {
                            return Ok(Some(end));
                        }
                        way = other;
                    }
                    thread.node = way;
                }
            }
            if thread.at > before {
                threads.spend(thread.at - before)?;
                if !alone || !threads.later.is_empty() {
                    threads.put_off(thread)?;
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// The end of the match where `thread` is, if the looks from there on, where nothing else is left, hold.
    fn end(&self, text: &str, mut thread: Thread) -> Option<Thread> {
        loop {
            let Node { step, next } = self.nodes.get(thread.node)?;
            match step {
                Step::End => return Some(thread),
                Step::Mark(which) => thread.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(thread.at)),
                Step::Look(look) if holds(*look, text.as_bytes(), thread.at) => {}
                _fails => return None,
            }
            thread.node = *next;
        }
    }
}

/// Whether `look`, of a kind that patterns have as steps, holds at `at`.
fn holds(look: Look, text: &[u8], at: usize) -> bool {
    let (left, right) = (at.checked_sub(1).and_then(|left| text.get(left)).copied(), text.get(at).copied());
    match look {
        Look::WordAscii => is_word(left) != is_word(right),
        Look::Start => left.is_none(),
        Look::End => right.is_none(),
        Look::StartLF => matches!(left, None | Some(b'\n')),
        Look::EndLF => matches!(right, None | Some(b'\n')),
        _other => false,
    }
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{engine, pattern, rule, rule::Rule, shipped};
    use proptest::prelude::*;
    use regex_automata::{Anchored, Input, meta::Regex, util::primitives::NonMaxUsize};
    use std::sync::LazyLock;

    fn walked(steps: &Steps, text: &str, window: Range<usize>) -> Result<Option<Found>, GaveUp> {
        steps.match_at(text, window, &mut Threads::default())
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
            r"[ab中]{0,3}(?:ab|b中)a*",
            r"(?:a|b|ab)*(?P<value>b)(?:a|\z)",
            r"(?:a(?P<value>b*))+",
            r"a(?:$|b)",
            r"a(?:b|$|中1)",
            r"(?m)^a[\s\S]*b$",
            r"\d+(?:\.\d+)?\b",
            r"[a\n]{0,3}\b",
            r"[a中]{1,3}\b",
            r"a{2,3}(?P<value>[^a]|\z)",
            r"[^b]*中|a",
            r"(?i)aB|k",
            r"(?i)b+bA1?",
            r"[a-f中-鿿]{2}(?P<value>1|)",
        ] {
            let hir = regex_syntax::parse(&pattern::ascii(pattern)).expect("pattern");
            let (steps, regex) = engine::both(&hir).unwrap_or_else(|| panic!("{pattern}"));
            for number in 0..4_usize.pow(7) {
                let text: String = (0..7).map(|place| ["a", "b", "中", "\n1"][number / 4_usize.pow(place) % 4]).collect();
                assert_eq!(walked(&steps, &text, 0..text.len()), Ok(searched(&regex, &text, 0..text.len())), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn what_takes_too_many_steps_is_left_to_an_automaton() {
        let steps = |pattern: &str| Steps::of(&regex_syntax::parse(pattern).expect("pattern")).expect("steps");
        let (text, mut threads) = ("a".repeat(10_000), Threads::default());
        assert_eq!(steps("(?:a|aa|aaa)*b").match_at(&text, 0..10_000, &mut threads), Ok(None));
        assert_eq!(steps("[ab]{0,900}[ac]{0,900}[ad]{0,900}b").match_at(&text, 0..10_000, &mut threads), Err(GaveUp));
        assert_eq!(steps("[a-z]+@").find(&text, 0..10_000, &mut threads), Err(GaveUp));
        assert_eq!(steps("[a-z]+@").find("some aa@", 0..8, &mut threads), Ok(Some((5..8, 5..8))));
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
                if let Ok(found) = walked(steps, &text, window.clone()) {
                    prop_assert_eq!(found, searched(regex, &text, window), "{} {} {}", &rule.id, &text, start);
                }
            }
        }
    }
}
