//! A pattern as a list of steps, tried in order at one place of the text.
//!
//! Most tokens and identifiers are read straight on, because the next byte tells how a match continues. That is no faster than an automaton
//! whose states are at hand; but those of hundreds of rules are not, and they take ten times the memory. Where the next byte does not tell,
//! the first way is tried first, as the `regex` crate does. The steps are counted: who asks sets a limit in proportion to the text, and
//! has the pattern searched by an automaton when it is reached.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
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
    /// How a match can go on from here.
    onward: Onward,
}

enum Step {
    /// These bytes.
    Literal(Box<[u8]>),
    /// As many characters of a set as there are, at most and at least so many; fewer, if the rest does not fit, unless that is in vain.
    Run { set: Set, min: u32, max: u32, gives_back: bool },
    /// Nothing, in the right place.
    Look(Look),
    /// Start (0) or end (1) of the value.
    Mark(usize),
    /// The first of these that leads to the end.
    Choice(Box<[usize]>),
    /// The end of the match.
    End,
}

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

/// A walk through the steps, and what it came by; kept from match to match.
#[derive(Default)]
pub(super) struct Walk {
    place: Place,
    /// Where another way was open, the latest last: the node, the place then, and what is left to try: choices from that one on, or ends of
    /// the run down to that one.
    open: Vec<(usize, Place, usize)>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    at: usize,
    marks: [Option<usize>; 2],
}

/// Ways that are left open at a time; more are worth an automaton.
const MOST_OPEN: usize = 256;

