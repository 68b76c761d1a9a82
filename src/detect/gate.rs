//! A second look at a keyword: whether the bytes around it could be those of the rule's pattern, and where a match could begin and end.
//!
//! `name` stands in every other sentence; `name: "` does not. For each keyword of a rule we work out once, from the pattern, which bytes can
//! stand at each place on either side of it, and with which a match can end there. Then we walk outwards from the keyword in both
//! directions, one look into a table a byte. Most walks end after a few steps without a place to begin or to end, and with them most
//! wake-ups; the others leave a few places at which the pattern itself is tried.

use regex_automata::nfa::thompson::{Config, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_syntax::hir::{Hir, HirKind, Repetition};
use std::{collections::HashMap, ops::Range};

/// What can stand around a keyword in a match.
pub(super) struct Gate {
    before: Side,
    after: Side,
}

/// Where the matches that hold a keyword can lie.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// Bytes before the keyword at which a match can begin: bit `n` for `n`.
    begins: u64,
    /// Whether one can begin beyond those: from where on.
    far: Option<usize>,
    /// Start of the keyword.
    keyword: usize,
    /// No match reaches farther; `None` if that is far.
    pub(super) end: Option<usize>,
}

impl Passage {
    /// From where on matches can begin.
    pub(super) fn first(&self) -> usize {
        self.far.unwrap_or_else(|| self.keyword.saturating_sub(self.begins.checked_ilog2().unwrap_or(0) as usize))
    }

    /// The places at which matches can begin, if they are few.
    pub(super) fn beginnings(&self) -> Option<impl Iterator<Item = usize>> {
        let mut left = self.begins;
        self.far.is_none().then_some(std::iter::from_fn(move || {
            let distance = left.checked_ilog2()?;
            left ^= 1 << distance;
            self.keyword.checked_sub(distance as usize)
        }))
    }
}

/// Places that are told from one another on each side: the bits of a mask. The last stands for all beyond.
const PLACES: usize = 64;
/// A walk beyond the end of the keyword leaves the end open after so many bytes.
const FARTHEST_END: usize = 128;

impl Gate {
    /// The gate of `keyword` in matches of `pattern`; wide open for a pattern too large.
    pub(super) fn of(pattern: &Hir, keyword: &[u8]) -> Self {
        let backwards: Vec<u8> = keyword.iter().rev().copied().collect();
        let pattern = loosened(pattern);
        let side =
            |reverse, keyword: &[u8]| automaton(&pattern, reverse).and_then(|nfa| Side::of(&nfa, keyword)).unwrap_or_else(Side::open);
        Self { before: side(true, &backwards), after: side(false, keyword) }
    }

    /// Where a match can lie that holds the keyword at `keyword` of `text` and reaches at most `before` bytes beyond it; `None` if nowhere.
    pub(super) fn passage(&self, text: &[u8], keyword: Range<usize>, before: usize) -> Option<Passage> {
        // Most that fail do so right behind the keyword.
        if !self.after.may_follow(text.get(keyword.end)) {
            return None;
        }
        // Few patterns begin with long stretches of anything, so this walk is the shorter one.
        let lead = text.get(..keyword.start)?.iter().rev().take(before);
        let begins = self.before.walk(lead, |distance| self.before.may_end(text, keyword.start.saturating_sub(distance)));
        begins.farthest()?;
        let rest = text.get(keyword.end..)?;
        let ends = self.after.walk(rest.iter().take(FARTHEST_END), |distance| self.after.may_end(text, keyword.end + distance));
        let is_open = ends.going_on && rest.len() > FARTHEST_END;
        let end = if is_open { None } else { Some(keyword.end + ends.farthest()?) };
        let far = begins.far.map(|distance| keyword.start.saturating_sub(distance));
        Some(Passage { begins: begins.near, far, keyword: keyword.start, end })
    }
}

/// What can stand on one side of a keyword, and where a match can end there (to the left: begin).
struct Side {
    /// Bytes that no place tells apart are of one class.
    class: [u8; 256],
    /// By class.
    places: Vec<Places>,
    /// Whether a match can end with the keyword.
    ends_at_keyword: bool,
    /// What holds wherever a match ends.
    at_end: AtEnd,
}

/// For bytes of one class, a bit for each place.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Places {
    /// A match can have such a byte there,
    through: u64,
    /// and can end with it.
    ends: u64,
}

/// What must hold where a match ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtEnd {
    Anything,
    /// A border of words (`\b`).
    Word,
    /// A border of lines (`^` and `$`, of lines or of the text).
    Line,
}

