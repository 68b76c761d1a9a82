//! Where two findings overlap, the better grounded one stays.

use crate::finding::Finding;
use std::cmp::Reverse;

/// Sorts by segment and place; of findings that overlap keeps the one with the strongest evidence, then the longest, then the surest,
/// then the most particular label.
pub(super) fn resolve(findings: Vec<Finding>) -> Vec<Finding> {
    let mut findings = joined(findings);
    findings.sort_by(|a, b| {
        let rank = |f: &Finding| (f.segment, f.evidence, Reverse(f.span.end() - f.span.start()));
        let depth = |f: &Finding| Reverse(f.label.as_str().matches('.').count());
        rank(a)
            .cmp(&rank(b))
            .then(b.confidence.value().total_cmp(&a.confidence.value()))
            .then_with(|| depth(a).cmp(&depth(b)))
            .then(a.span.cmp(&b.span))
            .then_with(|| a.detector.cmp(&b.detector))
    });
    let mut kept: std::collections::BTreeMap<(usize, usize), Finding> = std::collections::BTreeMap::new();
    for finding in findings {
        // Kept ones are disjoint, so only the last that begins before our end can touch us.
        let before = kept.range(..(finding.segment, finding.span.end())).next_back();
        if !before.is_some_and(|(key, other)| key.0 == finding.segment && other.span.overlaps(finding.span)) {
            kept.insert((finding.segment, finding.span.start()), finding);
        }
    }
    kept.into_values().collect()
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
    use crate::{
        finding::{Confidence, Evidence, Label},
        text::Span,
    };

    fn finding(start: usize, end: usize, evidence: Evidence, confidence: f32, label: &str) -> Finding {
        let span = Span::of(&"x".repeat(100), start, end).expect("span");
        let (detector, label) = (label.into(), Label::parse(label).expect("label"));
        Finding { segment: 0, span, label, detector, evidence, confidence: Confidence::new(confidence) }
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
