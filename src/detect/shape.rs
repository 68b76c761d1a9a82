//! Which digit rules a stretch of text could concern: one automaton over the *shapes* of all their patterns.
//!
//! A shape is a pattern in which every digit stands for any digit and every letter for any letter of its case. That keeps the automaton small
//! (its states hardly depend on what the digits are), and whatever a pattern matches, its shape matches too.

use regex_automata::{
    Input, MatchKind,
    hybrid::dfa::{Cache, Config, DFA},
    nfa::thompson,
    util::pool::Pool,
};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};
use std::ops::Range;

/// The shapes of all digit rules.
pub(super) struct Shapes {
    dfa: DFA,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>>,
}

/// The automaton's states of one thread: a few MiB at most.
const CACHE_BYTES: usize = 4 << 20;

impl Shapes {
    /// The shapes of `patterns`, numbered in their order.
    ///
    /// # Errors
    /// What the automaton's builder says of a pattern too large.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a Hir>) -> Result<Self, String> {
        let shapes: Vec<Hir> = patterns.map(shape).collect();
        let nfa = thompson::NFA::compiler()
            .configure(thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None))
            .build_many_from_hir(&shapes)
            .map_err(|error| error.to_string())?;
        let config = Config::new().match_kind(MatchKind::All).cache_capacity(CACHE_BYTES).skip_cache_capacity_check(true);
        // Text made to have ever new states must not make us build one for every byte.
        let config = config.minimum_cache_clear_count(Some(2)).minimum_bytes_per_state(Some(8));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|error| error.to_string())?;
        let for_caches = dfa.clone();
        Ok(Self { dfa, caches: Pool::new(Box::new(move || for_caches.create_cache())) })
    }

    /// Calls `hit` with the number of each pattern and each place at which a match of its shape inside `range` ends.
    ///
    /// # Errors
    /// [`GaveUp`] if the text keeps asking for new states; then nothing is known about `range` beyond what `hit` was told.
    pub(super) fn scan(&self, text: &[u8], range: Range<usize>, mut hit: impl FnMut(u32, usize)) -> Result<(), GaveUp> {
        let mut cache = self.caches.get();
        let cache = &mut *cache;
        let input = Input::new(text).range(range.clone());
        let mut state = self.dfa.start_state_forward(cache, &input).map_err(|_| GaveUp)?;
        cache.search_start(range.start);
        let mut tell = |cache: &Cache, state, at| {
            for index in 0..self.dfa.match_len(cache, state) {
                hit(self.dfa.match_pattern(cache, state, index).as_u32(), at);
            }
        };
        for (at, byte) in range.clone().zip(text.get(range.clone()).unwrap_or_default()) {
            state = match self.dfa.next_state(cache, state, *byte) {
                Ok(state) => state,
                Err(_) => {
                    cache.search_finish(at);
                    return Err(GaveUp);
                }
            };
            if state.is_tagged() {
                if state.is_match() {
                    tell(cache, state, at);
                } else if state.is_dead() || state.is_quit() {
                    break;
                }
            }
        }
        // A match is reported one byte late.
        let last = match text.get(range.end) {
            Some(byte) => self.dfa.next_state(cache, state, *byte),
            None => self.dfa.next_eoi_state(cache, state),
        };
        cache.search_finish(range.end);
        let last = last.map_err(|_| GaveUp)?;
        if last.is_match() {
            tell(cache, last, range.end);
        }
        Ok(())
    }
}

/// The automaton left its cache too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GaveUp;

/// Counted repetitions beyond this are left open.
const LONGEST: u32 = 40;

/// A pattern that matches all that `hir` does, and does not tell digits from digits or letters of a case from one another.
fn shape(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::concat(literal.0.iter().map(|byte| class_of(&[(*byte, *byte)])).collect()),
        HirKind::Class(Class::Bytes(class)) => {
            class_of(&class.ranges().iter().map(|range| (range.start(), range.end())).collect::<Vec<_>>())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ascii: Vec<_> = class.ranges().iter().filter(|range| range.start().is_ascii()).collect();
            let ascii: Vec<(u8, u8)> = ascii.iter().map(|range| (range.start() as u8, u32::from(range.end()).min(0x7F) as u8)).collect();
            let wide = class.ranges().iter().any(|range| !range.end().is_ascii());
            let mut either = Vec::new();
            if !ascii.is_empty() {
                either.push(class_of(&ascii));
            }
            if wide {
                let high = Box::new(class_of(&[(0x80, 0xFF)]));
                either.push(Hir::repetition(Repetition { min: 2, max: Some(4), greedy: true, sub: high }));
            }
            Hir::alternation(either)
        }
        HirKind::Look(look @ (Look::WordAscii | Look::Start | Look::End)) => Hir::look(*look),
        HirKind::Look(_) => Hir::empty(),
        HirKind::Repetition(repetition) => {
            let (min, max) = (repetition.min.min(LONGEST), repetition.max.filter(|max| *max <= LONGEST));
            Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(shape(&repetition.sub)) })
        }
        HirKind::Capture(capture) => shape(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(shape).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(shape).collect()),
    }
}

/// The class of these ranges, widened to whole kinds of bytes.
fn class_of(ranges: &[(u8, u8)]) -> Hir {
    let touches = |start: u8, end: u8| ranges.iter().any(|range| range.0 <= end && start <= range.1);
    let kinds = [(b'0', b'9'), (b'A', b'Z'), (b'a', b'z'), (0x80, 0xFF)];
    let mut class = ClassBytes::new(ranges.iter().map(|range| ClassBytesRange::new(range.0, range.1)));
    for (first, last) in kinds.into_iter().filter(|(first, last)| touches(*first, *last)) {
        class.push(ClassBytesRange::new(first, last));
    }
    Hir::class(Class::Bytes(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(patterns: &[&str], text: &str) -> Vec<(u32, usize)> {
        let hirs: Vec<Hir> =
            patterns.iter().map(|pattern| regex_syntax::parse(&super::super::pattern::ascii(pattern)).expect("pattern")).collect();
        let shapes = Shapes::new(hirs.iter()).expect("shapes");
        let mut hits = Vec::new();
        shapes.scan(text.as_bytes(), 0..text.len(), |rule, end| hits.push((rule, end))).expect("scan");
        hits
    }

    #[test]
    fn a_shape_does_not_tell_digits_apart_but_counts_them() {
        assert_eq!(hits(&[r"\b1[3-9]\d{3}\b"], "a 99999 b"), [(0, 7)]);
        assert_eq!(hits(&[r"\b1[3-9]\d{3}\b"], "a 999999 b"), []);
        assert_eq!(hits(&[r"\b1[3-9]\d{3}\b", r"\d{3}-\d\b"], "123-45 00000"), [(0, 12)]);
    }

    #[test]
    fn chinese_in_patterns_has_a_shape_too() {
        assert_eq!(hits(&[r"[京沪][A-Z]\d{3}\b"], "车牌粤B123"), [(0, "车牌粤B123".len())]);
    }
}
