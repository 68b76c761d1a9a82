//! Where two findings overlap, the better grounded one stays.

use crate::{
    finding::{Evidence, Finding},
    text::Span,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Findings by segment and first byte; none overlap.
type Kept = BTreeMap<(usize, usize), Finding>;

/// Sorts by segment and place; of findings that overlap keeps what the company itself taught, then the one with the strongest evidence, then
/// the longest, then the surest, then the most particular label. Passages of learnt documents are long and give way to all but a model's
/// guesses: what is left of them around the others stays.
pub(super) fn resolve(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.segment, finding.span));
    let mut kept = Vec::with_capacity(findings.len());
    let mut findings = findings.into_iter().peekable();
    while let Some(first) = findings.next() {
        let (segment, mut end) = (first.segment, first.span.end());
        let mut rivals = vec![first];
        while let Some(next) = findings.next_if(|next| next.segment == segment && next.span.start() < end) {
            end = end.max(next.span.end());
            rivals.push(next);
        }
        // Most findings stand alone.
        kept.extend(if rivals.len() == 1 { rivals } else { choose(rivals) });
    }
    kept
}

/// What is kept of findings that overlap one another, or others that do.
fn choose(findings: Vec<Finding>) -> Vec<Finding> {
    let (passages, mut findings): (Vec<Finding>, Vec<Finding>) =
        joined(findings).into_iter().partition(|finding| finding.label.is_under("company.document"));
    findings.sort_by(|a, b| {
        let is_foreign = |f: &Finding| !f.label.is_under("company");
        let rank = |f: &Finding| (f.segment, is_foreign(f), f.evidence, Reverse(f.span.end() - f.span.start()));
        let depth = |f: &Finding| Reverse(f.label.as_str().matches('.').count());
        rank(a)
            .cmp(&rank(b))
            .then(b.confidence.value().total_cmp(&a.confidence.value()))
            .then_with(|| depth(a).cmp(&depth(b)))
            .then(a.span.cmp(&b.span))
            .then_with(|| a.detector.cmp(&b.detector))
    });
    let mut kept = Kept::new();
    let guesses = findings.extract_if(.., |finding| finding.evidence == Evidence::Model).collect::<Vec<_>>();
    findings.into_iter().for_each(|finding| keep(finding, &mut kept));
    passages.into_iter().for_each(|passage| give_way(passage, &mut kept));
    guesses.into_iter().for_each(|guess| agree(guess, &mut kept));
    kept.into_values().collect()
}

/// Rules that are less sure know why it is more likely something else: the birth date of a biography, say.
const LIKELY: f32 = 0.5;

/// Adds a model's guess unless it overlaps findings that are kept. One that says the same as a [likely](LIKELY) finding bears it out: what
/// two witnesses saw is as sure as the surer says, and as long as both say together.
fn agree(guess: Finding, kept: &mut Kept) {
    let overlapping = kept.range(..(guess.segment, guess.span.end())).rev();
    let overlapping = overlapping.take_while(|(key, other)| key.0 == guess.segment && other.span.overlaps(guess.span));
    let keys: Vec<_> = overlapping.map(|(key, _)| *key).collect();
    let is_only = keys.len() == 1;
    for key in keys {
        let Some(mut found) = kept.remove(&key) else { continue };
        if found.label == guess.label && found.confidence.value() >= LIKELY {
            found.confidence = if guess.confidence > found.confidence { guess.confidence } else { found.confidence };
            found.span = if is_only { found.span.union(guess.span) } else { found.span };
        }
        kept.insert((found.segment, found.span.start()), found);
    }
    keep(guess, kept);
}

/// Adds a finding unless it overlaps one that is kept.
fn keep(finding: Finding, kept: &mut Kept) {
    // Kept ones are disjoint, so only the last that begins before our end can touch us.
    let before = kept.range(..(finding.segment, finding.span.end())).next_back();
    if !before.is_some_and(|(key, other)| key.0 == finding.segment && other.span.overlaps(finding.span)) {
        kept.insert((finding.segment, finding.span.start()), finding);
    }
}