/// Where a walk passed ends of matches.
#[derive(Default)]
struct Ends {
    /// Bit `n`: `n` bytes off.
    near: u64,
    /// The farthest, if beyond those.
    far: Option<usize>,
    /// Whether the bytes ended before the walk did.
    going_on: bool,
}

impl Ends {
    fn farthest(&self) -> Option<usize> {
        self.far.or_else(|| self.near.checked_ilog2().map(|bit| bit as usize))
    }
}

impl Side {
    /// What can follow `keyword` in the matches of `nfa`.
    fn of(nfa: &NFA, keyword: &[u8]) -> Option<Self> {
        let mut states = Set::after_keyword(nfa, keyword)?;
        let ending = Set::ending(nfa, |_| true);
        let ends_at_keyword = states.touches(&ending);
        let at_end = AtEnd::of(nfa, &states, &ending);
        let mut bytes = [Places::default(); 256];
        let mut mark = |set: &Set, bit: u64, fits: &dyn Fn(u8) -> bool| {
            set.each_transition(nfa, |from, to, next| {
                let ends = if ending.holds(next) { bit } else { 0 };
                for (byte, places) in (from..=to).zip(bytes.get_mut(usize::from(from)..=usize::from(to)).unwrap_or_default()) {
                    if fits(byte) {
                        places.through |= bit;
                        places.ends |= ends;
                    }
                }
            });
        };
        for place in 0..PLACES - 1 {
            // A border of words between the keyword and what is next to it binds the first place.
            let word_like = keyword.last().filter(|_| place == 0).copied().map(is_word);
            let (free, bound) = states.closures(nfa, word_like.is_some());
            mark(&free, 1 << place, &|_| true);
            mark(&bound, 1 << place, &|byte| word_like.is_none_or(|word_like| is_word(byte) != word_like));
            states = free.union(&bound).step(nfa, |_, _| true);
            if states.is_empty() {
                break;
            }
        }
        // All that lies beyond.
        let mut beyond = states;
        while !beyond.is_empty() {
            let free = beyond.closures(nfa, false).0;
            let more = beyond.union(&free.step(nfa, |_, _| true));
            if more == beyond {
                mark(&free, 1 << (PLACES - 1), &|_| true);
                break;
            }
            beyond = more;
        }
        let mut numbers: HashMap<Places, u8> = HashMap::new();
        let mut places = Vec::new();
        let class = bytes.map(|byte| {
            *numbers.entry(byte).or_insert_with(|| {
                places.push(byte);
                (places.len() - 1) as u8
            })
        });
        Some(Self { class, places, ends_at_keyword, at_end })
    }

    fn open() -> Self {
        let anything = Places { through: u64::MAX, ends: u64::MAX };
        Self { class: [0; 256], places: vec![anything], ends_at_keyword: true, at_end: AtEnd::Anything }
    }

    /// Whether `byte` can be next to the keyword; `None` where the text ends.
    fn may_follow(&self, byte: Option<&u8>) -> bool {
        self.ends_at_keyword || byte.is_some_and(|byte| self.places(*byte).through & 1 == 1)
    }

    fn places(&self, byte: u8) -> Places {
        self.class.get(usize::from(byte)).and_then(|class| self.places.get(usize::from(*class))).copied().unwrap_or_default()
    }

    /// Whether what must hold at an end of a match holds at `at`.
    fn may_end(&self, text: &[u8], at: usize) -> bool {
        let (left, right) = (at.checked_sub(1).and_then(|left| text.get(left)), text.get(at));
        match self.at_end {
            AtEnd::Anything => true,
            AtEnd::Word => left.is_some_and(|byte| is_word(*byte)) != right.is_some_and(|byte| is_word(*byte)),
            AtEnd::Line => [left, right].into_iter().any(|byte| matches!(byte, None | Some(b'\n' | b'\r'))),
        }
    }

    /// Walks over `bytes`, away from the keyword, as far as a match can go. `may_end` is asked for distances.
    fn walk<'t>(&self, bytes: impl Iterator<Item = &'t u8>, may_end: impl Fn(usize) -> bool) -> Ends {
        let mut ends = Ends { near: u64::from(self.ends_at_keyword && may_end(0)), ..Ends::default() };
        for (distance, byte) in (1..).zip(bytes) {
            let places = self.places(*byte);
            let bit = 1 << (distance - 1).min(PLACES - 1);
            if places.through & bit == 0 {
                return ends;
            }
            if places.ends & bit != 0 && may_end(distance) {
                match distance {
                    0..PLACES => ends.near |= 1 << distance,
                    _ => ends.far = Some(distance),
                }
            }
        }
        ends.going_on = true;
        ends
    }
}

