//! Which findings of a message a rule means: by label, confidence, nearness and number.

use super::List;
use crate::{
    content::Document,
    finding::{Evidence, Finding, Label},
};
use std::{collections::HashSet, hash::BuildHasher};

/// The part of `when` that is about findings. All of it must hold.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// Label prefixes.
    pub(super) labels: List<Label>,
    /// Least confidence.
    pub(super) confidence: f32,
    /// On what grounds.
    pub(super) evidence: List<Evidence>,
    /// Least number of distinct values among the findings meant; with fewer, none is.
    pub(super) distinct: usize,
    /// What must stand close by.
    pub(super) near: Option<Near>,
}

/// Another finding that must be there: "a name within 50 characters of a health term", "anywhere beside a company document".
#[derive(Clone, Debug)]
pub(super) struct Near {
    /// Its label prefixes.
    pub(super) labels: List<Label>,
    /// Most characters between the two; without, the other may stand anywhere in the message.
    pub(super) within: Option<usize>,
    /// Its least confidence.
    pub(super) confidence: f32,
}

impl Selection {
    /// The indexes of the findings that are meant.
    pub(super) fn pick(&self, document: &Document<'_>, findings: &[Finding]) -> Vec<usize> {
        let mut picked: Vec<usize> =
            findings.iter().enumerate().filter(|(_, finding)| self.means(finding)).map(|(index, _)| index).collect();
        if let Some(near) = &self.near {
            near.keep(document, findings, &mut picked);
        }
        if picked.len() < self.distinct || !has_distinct(self.distinct, document, picked.iter().filter_map(|index| findings.get(*index))) {
            picked.clear();
        }
        picked
    }

    fn means(&self, finding: &Finding) -> bool {
        is(finding, &self.labels, self.confidence) && self.evidence.matches(|evidence| *evidence == finding.evidence)
    }

    /// The label prefixes that the selection names.
    pub(super) fn label_prefixes(&self) -> impl Iterator<Item = &str> {
        let near = self.near.iter().map(|near| &near.labels);
        near.chain([&self.labels]).flat_map(List::items).map(Label::as_str)
    }
}

impl Near {
    /// Drops from `picked` what has no such neighbour. One sweep each way: findings come sorted, so the nearest neighbour
    /// on a side is the last one passed.
    fn keep(&self, document: &Document<'_>, findings: &[Finding], picked: &mut Vec<usize>) {
        let Some(within) = self.within else {
            let neighbours: Vec<usize> =
                findings.iter().enumerate().filter(|(_, f)| is(f, &self.labels, self.confidence)).map(|(index, _)| index).collect();
            picked.retain(|index| neighbours.iter().any(|neighbour| neighbour != index));
            return;
        };
        let mut close = vec![false; findings.len()];
        let mut sweep = |order: &mut dyn Iterator<Item = (usize, &Finding)>| {
            let mut last: Option<&Finding> = None;
            for (index, finding) in order {
                if let (Some(neighbour), Some(close)) = (last, close.get_mut(index)) {
                    *close |= is_close(document, finding, neighbour, within);
                }
                if is(finding, &self.labels, self.confidence) {
                    last = Some(finding);
                }
            }
        };
        sweep(&mut findings.iter().enumerate());
        sweep(&mut findings.iter().enumerate().rev());
        picked.retain(|index| close.get(*index).copied().unwrap_or_default());
    }
}

/// Whether at most `within` characters stand between two findings.
fn is_close(document: &Document<'_>, one: &Finding, other: &Finding, within: usize) -> bool {
    if one.segment != other.segment {
        return false;
    }
    let (start, end) = (one.span.end().min(other.span.end()), one.span.start().max(other.span.start()));
    let between = document.segments().get(one.segment).and_then(|segment| segment.text.get(start..end));
    // Counting stops one past the limit, whatever the distance.
    between.is_none_or(|between| between.chars().take(within + 1).count() <= within)
}

fn is(finding: &Finding, labels: &List<Label>, confidence: f32) -> bool {
    finding.confidence.value() >= confidence && labels.matches(|prefix| finding.label.is_under(prefix.as_str()))
}

/// Whether `findings` have at least `least` distinct values; spacing, punctuation and case make no difference.
fn has_distinct<'f>(least: usize, document: &Document<'_>, findings: impl Iterator<Item = &'f Finding>) -> bool {
    if least <= 1 {
        return true;
    }
    let hasher = std::hash::RandomState::new();
    let mut seen = HashSet::new();
    for finding in findings {
        let text = document.text(finding.segment, finding.span);
        let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        seen.insert(hasher.hash_one(bare));
        if seen.len() >= least {
            return true;
        }
    }
    false
}
