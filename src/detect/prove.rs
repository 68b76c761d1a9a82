//! Rules prove themselves: each one's examples must be found and its counterexamples must not.

use super::{Detectors, Rule};
use crate::{
    finding::{Evidence, Finding},
    problem::Problem,
};

/// What counts as found.
const FOUND: f32 = 0.5;

/// What is wrong with the rules, judged by their own texts against the whole set.
pub(super) fn prove(detectors: &Detectors) -> Vec<Problem> {
    let mut problems = detectors.engine.compile();
    for rule in detectors.rules() {
        for (number, text) in (1..).zip(&rule.examples) {
            let findings = detectors.scan(text).findings;
            if !findings.iter().any(|finding| is_of(rule, finding)) {
                problems.push(problem(rule, format!("example {number} is not found{}", why(detectors, rule, text, &findings))));
            }
        }
        for (number, text) in (1..).zip(&rule.counterexamples) {
            if let Some(finding) = detectors.scan(text).findings.iter().find(|finding| is_of(rule, finding)) {
                let span = finding.span.range();
                problems.push(problem(rule, format!("counterexample {number} matches at {}..{}", span.start, span.end)));
            }
        }
    }
    problems
}

fn is_of(rule: &Rule, finding: &Finding) -> bool {
    finding.detector == rule.id && finding.confidence.value() >= FOUND
}

/// What happened to an example instead.
fn why(detectors: &Detectors, rule: &Rule, text: &str, findings: &[Finding]) -> String {
    let low = findings.iter().find(|finding| finding.detector == rule.id);
    if let Some(low) = low {
        return format!(": its confidence is only {}", low.confidence.value());
    }
    let detection = detectors.scan(text);
    if let Some(suppressed) = detection.suppressed.iter().find(|suppressed| suppressed.detector == rule.id) {
        return format!(": it is suppressed ({})", suppressed.reason);
    }
    match findings.first() {
        Some(other) => format!(": rule {:?} ({}) has it", other.detector, evidence(other.evidence)),
        None => String::new(),
    }
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Checksum => "checksum",
        Evidence::Structure => "structure",
        Evidence::Exact => "exact",
        Evidence::Context => "context",
        Evidence::Model => "model",
    }
}

fn problem(rule: &Rule, cause: String) -> Problem {
    Problem { file: rule.file.to_string(), line: Some(rule.line), item: rule.id.to_string(), cause, fix: String::new() }
}