impl Steps {
    /// The steps of `pattern`; `None` if they would be too many.
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        let mut builder = Builder::default();
        let end = builder.add(Step::End, 0, Onward { first: Bytes::default(), may_end: true })?;
        let start = builder.compile(pattern, end)?;
        let first = builder.onward(start).first;
        let shortest = pattern.properties().minimum_len().unwrap_or(0);
        Some(Self { nodes: builder.nodes, start, first, shortest })
    }

    /// The match that begins at the start of `window` and ends in it. What it costs is taken off `fuel`.
    pub(super) fn match_at(&self, text: &str, window: Range<usize>, walk: &mut Walk, fuel: &mut usize) -> Result<Option<Found>, GaveUp> {
        walk.place = Place { at: window.start, marks: [None; 2] };
        walk.open.clear();
        let seen = text.as_bytes().get(..window.end).unwrap_or_default();
        let mut at = self.start;
        while let Some(Node { step, next, .. }) = self.nodes.get(at) {
            *fuel = fuel.checked_sub(1).ok_or(GaveUp)?;
            let place = &mut walk.place;
            let goes_on = match step {
                Step::End => return Ok(Some(place.found(window.start))),
                Step::Literal(literal) => {
                    let fits = seen.get(place.at..).is_some_and(|rest| rest.starts_with(literal));
                    place.at += literal.len();
                    fits.then_some(*next)
                }
                Step::Run { set, min, max, gives_back } => {
                    let (least, have) = set.run(text, seen, place.at, *min);
                    let (most, _) = if have < *min { (least, 0) } else { set.run(text, seen, least, *max - *min) };
                    *fuel = fuel.saturating_sub(most - place.at);
                    place.at = most;
                    if *gives_back && least < most {
                        walk.open.push((at, *place, least));
                    }
                    (have == *min).then_some(*next)
                }
                Step::Look(look) => holds(*look, text.as_bytes(), place.at).then_some(*next),
                Step::Mark(which) => {
                    place.marks.get_mut(*which).into_iter().for_each(|mark| *mark = Some(place.at));
                    Some(*next)
                }
                Step::Choice(ways) => self.choose(at, ways, 0, seen, walk),
            };
            match goes_on.or_else(|| self.go_back(text, seen, walk, fuel)) {
                Some(next) if walk.open.len() <= MOST_OPEN => at = next,
                Some(_) => return Err(GaveUp),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The first match in `window`.
    pub(super) fn find(&self, text: &str, window: Range<usize>, walk: &mut Walk, fuel: &mut usize) -> Result<Option<Found>, GaveUp> {
        let starts = window.start..(window.end + 1).saturating_sub(self.shortest);
        let bytes = text.as_bytes().get(starts).unwrap_or_default();
        for (start, _) in (window.start..).zip(bytes).filter(|(_, byte)| self.first.holds(**byte)) {
            if let Some(found) = self.match_at(text, start..window.end, walk, fuel)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first of the ways from number `from` on that the next byte allows.
    fn choose(&self, node: usize, ways: &[usize], from: usize, seen: &[u8], walk: &mut Walk) -> Option<usize> {
        let byte = seen.get(walk.place.at).copied();
        let mut fitting = (from..).zip(ways.get(from..)?).filter(|(_, way)| self.nodes.get(**way).is_some_and(|way| way.onward.fits(byte)));
        let (_, way) = fitting.next()?;
        if let Some((other, _)) = fitting.next() {
            walk.open.push((node, walk.place, other));
        }
        Some(*way)
    }

    /// The next way that was left open.
    fn go_back(&self, text: &str, seen: &[u8], walk: &mut Walk, fuel: &mut usize) -> Option<usize> {
        while let Some((at, place, left)) = walk.open.pop() {
            walk.place = place;
            let Node { step, next, .. } = self.nodes.get(at)?;
            match step {
                Step::Choice(ways) => match self.choose(at, ways, left, seen, walk) {
                    None => {}
                    way => return way,
                },
                _run => {
                    let onward = self.nodes.get(*next)?.onward;
                    let fits = |end: &usize| text.is_char_boundary(*end) && onward.fits(seen.get(*end).copied());
                    let Some(end) = (left..place.at).rev().find(fits) else { continue };
                    *fuel = fuel.saturating_sub(place.at - end);
                    walk.place.at = end;
                    if left < end {
                        walk.open.push((at, walk.place, left));
                    }
                    return Some(*next);
                }
            }
        }
        None
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

/// Whether `look`, one that [`Builder`] takes, holds at `at`.
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

/// A set of bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Bytes([u64; 4]);

impl Bytes {
    fn add(&mut self, bytes: std::ops::RangeInclusive<u8>) {
        for byte in bytes {
            self.0.get_mut(usize::from(byte / 64)).into_iter().for_each(|bits| *bits |= 1 << (byte % 64));
        }
    }

    fn holds(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|bits| bits >> (byte % 64) & 1 == 1)
    }

    fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    fn union(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        self
    }
}

/// A set of characters.
struct Set {
    /// First bytes of their encodings: of those in ASCII, all there is to know.
    first: Bytes,
    /// Those beyond ASCII, in order.
    wide: Box<[(char, char)]>,
}

impl Set {
    /// The characters of which `hir` matches exactly one.
    fn of(hir: &Hir) -> Option<Self> {
        let mut first = Bytes::default();
        let mut wide = Vec::new();
        match hir.kind() {
            HirKind::Literal(literal) => match *literal.0 {
                [byte] if byte.is_ascii() => first.add(byte..=byte),
                _ => return None,
            },
            HirKind::Class(Class::Bytes(class)) => {
                for range in class.ranges() {
                    first.add(range.start()..=range.end());
                }
                if !class.is_ascii() {
                    return None;
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                let lead = |char: char| char.encode_utf8(&mut [0; 4]).bytes().next().unwrap_or_default();
                for range in class.ranges() {
                    first.add(lead(range.start())..=lead(range.end()));
                    if !range.end().is_ascii() {
                        wide.push((range.start().max('\u{80}'), range.end()));
                    }
                }
            }
            _other => return None,
        }
        Some(Self { first, wide: wide.into() })
    }

    /// Where the first `count` of these characters end that stand from `at` on; fewer, if fewer stand there. And how many they are.
    fn run(&self, text: &str, seen: &[u8], mut at: usize, count: u32) -> (usize, u32) {
        let mut have = 0;
        while have < count
            && let Some(width) = seen.get(at).and_then(|byte| self.width(*byte, text, at))
            && at + width <= seen.len()
        {
            at += width;
            have += 1;
        }
        (at, have)
    }

    /// Bytes of the character at `at`, which begins with `byte`, if it is of the set.
    fn width(&self, byte: u8, text: &str, at: usize) -> Option<usize> {
        if !self.first.holds(byte) {
            return None;
        }
        if byte.is_ascii() {
            return Some(1);
        }
        let char = text.get(at..)?.chars().next()?;
        let range = self.wide.partition_point(|(_, last)| *last < char);
        self.wide.get(range).is_some_and(|(start, _)| *start <= char).then(|| char.len_utf8())
    }
}

/// More steps than an automaton would have states.
const MOST_NODES: usize = 2000;

/// Puts a list of steps together, from its end.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
}

impl Builder {
    fn add(&mut self, step: Step, next: usize, onward: Onward) -> Option<usize> {
        self.nodes.push(Node { step, next, onward });
        (self.nodes.len() <= MOST_NODES).then_some(self.nodes.len() - 1)
    }

    fn onward(&self, node: usize) -> Onward {
        self.nodes.get(node).map(|node| node.onward).unwrap_or_default()
    }

    /// The first step of `hir`, behind which `next` follows.
    fn compile(&mut self, hir: &Hir, next: usize) -> Option<usize> {
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                let mut first = Bytes::default();
                first.add(*literal.0.first()?..=*literal.0.first()?);
                self.add(Step::Literal(literal.0.clone()), next, Onward { first, may_end: false })
            }
            HirKind::Class(_) => self.run(Set::of(hir)?, 1, 1, next),
            HirKind::Look(look) => {
                let known = matches!(look, Look::WordAscii | Look::Start | Look::End | Look::StartLF | Look::EndLF);
                known.then(|| self.add(Step::Look(*look), next, self.onward(next)))?
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => {
                let end = self.add(Step::Mark(1), next, self.onward(next))?;
                let inside = self.compile(&capture.sub, end)?;
                self.add(Step::Mark(0), inside, self.onward(inside))
            }
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.compile(part, next)),
            HirKind::Alternation(parts) => {
                let ways = parts.iter().map(|part| self.compile(part, next)).collect::<Option<Vec<_>>>()?;
                self.choice(ways)
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition, next: usize) -> Option<usize> {
        let Repetition { min, max, greedy, sub } = repetition;
        if *greedy && let Some(set) = Set::of(sub) {
            return self.run(set, *min, max.unwrap_or(u32::MAX), next);
        }
        // Nothing, again and again, has no end.
        if sub.properties().minimum_len().is_none_or(|least| least == 0) {
            return None;
        }
        let either = |more: usize| if *greedy { vec![more, next] } else { vec![next, more] };
        let optional = match max {
            Some(max) => (*min..*max).try_fold(next, |rest, _| {
                let once = self.compile(sub, rest)?;
                self.choice(either(once))
            })?,
            None => {
                // The way back is known when all of it is compiled.
                let first = self.compile(sub, next)?;
                let head = self.choice(either(first))?;
                let again = self.compile(sub, head)?;
                self.nodes.get_mut(head)?.step = Step::Choice(either(again).into());
                head
            }
        };
        (0..*min).try_fold(optional, |next, _| self.compile(sub, next))
    }

    fn run(&mut self, set: Set, min: u32, max: u32, next: usize) -> Option<usize> {
        let after = self.onward(next);
        // What can only go on with a byte that the run cannot hold goes on where the run ends or nowhere.
        let gives_back = min != max && (after.may_end || set.first.touches(&after.first));
        let mut onward = Onward { first: set.first, may_end: false };
        if min == 0 {
            onward = Onward { first: set.first.union(&after.first), may_end: after.may_end };
        }
        self.add(Step::Run { set, min, max, gives_back }, next, onward)
    }

    fn choice(&mut self, ways: Vec<usize>) -> Option<usize> {
        let onward = ways
            .iter()
            .map(|way| self.onward(*way))
            .reduce(|all, way| Onward { first: all.first.union(&way.first), may_end: all.may_end || way.may_end })?;
        self.add(Step::Choice(ways.into()), 0, onward)
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
        steps.match_at(text, window, &mut Walk::default(), &mut 10_000).expect("fuel")
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
        let mut fuel = 5000;
        assert_eq!(Steps::of(&hir).expect("steps").match_at(&text, 0..60, &mut Walk::default(), &mut fuel), Err(GaveUp));
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
