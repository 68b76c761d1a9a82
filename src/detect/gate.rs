//! A second look at a keyword: whether the bytes right before and after it could be those of the rule's pattern.
//!
//! `name` stands in every other sentence; `name: "` does not. For each keyword of a rule we work out once, from the pattern, which bytes can
//! stand at each of the eight places on either side of it. Most wake-ups end here, after a few table look-ups.

use regex_automata::nfa::thompson::{Config, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_syntax::hir::{Hir, HirKind, Repetition};

/// Which bytes can stand near a keyword in a match: bit `n` for the place `n` bytes off.
pub(super) struct Gate {
    before: [u8; 256],
    after: [u8; 256],
    /// Bytes that a match can begin with.
    first: [bool; 256],
    /// How many bytes before the keyword a match begins at most; `None` if that is far.
    lead: Option<usize>,
}

/// Places looked at on each side: the bits of a byte.
const PLACES: usize = 8;
/// Matches that begin farther before their keyword are looked for in all of the window.
const FARTHEST: usize = 64;

impl Gate {
    /// The gate of `keyword` in matches of `pattern`; wide open for a pattern too large.
    pub(super) fn of(pattern: &Hir, keyword: &[u8]) -> Self {
        let backwards: Vec<u8> = keyword.iter().rev().copied().collect();
        let open = Self { before: OPEN, after: OPEN, first: [true; 256], lead: None };
        let (Some(ahead), Some(back)) = (automaton(&loosened(pattern, PLACES), false), automaton(&loosened(pattern, FARTHEST), true))
        else {
            return open;
        };
        let (Some(after), Some(before)) = (Set::after_keyword(&ahead, keyword), Set::after_keyword(&back, &backwards)) else { return open };
        let mut first = [false; 256];
        Set::start(&ahead).closures(&ahead, false).0.each_range(&ahead, |from, to| {
            first.get_mut(usize::from(from)..=usize::from(to)).unwrap_or_default().fill(true);
        });
        let lead = before.farthest(&back);
        Self { before: near(&back, before, backwards.last()), after: near(&ahead, after, keyword.last()), first, lead }
    }

    /// How many bytes before the keyword a match begins at most, if not far.
    pub(super) fn lead(&self) -> Option<usize> {
        self.lead
    }

    /// Whether a match can begin with `byte`.
    pub(super) fn can_begin(&self, byte: u8) -> bool {
        self.first.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether a match can hold the keyword at `start..end` of `text`.
    pub(super) fn lets_pass(&self, text: &[u8], start: usize, end: usize) -> bool {
        let fits =
            |table: &[u8; 256], (place, byte): (usize, &u8)| table.get(usize::from(*byte)).is_some_and(|places| places >> place & 1 == 1);
        let after = text.get(end..).unwrap_or_default().iter().take(PLACES).enumerate();
        let before = text.get(..start).unwrap_or_default().iter().rev().take(PLACES).enumerate();
        after.into_iter().all(|at| fits(&self.after, at)) && before.into_iter().all(|at| fits(&self.before, at))
    }
}

/// A pattern that matches all that `hir` does and is small: repetitions of more than `longest` become endless ones.
fn loosened(hir: &Hir, longest: usize) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Capture(capture) => loosened(&capture.sub, longest),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| loosened(part, longest)).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(|part| loosened(part, longest)).collect()),
        HirKind::Repetition(repetition) => {
            let short = repetition.max.is_some_and(|max| max as usize <= longest);
            let (min, max) = if short { (repetition.min, repetition.max) } else { (repetition.min.min(1), None) };
            Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(loosened(&repetition.sub, longest)) })
        }
    }
}

const OPEN: [u8; 256] = [u8::MAX; 256];

/// The automaton of `pattern`, read backwards if `reverse`; `None` if it is too large.
fn automaton(pattern: &Hir, reverse: bool) -> Option<NFA> {
    let config = Config::new().reverse(reverse).which_captures(WhichCaptures::None).utf8(false).nfa_size_limit(Some(1 << 20));
    NFA::compiler().configure(config).build_from_hir(pattern).ok()
}

