//! Text to findings: the rule engine.

pub mod check;
mod context;
mod digits;
mod embedded;
mod engine;
mod lookalike;
mod normalise;
mod overlap;
mod pattern;
mod piece;
mod prove;
mod quiet;
mod random;
mod rarity;
mod rule;
mod scan;
mod shape;
mod shipped;
mod wake;
mod window;

pub use self::{
    quiet::TestValues,
    rule::{Language, Names, Rule, RuleFile, Severity, Traffic, WithoutContext},
};

use crate::{
    budget::Budget,
    content::Document,
    finding::{Finding, Gap, Label},
    problem::Problem,
    text::Span,
};
use engine::Engine;
use piece::Pieces;
use regex_automata::util::pool::Pool;
use scan::{Origin, Scratch};
use std::{fmt, ops::Range, sync::Arc};

/// Compiled rules, immutable.
pub struct Detectors {
    engine: Engine,
    scratches: Pool<Scratch, fn() -> Scratch>,
}

/// What an operator may change about the engine as a whole.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether published sample values are findings.
    pub test_values: TestValues,
}

/// What a run over a document came to.
#[derive(Debug, Default)]
pub struct Detection {
    /// By segment, then start; none overlap.
    pub findings: Vec<Finding>,
    /// What looked like a finding and was left alone.
    pub suppressed: Vec<Suppressed>,
    /// Set when the deadline cut the run short.
    pub gap: Option<Gap>,
}

/// A candidate that was left alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// Index of the segment.
    pub segment: usize,
    /// Where in its text.
    pub span: Span,
    /// The rule that matched.
    pub detector: Arc<str>,
    /// Why it does not count.
    pub reason: &'static str,
}

impl Detectors {
    /// The shipped rules.
    ///
    /// # Errors
    /// Every mistake in them; a test keeps them free of any.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        Self::with(&[], &Options::default())
    }

    /// The shipped rules and the operator's own.
    ///
    /// # Errors
    /// Every mistake in any of the files.
    pub fn with(own: &[RuleFile<'_>], options: &Options) -> Result<Self, Vec<Problem>> {
        Self::of(&[shipped::FILES, own].concat(), options)
    }

    fn of(files: &[RuleFile<'_>], options: &Options) -> Result<Self, Vec<Problem>> {
        let engine = Engine::new(rule::parse(files)?, options.clone())?;
        Ok(Self { engine, scratches: Pool::new(Scratch::default) })
    }

    /// Reads a document.
    pub fn run(&self, document: &Document<'_>, budget: &Budget) -> Detection {
        let mut detection = self.candidates(document, budget);
        detection.findings = overlap::resolve(detection.findings);
        detection
    }

    /// What each rule finds, whatever the others do.
    fn candidates(&self, document: &Document<'_>, budget: &Budget) -> Detection {
        let mut detection = Detection::default();
        let mut scratch = self.scratches.get();
        for (index, segment) in document.segments().iter().enumerate() {
            if let Err(gap) = self.segment(document, index, &segment.text, budget, &mut scratch, &mut detection) {
                detection.gap = Some(gap);
                break;
            }
        }
        detection
    }

    /// Reads one segment, a piece at a time, so that memory stays bounded and the clock is looked at.
    fn segment(
        &self,
        document: &Document<'_>,
        index: usize,
        text: &str,
        budget: &Budget,
        scratch: &mut Scratch,
        out: &mut Detection,
    ) -> Result<(), Gap> {
        for piece in Pieces::of(text) {
            budget.check_time()?;
            let place = |range: Range<usize>| {
                let range = piece.whole.start + range.start..piece.whole.start + range.end;
                piece.reports(&range).then(|| Span::of(text, range.start, range.end))?
            };
            let origin = Origin { document, segment: index, place: &place, depth: 0 };
            scan::read(&self.engine, text.get(piece.whole.clone()).unwrap_or_default(), origin, scratch, out);
        }
        Ok(())
    }

    /// Reads a plain text.
    pub fn scan(&self, text: &str) -> Detection {
        self.run(&Document::plain(text), &Budget::new(text.len(), None))
    }

    /// Every rule, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.engine.rules.iter()
    }

    /// What is wrong with the rules, judged by their own examples and counterexamples.
    pub fn prove(&self) -> Vec<Problem> {
        prove::prove(self)
    }

    /// What people call data of this kind; `None` if no rule finds it.
    pub fn name_of(&self, label: &Label, language: Language) -> Option<&str> {
        self.engine.rules.iter().find(|rule| rule.label == *label).map(|rule| rule.name.text(language))
    }
}

impl fmt::Debug for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Detectors({} rules)", self.engine.rules.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_prove_themselves() {
        let detectors = match Detectors::embedded() {
            Ok(detectors) => detectors,
            Err(problems) => panic!("\n{}", list(&problems)),
        };
        let problems = detectors.prove();
        assert!(problems.is_empty(), "\n{}", list(&problems));
    }

    fn list(problems: &[Problem]) -> String {
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }
}