impl AtEnd {
    /// What every end of a match has that can be reached from `states`.
    fn of(nfa: &NFA, states: &Set, ending: &Set) -> Self {
        let needs = |is_it: fn(Look) -> bool| {
            let without = Set::ending(nfa, |look| !is_it(look));
            !states.touches(&without) && Set::all(nfa).targets(nfa).all(|next| !(ending.holds(next) && without.holds(next)))
        };
        if needs(|look| look == Look::WordAscii) {
            Self::Word
        } else if needs(|look| matches!(look, Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF)) {
            Self::Line
        } else {
            Self::Anything
        }
    }
}

/// A pattern that matches all that `hir` does and is small: repetitions of more than the places become endless ones.
fn loosened(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Capture(capture) => loosened(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(loosened).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(loosened).collect()),
        HirKind::Repetition(repetition) => {
            let short = repetition.max.is_some_and(|max| max as usize <= PLACES);
            let (min, max) = if short { (repetition.min, repetition.max) } else { (repetition.min.min(PLACES as u32), None) };
            Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(loosened(&repetition.sub)) })
        }
    }
}

/// The automaton of `pattern`, read backwards if `reverse`; `None` if it is too large.
fn automaton(pattern: &Hir, reverse: bool) -> Option<NFA> {
    let config = Config::new().reverse(reverse).which_captures(WhichCaptures::None).utf8(false).nfa_size_limit(Some(1 << 20));
    NFA::compiler().configure(config).build_from_hir(pattern).ok()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A set of an automaton's states.
#[derive(Clone, PartialEq, Eq)]
struct Set(Vec<bool>);

impl Set {
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

    /// The states from which a match is reached without input, over looks that `crosses`.
    fn ending(nfa: &NFA, crosses: impl Fn(Look) -> bool) -> Self {
        let mut ending = Self(nfa.states().iter().map(|state| matches!(state, State::Match { .. })).collect());
        loop {
            let mut grows = false;
            // Most states lead to later ones.
            for (at, state) in nfa.states().iter().enumerate().rev().filter(|(_, state)| !matches!(state, State::Match { .. })) {
                let mut ends = false;
                epsilons(state, |next, look| ends |= look.is_none_or(&crosses) && ending.holds(next));
                if let Some(slot) = ending.0.get_mut(at).filter(|slot| ends && !**slot) {
                    *slot = true;
                    grows = true;
                }
            }
            if !grows {
                return ending;
            }
        }
    }

    /// Where one can be after a keyword. It is a literal of the pattern, not what some class happens to match; if it is none, it may be
    /// anything.
    fn after_keyword(nfa: &NFA, word: &[u8]) -> Option<Self> {
        [1, usize::from(u8::MAX) + 1].into_iter().map(|widest| Self::after(nfa, word, widest)).find(|states| !states.is_empty())
    }

    /// Where one can be after `word`, read through transitions on at most `widest` bytes.
    fn after(nfa: &NFA, word: &[u8], widest: usize) -> Self {
        word.iter().fold(Self::all(nfa), |states, byte| {
            let is_it =
                |from: u8, to: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()].iter().any(|byte| (from..=to).contains(byte));
            states.closures(nfa, false).0.step(nfa, |from, to| usize::from(to - from) < widest && is_it(from, to))
        })
    }

    fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    fn holds(&self, state: usize) -> bool {
        self.0.get(state).copied().unwrap_or_default()
    }

    fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| *a && *b)
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a || *b).collect())
    }

    fn members<'a>(&'a self, nfa: &'a NFA) -> impl Iterator<Item = &'a State> {
        self.0.iter().zip(nfa.states()).filter(|(member, _)| **member).map(|(_, state)| state)
    }

    /// Calls `each` with range and target of every transition.
    fn each_transition(&self, nfa: &NFA, mut each: impl FnMut(u8, u8, usize)) {
        for state in self.members(nfa) {
            transitions(state, &mut each);
        }
    }

    /// The states that transitions lead to.
    fn targets(&self, nfa: &NFA) -> impl Iterator<Item = usize> {
        let mut targets = Vec::new();
        self.each_transition(nfa, |_, _, next| targets.push(next));
        targets.into_iter()
    }

    /// Where the transitions on ranges that `takes` lead.
    fn step(&self, nfa: &NFA, takes: impl Fn(u8, u8) -> bool) -> Self {
        let mut next = vec![false; self.0.len()];
        self.each_transition(nfa, |from, to, target| {
            if takes(from, to)
                && let Some(slot) = next.get_mut(target)
            {
                *slot = true;
            }
        });
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
                epsilons(state, |next, look| todo.push((next, behind || (borders && look == Some(Look::WordAscii)))));
            }
        }
        (Self(free), Self(bound))
    }
}