/// What can follow `states`, reached behind the byte `last`.
fn near(nfa: &NFA, mut states: Set, last: Option<&u8>) -> [u8; 256] {
    let mut table = [0u8; 256];
    for place in 0..PLACES {
        // A border of words between the keyword and what is next to it binds the first place.
        let word_like = last.filter(|_| place == 0).copied().map(is_word);
        let (free, bound) = states.closures(nfa, word_like.is_some());
        for (set, must_differ) in [(&free, None), (&bound, word_like)] {
            let fits = |byte: u8| must_differ.is_none_or(|word_like| is_word(byte) != word_like);
            let ends = set.holds_match(nfa);
            if ends {
                (0..=255).zip(&mut table).filter(|(byte, _)| fits(*byte)).for_each(|(_, places)| *places |= 1 << place);
                table.iter_mut().for_each(|places| *places |= (0xFEu16 << place) as u8);
            }
            set.each_range(nfa, |from, to| {
                (0..=255)
                    .zip(&mut table)
                    .filter(|(byte, _)| (from..=to).contains(byte) && fits(*byte))
                    .for_each(|(_, places)| *places |= 1 << place);
            });
        }
        states = free.union(&bound).step(nfa, |_, _| true);
    }
    table
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A set of an automaton's states.
struct Set(Vec<bool>);

impl Set {
    fn start(nfa: &NFA) -> Self {
        let mut start = Self(vec![false; nfa.states().len()]);
        if let Some(slot) = start.0.get_mut(nfa.start_anchored().as_usize()) {
            *slot = true;
        }
        start
    }

    /// All that a match can pass through (and not the loop before one).
    fn all(nfa: &NFA) -> Self {
        let mut seen = vec![false; nfa.states().len()];
        let mut todo = vec![nfa.start_anchored().as_usize()];
        while let Some(at) = todo.pop() {
            let Some(slot) = seen.get_mut(at).filter(|seen| !**seen) else { continue };
            *slot = true;
            if let Some(state) = nfa.states().get(at) {
                transitions(state, |_, _, next| todo.push(next));
                epsilons(state, |next, _| todo.push(next));
            }
        }
        Self(seen)
    }

    /// Where one can be after a keyword. It is a literal of the pattern, not what some class happens to match; if it is none, it may be
    /// anything.
    fn after_keyword(nfa: &NFA, word: &[u8]) -> Option<Self> {
        [1, usize::from(u8::MAX) + 1].into_iter().map(|widest| Self::after(nfa, word, widest)).find(|states| states.0.contains(&true))
    }

    /// The most bytes to the end of a match from here, if they are not many.
    fn farthest(&self, nfa: &NFA) -> Option<usize> {
        let mut states = Self(self.0.clone());
        let mut farthest = 0;
        for step in 0..=FARTHEST {
            states = states.closures(nfa, false).0;
            if states.holds_match(nfa) {
                farthest = step;
            }
            states = states.step(nfa, |_, _| true);
            if !states.0.contains(&true) {
                return Some(farthest);
            }
        }
        None
    }

    /// Where one can be after `word`, read through transitions on at most `widest` bytes.
    fn after(nfa: &NFA, word: &[u8], widest: usize) -> Self {
        word.iter().fold(Self::all(nfa), |states, byte| {
            let is_it =
                |from: u8, to: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()].iter().any(|byte| (from..=to).contains(byte));
            states.closures(nfa, false).0.step(nfa, |from, to| usize::from(to - from) < widest && is_it(from, to))
        })
    }

    fn members<'a>(&'a self, nfa: &'a NFA) -> impl Iterator<Item = &'a State> {
        self.0.iter().zip(nfa.states()).filter(|(member, _)| **member).map(|(_, state)| state)
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a || *b).collect())
    }

    fn holds_match(&self, nfa: &NFA) -> bool {
        self.members(nfa).any(|state| matches!(state, State::Match { .. }))
    }

    fn each_range(&self, nfa: &NFA, mut each: impl FnMut(u8, u8)) {
        for state in self.members(nfa) {
            transitions(state, |from, to, _| each(from, to));
        }
    }

    /// Where the transitions on ranges that `takes` lead.
    fn step(&self, nfa: &NFA, takes: impl Fn(u8, u8) -> bool) -> Self {
        let mut next = vec![false; self.0.len()];
        for state in self.members(nfa) {
            transitions(state, |from, to, target| {
                if takes(from, to)
                    && let Some(slot) = next.get_mut(target)
                {
                    *slot = true;
                }
            });
        }
        Self(next)
    }

    /// What is reached without input; apart from the rest, if `borders`, what lies behind a border of words.
    fn closures(&self, nfa: &NFA, borders: bool) -> (Self, Self) {
        let mut free = vec![false; self.0.len()];
        let mut bound = vec![false; self.0.len()];
        let mut todo: Vec<(usize, bool)> = self.0.iter().enumerate().filter(|(_, member)| **member).map(|(at, _)| (at, false)).collect();
        while let Some((at, behind)) = todo.pop() {
            let set = if behind { &mut bound } else { &mut free };
            let Some(slot) = set.get_mut(at).filter(|seen| !**seen) else { continue };
            *slot = true;
            if let Some(state) = nfa.states().get(at) {
                epsilons(state, |next, border| todo.push((next, behind || (borders && border))));
            }
        }
        (Self(free), Self(bound))
    }
}

