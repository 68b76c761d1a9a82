//! Rules prove themselves: each one's examples must be found and its counterexamples must not.

use super::{Detectors, Rule, WithoutContext, normalise::normalise, overlap, scan, search};
use crate::{budget::Budget, content::Document, finding::Finding, problem::Problem};

/// What counts as found.
const FOUND: f32 = 0.5;

/// What is wrong with the rules, judged by their own texts against the whole set.
pub(super) fn prove(detectors: &Detectors) -> Vec<Problem> {
    let mut problems = detectors.engine.compile();
    for (index, rule) in (0u32..).zip(detectors.rules()) {
        for (number, text) in (1..).zip(&rule.examples) {
            if let Some(cause) = missed(detectors, index, rule, text) {
                problems.push(problem(rule, format!("example {number} is not found: {cause}")));
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

/// Why `text` does not show that `rule` works, if it does not. Another rule may have what it found, if it finds the same family of data.
fn missed(detectors: &Detectors, index: u32, rule: &Rule, text: &str) -> Option<String> {
    let candidates = detectors.candidates(&Document::plain(text), &Budget::new(text.len(), None), scan::Tell::Suppressed);
    let Some(own) = candidates.findings.iter().find(|finding| is_of(rule, finding)).cloned() else {
        if let Some(low) = candidates.findings.iter().find(|finding| finding.detector == rule.id) {
            return Some(format!("its confidence is only {}", low.confidence.value()));
        }
        let suppressed = candidates.suppressed.iter().find(|suppressed| suppressed.detector == rule.id);
        return Some(
            suppressed.map_or_else(|| unmatched(detectors, index, rule, text), |found| format!("it is suppressed ({})", found.reason)),
        );
    };
    let family = |finding: &Finding| finding.label.as_str().split('.').next().map(str::to_owned);
    let kept = overlap::resolve(candidates.findings);
    let holder = kept.iter().find(|finding| finding.span.overlaps(own.span) && finding.confidence.value() >= FOUND);
    match holder {
        Some(holder) if family(holder) == family(&own) => None,
        Some(holder) => Some(format!("rule {:?} has it, with a label of another family", holder.detector)),
        None => Some("a rule of low confidence has it".to_owned()),
    }
}

/// Where the way of a rule to a finding in `text` ends.
fn unmatched(detectors: &Detectors, index: u32, rule: &Rule, text: &str) -> String {
    let normalised = normalise(text);
    let text = normalised.as_ref().map_or(text, |normalised| &normalised.text);
    let mut values = Vec::new();
    search::each_match(&detectors.engine, &mut search::Caches::default(), text, index, 0..text.len(), |range, _| {
        values.extend(text.get(range))
    });
    let Some(value) = values.first() else { return "the pattern does not match".to_owned() };
    let failed = rule.check_names.iter().zip(&rule.checks).find(|(_, check)| !values.iter().any(|value| check(value)));
    if let Some((name, _)) = failed {
        return format!("the pattern matches {value:?}, the check {name:?} refuses it");
    }
    let lower = text.to_ascii_lowercase();
    if !rule.keywords.is_empty() && !rule.keywords.iter().any(|keyword| lower.contains(keyword)) {
        return "none of its keywords stands in it".to_owned();
    }
    match rule.without_context {
        WithoutContext::Drop => "no word of its context stands near".to_owned(),
        WithoutContext::Keep => "its keyword is no part of the match, or stands too far from it".to_owned(),
    }
}

fn problem(rule: &Rule, cause: String) -> Problem {
    Problem { file: rule.file.to_string(), line: Some(rule.line), item: rule.id.to_string(), cause, fix: String::new() }
}
