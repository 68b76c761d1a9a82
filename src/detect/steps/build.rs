//! From a pattern to its steps.

use super::{
    Node, Onward, Step, Steps, Then,
    set::{Bytes, Set},
};
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// More steps than an automaton would have states.
const MOST_NODES: usize = 2000;

impl Steps {
    /// The steps of `pattern`; `None` if they would be too many.
    pub(in crate::detect) fn of(pattern: &Hir) -> Option<Self> {
        let mut builder = Builder::default();
        let end = builder.add(Step::End, 0, Onward { first: Bytes::all(), may_end: true })?;
        let start = builder.compile(pattern, end)?;
        let first = builder.onward(start).first;
        let shortest = pattern.properties().minimum_len().unwrap_or(0);
        let at_border = builder.is_border(start);
        Some(Self { nodes: builder.nodes, start, first, at_border, shortest })
    }
}

/// Puts a list of steps together, from its end.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// How a match can go on from each.
    onward: Vec<Onward>,
}

impl Builder {
    fn add(&mut self, step: Step, next: usize, onward: Onward) -> Option<usize> {
        self.nodes.push(Node { step, next });
        self.onward.push(onward);
        (self.nodes.len() <= MOST_NODES).then_some(self.nodes.len() - 1)
    }

    fn onward(&self, node: usize) -> Onward {
        self.onward.get(node).copied().unwrap_or_default()
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
                let onward = match look {
                    Look::End => Onward { first: Bytes::default(), may_end: true },
                    Look::EndLF => Onward { first: Bytes::of(b"\n"), may_end: true },
                    Look::WordAscii | Look::Start | Look::StartLF => self.onward(next),
                    _other => return None,
                };
                self.add(Step::Look(*look), next, onward)
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => {
                let end = self.add(Step::Mark(1), next, self.onward(next))?;
                let inside = self.compile(&capture.sub, end)?;
                self.add(Step::Mark(0), inside, self.onward(inside))
            }
            HirKind::Concat(parts) => {
                let words = parts.chunk_by(|a, b| letter(a).is_some() && letter(b).is_some());
                words.rev().try_fold(next, |next, parts| match parts.iter().map(letter).collect::<Option<Box<[u8]>>>() {
                    Some(letters) => self.letters(letters, next),
                    None => parts.iter().rev().try_fold(next, |next, part| self.compile(part, next)),
                })
            }
            HirKind::Alternation(parts) => {
                let ways = parts.iter().map(|part| self.compile(part, next)).collect::<Option<Vec<_>>>()?;
                self.choice(&ways)
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
        let either = |more: usize| if *greedy { [more, next] } else { [next, more] };
        let optional = match max {
            Some(max) => (*min..*max).try_fold(next, |rest, _| {
                let once = self.compile(sub, rest)?;
                self.choice(&either(once))
            })?,
            None => {
                // The way back is known when all of it is compiled.
                let first = self.compile(sub, next)?;
                let head = self.choice(&either(first))?;
                let again = self.compile(sub, head)?;
                self.nodes.get_mut(head)?.step = self.ways(&either(again));
                head
            }
        };
        (0..*min).try_fold(optional, |next, _| self.compile(sub, next))
    }

    fn run(&mut self, set: Set, min: u32, max: u32, next: usize) -> Option<usize> {
        let mut after = self.onward(next);
        // Between two characters of a word there is no border.
        if min > 0 && set.is_of_words() && self.is_border(next) {
            after.first = after.first.without(&Bytes::words());
        }
        let then = if min == max || !set.first.touches(&after.first) {
            Then::More
        } else if self.ends(next) {
            Then::End
        } else {
            Then::Sooner(Box::new(after))
        };
        let first = Onward { first: set.first, may_end: false };
        let onward = if min == 0 { first.union(&after) } else { first };
        self.add(Step::Run { set, min, max, then }, next, onward)
    }

    /// Whether nothing but looks stands between `node` and the end of the match.
    fn ends(&self, node: usize) -> bool {
        match self.nodes.get(node) {
            Some(Node { step: Step::End, .. }) => true,
            Some(Node { step: Step::Look(_) | Step::Mark(_), next }) => self.ends(*next),
            _other => false,
        }
    }

    /// Whether a border of words must be at `node`.
    fn is_border(&self, node: usize) -> bool {
        match self.nodes.get(node) {
            Some(Node { step: Step::Look(Look::WordAscii), .. }) => true,
            Some(Node { step: Step::Mark(_), next }) => self.is_border(*next),
            _other => false,
        }
    }

    fn letters(&mut self, letters: Box<[u8]>, next: usize) -> Option<usize> {
        let mut first = Bytes::default();
        for byte in letters.first().map(|letter| [*letter, letter.to_ascii_uppercase()])? {
            first.add(byte..=byte);
        }
        self.add(Step::Letters(letters), next, Onward { first, may_end: false })
    }

    fn choice(&mut self, ways: &[usize]) -> Option<usize> {
        let onward = ways.iter().map(|way| self.onward(*way)).reduce(|all, way| all.union(&way))?;
        self.add(self.ways(ways), 0, onward)
    }

    fn ways(&self, ways: &[usize]) -> Step {
        Step::Choice(ways.iter().map(|way| (self.onward(*way), *way)).collect())
    }
}

/// The letter of ASCII, in lower case, that `hir` matches in either case, if that is all it does.
fn letter(hir: &Hir) -> Option<u8> {
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return None };
    let [upper, lower] = class.ranges() else { return None };
    let is_pair = upper.len() == 1 && lower.len() == 1 && upper.start().is_ascii_uppercase();
    (is_pair && upper.start().to_ascii_lowercase() == lower.start()).then(|| u8::try_from(lower.start()).ok())?
}