/// Adds what is left of a passage around the findings that are kept.
fn give_way(passage: Finding, kept: &mut Kept) {
    let (segment, mut rest) = (passage.segment, Some(passage.span));
    let first = kept.range(..=(segment, passage.span.start())).next_back().map_or((segment, 0), |(key, _)| *key);
    let others: Vec<Span> = kept
        .range(first..(segment, passage.span.end()))
        .map(|(_, other)| other)
        .filter(|other| other.segment == segment && other.span.overlaps(passage.span))
        .map(|other| other.span)
        .collect();
    let mut add = |span: Span| kept.insert((segment, span.start()), Finding { span, ..passage.clone() });
    for other in others {
        let Some([before, behind]) = rest.map(|rest| rest.without(other)) else { break };
        before.map(&mut add);
        rest = behind;
    }
    rest.map(&mut add);
}

/// Parts of one find (encoded text that was read in pieces) become one.
fn joined(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| (a.segment, &a.detector, a.span).cmp(&(b.segment, &b.detector, b.span)));
    findings.dedup_by(|next, kept| {
        let same = next.segment == kept.segment && next.detector == kept.detector && next.span.overlaps(kept.span);
        if same {
            kept.span = kept.span.union(next.span);
            kept.confidence = if next.confidence > kept.confidence { next.confidence } else { kept.confidence };
        }
        same
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Label};

    fn finding(start: usize, end: usize, evidence: Evidence, confidence: f32, label: &str) -> Finding {
        let span = Span::of(&"x".repeat(100), start, end).expect("span");
        let detector = if evidence == Evidence::Model { "model".into() } else { label.into() };
        let label = Label::parse(label).expect("label");
        Finding { segment: 0, span, label, detector, evidence, confidence: Confidence::new(confidence) }
    }

    #[test]
    fn passages_of_documents_give_way_and_what_the_company_taught_comes_first() {
        use Evidence::{Checksum, Exact};
        let kept = resolve(vec![
            finding(0, 60, Exact, 0.9, "company.document.acme"),
            finding(10, 20, Checksum, 0.9, "id.cn.resident"),
            finding(10, 20, Exact, 0.9, "company.exact.acme"),
            finding(50, 70, Checksum, 0.9, "finance.card"),
            finding(0, 90, Evidence::Model, 0.9, "business.contract"),
        ]);
        let places: Vec<_> = kept.iter().map(|finding| (finding.span.start(), finding.span.end(), finding.label.as_str())).collect();
        assert_eq!(
            places,
            [(0, 10, "company.document.acme"), (10, 20, "company.exact.acme"), (20, 50, "company.document.acme"), (50, 70, "finance.card")]
        );
    }

    #[test]
    fn a_model_that_says_the_same_bears_a_finding_out() {
        use Evidence::{Context, Model};
        let kept = resolve(vec![
            finding(10, 20, Context, 0.5, "personal.address"),
            finding(12, 30, Model, 0.9, "personal.address"),
            finding(40, 50, Context, 0.5, "personal.phone"),
            finding(38, 52, Model, 0.9, "personal.name"),
            finding(52, 58, Context, 0.35, "personal.birth_date"),
            finding(52, 58, Model, 0.99, "personal.birth_date"),
            finding(60, 65, Context, 0.8, "personal.name"),
            finding(66, 70, Context, 0.6, "personal.name"),
            finding(60, 70, Model, 0.7, "personal.name"),
        ]);
        let places: Vec<_> = kept.iter().map(|f| (f.span.start(), f.span.end(), f.evidence, f.confidence.value())).collect();
        assert_eq!(
            places,
            [(10, 30, Context, 0.9), (40, 50, Context, 0.5), (52, 58, Context, 0.35), (60, 65, Context, 0.8), (66, 70, Context, 0.7)]
        );
    }

    #[test]
    fn evidence_then_length_then_confidence_then_particularity() {
        use Evidence::{Checksum, Context, Structure};
        let kept = resolve(vec![
            finding(0, 30, Structure, 0.9, "a"),
            finding(5, 10, Checksum, 0.6, "b"),
            finding(40, 50, Context, 0.9, "c"),
            finding(45, 60, Context, 0.5, "d"),
            finding(70, 80, Context, 0.5, "e"),
            finding(70, 80, Context, 0.5, "e.f"),
        ]);
        let labels: Vec<_> = kept.iter().map(|finding| finding.label.as_str()).collect();
        assert_eq!(labels, ["b", "d", "e.f"]);
    }
}