/// Where `state` leads without input, and whether over a border of words.
fn epsilons(state: &State, mut each: impl FnMut(usize, bool)) {
    match state {
        State::Union { alternates } => alternates.iter().for_each(|next| each(next.as_usize(), false)),
        State::BinaryUnion { alt1, alt2 } => [alt1, alt2].into_iter().for_each(|next| each(next.as_usize(), false)),
        State::Capture { next, .. } => each(next.as_usize(), false),
        State::Look { look, next } => each(next.as_usize(), *look == Look::WordAscii),
        State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Fail | State::Match { .. } => {}
    }
}

fn transitions(state: &State, mut each: impl FnMut(u8, u8, usize)) {
    match state {
        State::ByteRange { trans } => each(trans.start, trans.end, trans.next.as_usize()),
        State::Sparse(sparse) => sparse.transitions.iter().for_each(|trans| each(trans.start, trans.end, trans.next.as_usize())),
        State::Dense(dense) => {
            (0..=255)
                .zip(dense.transitions.iter())
                .filter(|(_, next)| next.as_usize() != 0)
                .for_each(|(byte, next)| each(byte, byte, next.as_usize()));
        }
        State::Look { .. }
        | State::Union { .. }
        | State::BinaryUnion { .. }
        | State::Capture { .. }
        | State::Fail
        | State::Match { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(pattern: &str, keyword: &str, text: &str) -> bool {
        let hir = regex_syntax::parse(&super::super::pattern::ascii(pattern)).expect("pattern");
        let start = text.to_ascii_lowercase().find(keyword).expect("keyword");
        Gate::of(&hir, keyword.as_bytes()).lets_pass(text.as_bytes(), start, start + keyword.len())
    }

    #[test]
    fn words_of_prose_do_not_pass() {
        let pattern = r#"(?i:\b(?:full[ _]?name|name))["']?\s{0,2}[:=]\s{0,2}["']?(?P<value>[A-Z][a-z]{1,20})"#;
        for text in ["the name of it", "my surnames: A", "namely", "names = Bob"] {
            assert!(!passes(pattern, "name", text), "{text}");
        }
        for text in ["name: Bob", "\"full_name\": \"Bob", "Name=Bob", "fullname", "name"] {
            assert!(passes(pattern, "name", text), "{text}");
        }
    }

    #[test]
    fn borders_of_words_bind_both_sides() {
        assert!(!passes(r"\blat\b\d?", "lat", "translate"));
        assert!(!passes(r"\blat\b", "lat", "late"));
        assert!(!passes(r"\blat\b", "lat", "flat"));
        assert!(passes(r"\blat\b", "lat", "a lat"));
    }

    #[test]
    fn the_beginning_of_a_match_is_near_its_keyword() {
        let lead = |pattern: &str, keyword: &str| {
            let hir = regex_syntax::parse(&super::super::pattern::ascii(pattern)).expect("pattern");
            Gate::of(&hir, keyword.as_bytes()).lead()
        };
        assert_eq!(lead(r"\b(?i:key|app[_-]?key)=x", "key"), Some(4));
        assert_eq!(lead(r"\bkey=x", "key"), Some(0));
        assert_eq!(lead(r"[a-z]{0,24}secret[a-z]{0,900}=", "secret"), Some(24));
        assert_eq!(lead(r"[a-z]+secret=", "secret"), None);
    }

    #[test]
    fn a_keyword_may_stand_anywhere_in_the_match() {
        let pattern = r"[a-z]{0,24}secret[a-z]{0,8}=\d{4,900}x";
        assert!(passes(pattern, "secret", "mysecretkey=1234x"));
        assert!(!passes(pattern, "secret", "secret key"));
        assert!(!passes(pattern, "secret", "secret-=1"));
    }
}