/// Where `state` leads without input, and what must hold there.
fn epsilons(state: &State, mut each: impl FnMut(usize, Option<Look>)) {
    match state {
        State::Union { alternates } => alternates.iter().for_each(|next| each(next.as_usize(), None)),
        State::BinaryUnion { alt1, alt2 } => [alt1, alt2].into_iter().for_each(|next| each(next.as_usize(), None)),
        State::Capture { next, .. } => each(next.as_usize(), None),
        State::Look { look, next } => each(next.as_usize(), Some(*look)),
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

    fn passage(pattern: &str, keyword: &str, text: &str) -> Option<Passage> {
        let hir = regex_syntax::parse(&super::super::pattern::ascii(pattern)).expect("pattern");
        let start = text.to_ascii_lowercase().find(keyword).expect("keyword");
        Gate::of(&hir, keyword.as_bytes()).passage(text.as_bytes(), start..start + keyword.len(), 200)
    }

    fn passes(pattern: &str, keyword: &str, text: &str) -> bool {
        passage(pattern, keyword, text).is_some()
    }

    #[test]
    fn words_of_prose_do_not_pass() {
        let pattern = r#"(?i:\b(?:full[ _]?name|name))["']?\s{0,2}[:=]\s{0,2}["']?(?P<value>[A-Z][a-z]{1,20})"#;
        for text in ["the name of it", "my surnames: A", "namely", "names = Bob", "fullname", "name"] {
            assert!(!passes(pattern, "name", text), "{text}");
        }
        for text in ["name: Bob", "\"full_name\": \"Bob", "Name=Bob"] {
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
    fn matches_begin_where_their_first_byte_can_stand() {
        let begins = |pattern: &str, keyword: &str, text: &str| {
            passage(pattern, keyword, text).map(|passage| passage.beginnings().expect("few").collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(begins(r"\b(?i:key|app[_-]?key)=x", "key", "app_key=x"), [0]);
        assert_eq!(begins(r"\b(?i:key|app[_-]?key)=x", "key", "app key=x"), [4]);
        assert_eq!(begins(r"key=x", "key", "app_key=x"), [4]);
        assert_eq!(begins(r"[a-z]{0,24}secret=", "secret", "a mysecret="), [2, 3, 4]);
        assert_eq!(begins(r"(?m)^[ a-z]*secret$", "secret", "x\na secret\ny"), [2]);
        assert_eq!(begins(r"(?m)^[ a-z]*secret$", "secret", "x\na secret y"), Vec::<usize>::new());
    }

    #[test]
    fn far_beginnings_are_one_place() {
        let lead = "b".repeat(80);
        let far = passage(r"[a-z]{0,90}secret=", "secret", &format!("--{lead}secret=")).expect("passage");
        assert!(far.beginnings().is_none());
        assert_eq!(far.first(), 2);
        assert_eq!(passage(r"A[a-z]{0,90}secret=", "secret", &format!("--{lead}secret=")), None);
    }

    #[test]
    fn matches_end_where_their_last_byte_can_stand() {
        let end = |pattern: &str, keyword: &str, text: &str| passage(pattern, keyword, text).map(|passage| passage.end);
        assert_eq!(end(r"key=\d{4,900}x?", "key", "a key=1234567 and"), Some(Some(13)));
        assert_eq!(end(r"key=\d{4,900}x?", "key", "a key=123 and"), None);
        assert_eq!(end(r"key=[\s\S]*", "key", &format!("key={}", "z".repeat(FARTHEST_END))), Some(None));
    }

    #[test]
    fn a_keyword_may_stand_anywhere_in_the_match() {
        let pattern = r"[a-z]{0,24}secret[a-z]{0,8}=\d{4,900}x";
        assert!(passes(pattern, "secret", "mysecretkey=1234x"));
        assert!(!passes(pattern, "secret", "secret key"));
        assert!(!passes(pattern, "secret", "secret-=1"));
    }
}
