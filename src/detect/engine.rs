//! Rules, compiled.

use super::{
    Options,
    context::Words,
    rule::{self, Rule},
    shape::Shapes,
    wake::Wake,
};
use crate::problem::Problem;
use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, literal::Extractor};
use std::sync::OnceLock;

/// Everything that a scan reads and nothing that it writes.
pub(super) struct Engine {
    pub(super) rules: Vec<Rule>,
    pub(super) options: Options,
    pub(super) wake: Wake,
    pub(super) shapes: Shapes,
    /// The rule of each shape.
    pub(super) by_shape: Vec<u32>,
    pub(super) words: Words,
    reaches: Vec<Reach>,
    /// Compiled when first needed: most rules never are.
    patterns: Vec<OnceLock<Option<Regex>>>,
}

/// How far a match may extend around what woke its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Bytes before the keyword.
    pub(super) before: usize,
    /// Bytes after it; for a rule woken by its shape, the longest match.
    pub(super) after: usize,
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
        let shapes = Shapes::new(rules.iter().filter(|rule| rule.keywords.is_empty()).map(|rule| &rule.hir)).map_err(whole)?;
        let words = Words::new(&rules).map_err(whole)?;
        let reaches = rules.iter().map(Reach::of).collect();
        let patterns = rules.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { rules, options, wake, shapes, by_shape, words, reaches, patterns })
    }

    pub(super) fn reach(&self, rule: u32) -> Reach {
        self.reaches.get(rule as usize).copied().unwrap_or_default()
    }

    /// The exact pattern of a rule; `None` if it is too large, which [`Engine::compile`] reports.
    pub(super) fn pattern(&self, rule: u32) -> Option<&Regex> {
        let hir = &self.rules.get(rule as usize)?.hir;
        self.patterns.get(rule as usize)?.get_or_init(|| compile(hir).ok()).as_ref()
    }

    /// Compiles every pattern now and tells which do not.
    pub(super) fn compile(&self) -> Vec<Problem> {
        let bad = (0u32..).zip(&self.rules).filter(|(number, _)| self.pattern(*number).is_none());
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

fn compile(hir: &Hir) -> Result<Regex, String> {
    let config = Regex::config().nfa_size_limit(Some(10 << 20)).hybrid_cache_capacity(256 << 10).dfa(false);
    Regex::builder().configure(config).build_from_hir(hir).map_err(|error| rule::last_line(&error))
}

impl Reach {
    fn of(rule: &Rule) -> Self {
        let longest = rule.hir.properties().maximum_len();
        if rule.keywords.is_empty() {
            return Self { before: 0, after: longest.unwrap_or(LONGEST_SHAPE).min(LONGEST_SHAPE) };
        }
        let before = if begins_with_keyword(rule) { 0 } else { longest.unwrap_or(FARTHEST_BEFORE).min(FARTHEST_BEFORE) };
        Self { before, after: longest.unwrap_or(FARTHEST_AFTER).min(FARTHEST_AFTER) }
    }
}

/// Whether every match begins with a keyword.
fn begins_with_keyword(rule: &Rule) -> bool {
    let prefixes = Extractor::new().extract(&rule.hir);
    prefixes.literals().is_some_and(|all| {
        all.iter().all(|prefix| {
            let prefix = prefix.as_bytes().to_ascii_lowercase();
            rule.keywords.iter().any(|keyword| prefix.starts_with(keyword.as_bytes()))
        })
    })
}
