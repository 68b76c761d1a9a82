//! Rules, compiled.

use super::{
    Options, TestValues, check,
    context::Words,
    gate::Gate,
    quiet,
    rule::{self, Rule, WithoutContext},
    shape::Shapes,
    steps::Steps,
    wake::{Keyword, Wake},
};
use crate::{knowledge::Knowledge, problem::Problem};
use regex_automata::meta::Regex;
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};
use std::sync::{Arc, OnceLock};

/// Everything that a scan reads and nothing that it writes.
pub(super) struct Engine {
    pub(super) rules: Vec<Rule>,
    pub(super) options: Options,
    /// What the company taught, beside the rules.
    pub(super) knowledge: Option<Arc<Knowledge>>,
    pub(super) wake: Wake,
    pub(super) shapes: Shapes,
    /// The rules woken by shapes.
    pub(super) by_shape: Vec<u32>,
    pub(super) words: Words,
    reaches: Vec<Reach>,
    /// By pair of a keyword and a rule.
    gates: Vec<OnceLock<Gate>>,
    /// Compiled when first needed: most rules never are.
    steps: Vec<OnceLock<Option<Steps>>>,
    /// For patterns that have no steps, and texts that ask too much of them.
    searched: Vec<OnceLock<Option<Regex>>>,
}

/// How far a match may extend around what woke its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Bytes before the keyword.
    pub(super) before: usize,
    /// Bytes after it; for a rule woken by its shape, the longest match.
    pub(super) after: usize,
    pub(super) start: Start,
    /// Characters within which a word must stand, if one must.
    pub(super) context: Option<usize>,
}

/// Where a match can begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Start {
    /// Anywhere in the window.
    #[default]
    Anywhere,
    /// Matches of the shape have one length, so where the shape matches the pattern must match exactly.
    Exact,
}

/// A match may not reach farther back from its keyword,
const FARTHEST_BEFORE: usize = 256;
/// nor farther on: the longest private keys,
const FARTHEST_AFTER: usize = 16 << 10;
/// nor be longer if digits woke it.
const LONGEST_SHAPE: usize = 320;

impl Engine {
    /// # Errors
    /// What does not compile.
    pub(super) fn new(rules: Vec<Rule>, options: Options) -> Result<Self, Vec<Problem>> {
        let whole = |cause: String| {
            vec![Problem { file: "rules".to_owned(), line: None, item: "all rules".to_owned(), cause, fix: "have fewer".to_owned() }]
        };
        let numbered = || (0u32..).zip(&rules);
        let wake = Wake::new(numbered().flat_map(|(number, rule)| rule.keywords.iter().map(move |word| (word.as_str(), number))));
        let by_shape: Vec<u32> = numbered().filter(|(_, rule)| rule.keywords.is_empty()).map(|(number, _)| number).collect();
        let shapes = Shapes::new(numbered().filter(|(_, rule)| rule.keywords.is_empty()).map(|(number, rule)| (number, &rule.hir)))
            .map_err(whole)?;
        let words = Words::new(&rules).map_err(whole)?;
        let reaches = rules.iter().map(Reach::of).collect();
        let steps = rules.iter().map(|_| OnceLock::new()).collect();
        let searched = rules.iter().map(|_| OnceLock::new()).collect();
        let gates = (0..wake.pairs()).map(|_| OnceLock::new()).collect();
        Ok(Self { rules, options, knowledge: None, wake, shapes, by_shape, words, reaches, gates, steps, searched })
    }

    pub(super) fn reach(&self, rule: u32) -> Reach {
        self.reaches.get(rule as usize).copied().unwrap_or_default()
    }

    /// What stands around `keyword` in matches of its rule `number`.
    pub(super) fn gate(&self, keyword: &Keyword, index: usize, number: u32) -> Option<&Gate> {
        let hir = &self.rules.get(number as usize)?.hir;
        Some(self.gates.get(keyword.pairs + index)?.get_or_init(|| Gate::of(hir, &keyword.text)))
    }

    /// The exact pattern of a rule as steps, if it has any.
    pub(super) fn steps(&self, rule: u32) -> Option<&Steps> {
        let hir = &self.rules.get(rule as usize)?.hir;
        self.steps.get(rule as usize)?.get_or_init(|| Steps::of(&simplified(hir))).as_ref()
    }

