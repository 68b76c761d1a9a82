//! Text to findings: the rule engine.

pub mod check;
mod context;
mod overlap;
mod pattern;
mod prove;
mod quiet;
mod random;
mod rule;
mod shipped;

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
use regex::Regex;
use std::{fmt, sync::Arc};

/// Compiled rules, immutable.
pub struct Detectors {
    rules: Vec<Rule>,
    patterns: Vec<Regex>,
    options: Options,
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
        let rules = rule::parse(files)?;
        let mut patterns = Vec::with_capacity(rules.len());
        let mut problems = Vec::new();
        for rule in &rules {
            match Regex::new(&rule.pattern) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => problems.push(Problem {
                    file: rule.file.to_string(),
                    line: Some(rule.line),
                    item: rule.id.to_string(),
                    cause: format!("the pattern does not compile: {error}"),
                    fix: String::new(),
                }),
            }
        }
        if problems.is_empty() { Ok(Self { rules, patterns, options: options.clone() }) } else { Err(problems) }
    }

    /// Reads a document.
    pub fn run(&self, document: &Document<'_>, budget: &Budget) -> Detection {
        let mut detection = Detection::default();
        for (index, segment) in document.segments().iter().enumerate() {
            if let Err(gap) = budget.check_time() {
                detection.gap = Some(gap);
                break;
            }
            for (rule, pattern) in self.rules.iter().zip(&self.patterns) {
                for captures in pattern.captures_iter(&segment.text) {
                    let Some(found) = captures.name("value").or(captures.get(0)) else { continue };
                    self.judge(rule, document, index, &segment.text, found.start(), found.end(), &mut detection);
                }
            }
        }
        detection.findings = overlap::resolve(detection.findings);
        detection
    }

    #[expect(clippy::too_many_arguments, reason = "until the scanner holds them")]
    fn judge(&self, rule: &Rule, document: &Document<'_>, segment: usize, text: &str, start: usize, end: usize, out: &mut Detection) {
        let Some(span) = Span::of(text, start, end) else { return };
        let found = span.slice(text);
        if !rule.checks.iter().all(|check| check(found)) {
            return;
        }
        let context = context::near(text, start, end, rule.context_within, &rule.context);
        if !context && rule.without_context == WithoutContext::Drop {
            return;
        }
        if let Some(reason) = quiet::reason(rule, document, segment, span, self.options.test_values) {
            out.suppressed.push(Suppressed { segment, span, detector: rule.id.clone(), reason });
            return;
        }
        let confidence = if context { rule.confidence_in_context } else { rule.confidence };
        let (label, detector, evidence) = (rule.label.clone(), rule.id.clone(), rule.evidence);
        out.findings.push(Finding { segment, span, label, detector, evidence, confidence });
    }

    /// Reads a plain text.
    pub fn scan(&self, text: &str) -> Detection {
        self.run(&Document::plain(text), &Budget::new(text.len(), None))
    }

    /// Every rule, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// What is wrong with the rules, judged by their own examples and counterexamples.
    pub fn prove(&self) -> Vec<Problem> {
        prove::prove(self)
    }

    /// What people call data of this kind; `None` if no rule finds it.
    pub fn name_of(&self, label: &Label, language: Language) -> Option<&str> {
        self.rules.iter().find(|rule| rule.label == *label).map(|rule| rule.name.text(language))
    }
}

impl fmt::Debug for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Detectors({} rules)", self.rules.len())
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
