//! Text to findings: the rule engine.

pub mod check;

use crate::{
    budget::Budget,
    content::Document,
    finding::{Finding, Gap},
    text::Span,
};
use std::sync::Arc;

/// Compiled rules.
#[derive(Debug)]
pub struct Detectors {}

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
    /// Reads a document.
    pub fn run(&self, _document: &Document<'_>, _budget: &Budget) -> Detection {
        Detection::default()
    }
}