    /// The exact pattern of a rule as a regular expression; `None` if it is too large, which [`Engine::compile`] reports.
    pub(super) fn searched(&self, rule: u32) -> Option<&Regex> {
        let hir = &self.rules.get(rule as usize)?.hir;
        self.searched.get(rule as usize)?.get_or_init(|| compile(hir).ok()).as_ref()
    }

    /// Whether all checks of a rule hold for `value`. Samples that were asked for need not look real.
    pub(super) fn passes_checks(&self, rule: u32, value: &str) -> bool {
        self.rules.get(rule as usize).is_some_and(|rule| {
            rule.checks.iter().all(|check| check(value)) || (self.options.test_values == TestValues::Report && rule.is_sample(value))
        })
    }

    /// The name of the check that refuses `value`, if one does. Fillers in an issuer's own form need not look drawn.
    pub(super) fn refusal<'r>(&self, rule: &'r Rule, value: &str) -> Option<&'r str> {
        let refused = || rule.check_names.iter().zip(&rule.checks).filter(|(_, check)| !check(value)).map(|(name, _)| name.as_str());
        let first = refused().next()?;
        let is_sample = || self.options.test_values == TestValues::Report && rule.is_sample(value);
        let is_filler = || quiet::is_weak(rule, value) && refused().all(check::judges_looks);
        (!is_sample() && !is_filler()).then_some(first)
    }

    /// Compiles every pattern now and tells which do not.
    pub(super) fn compile(&self) -> Vec<Problem> {
        let bad = (0u32..).zip(&self.rules).filter(|(number, _)| self.searched(*number).is_none());
        bad.map(|(_, rule)| {
            let cause = compile(&rule.hir).err().unwrap_or_default();
            rule::problem(
                &rule.file,
                Some(rule.line),
                &rule.id,
                format!("the pattern does not compile: {cause}"),
                "shorten its repetitions",
            )
        })
        .collect()
    }
}

/// The group that is the finding, where a match is more than that.
const VALUE: &str = "value";

/// Counts above this are left open when the pattern is compiled: the window bounds the match as well, and a state for every length of every
/// value makes searches a hundred times slower.
const COUNTED: u32 = 64;

/// The pattern as it is compiled: without high counts, and with no group but the one that is read.
fn simplified(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Capture(capture) if capture.name.as_deref() == Some(VALUE) => {
            Hir::capture(Capture { index: 1, name: capture.name.clone(), sub: Box::new(simplified(&capture.sub)) })
        }
        HirKind::Capture(capture) => simplified(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(simplified).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(simplified).collect()),
        HirKind::Repetition(repetition) => {
            let open = repetition.max.is_some_and(|max| max > COUNTED && max - repetition.min > COUNTED / 2);
            let max = if open { None } else { repetition.max };
            Hir::repetition(Repetition { min: repetition.min, max, greedy: repetition.greedy, sub: Box::new(simplified(&repetition.sub)) })
        }
    }
}

fn compile(hir: &Hir) -> Result<Regex, String> {
    let hir = &simplified(hir);
    let config = Regex::config().nfa_size_limit(Some(10 << 20)).hybrid_cache_capacity(512 << 10).dfa(false);
    Regex::builder().configure(config).build_from_hir(hir).map_err(|error| rule::last_line(&error))
}

/// A pattern in both ways that it can be read.
#[cfg(test)]
pub(super) fn both(hir: &Hir) -> Option<(Steps, Regex)> {
    Some((Steps::of(&simplified(hir))?, compile(hir).ok()?))
}

impl Reach {
    fn of(rule: &Rule) -> Self {
        let longest = rule.hir.properties().maximum_len();
        let context = (rule.without_context == WithoutContext::Drop).then_some(rule.context_within);
        if rule.keywords.is_empty() {
            let fixed = longest.is_some_and(|longest| longest <= LONGEST_SHAPE) && longest == rule.hir.properties().minimum_len();
            let start = if fixed && rule.hir.properties().explicit_captures_len() == 0 { Start::Exact } else { Start::Anywhere };
            return Self { before: 0, after: longest.unwrap_or(LONGEST_SHAPE).min(LONGEST_SHAPE), start, context };
        }
        let before = longest.unwrap_or(FARTHEST_BEFORE).min(FARTHEST_BEFORE);
        Self { before, after: longest.unwrap_or(FARTHEST_AFTER).min(FARTHEST_AFTER), start: Start::Anywhere, context }
    }
}
