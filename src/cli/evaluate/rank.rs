//! How well a score tells confidential records from public ones, whatever the threshold.

use super::score::{Share, wilson};
use serde::Serialize;
use std::collections::BTreeSet;

/// A record with its score.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub(super) category: String,
    pub(super) is_confidential: bool,
    pub(super) score: f32,
}

/// All records of a file.
#[derive(Debug, Default)]
pub(super) struct Ranking(pub(super) Vec<Ranked>);

/// What is told about a category, or about all.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) file: &'a str,
    pub(super) ranking: &'a str,
    pub(super) records: u64,
    pub(super) auroc: f64,
    /// Where one in a hundred public records is above the threshold.
    pub(super) recall: Share,
}

impl Ranking {
    /// A line for all confidential records and one for each category; none unless there are records of both kinds.
    pub(super) fn lines<'a>(&'a self, file: &'a str) -> Vec<Line<'a>> {
        let mut public: Vec<f32> = self.0.iter().filter(|record| !record.is_confidential).map(|record| record.score).collect();
        public.sort_by(f32::total_cmp);
        // A hundredth of the public records may be above it, and all that score the same are.
        let Some(threshold) = public.iter().rev().nth(public.len() / 100).copied() else { return Vec::new() };
        let line = |name: &'a str| {
            let own = |record: &&Ranked| record.is_confidential && (name == "all" || record.category == name);
            let scores: Vec<f32> = self.0.iter().filter(own).map(|record| record.score).collect();
            let above = scores.iter().filter(|score| **score > threshold).count();
            let recall = wilson(above as u64, scores.len() as u64)?;
            Some(Line { file, ranking: name, records: scores.len() as u64, auroc: auroc(&scores, &public), recall })
        };
        let categories: BTreeSet<&str> =
            self.0.iter().filter(|record| record.is_confidential).map(|record| record.category.as_str()).collect();
        ["all"].into_iter().chain(categories).filter_map(line).collect()
    }
}

/// The share of pairs, one of each kind, in which the confidential record scores higher; a tie counts half (Hanley and McNeil 1982).
/// `public` is sorted.
fn auroc(confidential: &[f32], public: &[f32]) -> f64 {
    let below = |score: &f32| {
        let (less, not_more) = (public.partition_point(|other| other < score), public.partition_point(|other| other <= score));
        (less + not_more) as f64 / 2.0
    };
    confidential.iter().map(below).sum::<f64>() / (confidential.len() * public.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        assert_eq!(auroc(&[0.9, 0.8], &[0.1, 0.2]), 1.0);
        assert_eq!(auroc(&[0.5], &[0.5]), 0.5);
        assert_eq!(auroc(&[0.3, 0.1], &[0.2, 0.4]), 0.25);
    }

    #[test]
    fn one_public_record_in_a_hundred_may_be_above_the_threshold() {
        let record = |category: &str, is_confidential, score| Ranked { category: category.to_owned(), is_confidential, score };
        let mut all: Vec<_> = (0..200_u8).map(|at| record("news", false, f32::from(at) / 1000.0)).collect();
        all.extend([record("hr", true, 0.1975), record("hr", true, 0.5), record("legal", true, 0.1)]);
        let lines = Ranking(all).lines("f").iter().map(|line| (line.ranking.to_owned(), line.recall.value)).collect::<Vec<_>>();
        assert_eq!(lines, [("all".to_owned(), 2.0 / 3.0), ("hr".to_owned(), 1.0), ("legal".to_owned(), 0.0)]);
        assert!(Ranking::default().lines("f").is_empty());
    }
}
