//! Counts to precision, recall and how sure they are.

use super::rank::{Ranked, Ranking};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_964;

/// What was counted of one label. Spans and findings are counted apart, since two findings may lie in one span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    found: u64,
    missed: u64,
    right: u64,
    wrong: u64,
    /// Of the spans, those covered well enough not to leak.
    covered: u64,
    /// Records judged as a whole that have nothing to find.
    quiet: u64,
    /// Of the records judged as a whole, those that policy would redact or block.
    acted: u64,
}

impl Counts {
    /// A labelled span: found or missed, and whether enough of its characters are covered.
    pub(super) fn gold(is_found: bool, is_covered: bool) -> Self {
        Self { found: u64::from(is_found), missed: u64::from(!is_found), covered: u64::from(is_covered), ..Self::default() }
    }

    /// A finding, right or wrong.
    pub(super) fn finding(is_right: bool) -> Self {
        Self { right: u64::from(is_right), wrong: u64::from(!is_right), ..Self::default() }
    }

    /// A record as a whole: whether there is something in it, whether something was found, and whether policy would act on it.
    pub(super) fn whole(is_positive: bool, is_found: bool, is_acted: bool) -> Self {
        let counts = match (is_positive, is_found) {
            (true, true) => Self { found: 1, right: 1, ..Self::default() },
            (true, false) => Self { missed: 1, ..Self::default() },
            (false, true) => Self { wrong: 1, ..Self::default() },
            (false, false) => Self { quiet: 1, ..Self::default() },
        };
        Self { acted: u64::from(is_acted), ..counts }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            found: self.found + other.found,
            missed: self.missed + other.missed,
            right: self.right + other.right,
            wrong: self.wrong + other.wrong,
            covered: self.covered + other.covered,
            quiet: self.quiet + other.quiet,
            acted: self.acted + other.acted,
        }
    }
}

/// The figures of a file, by label.
#[derive(Debug, Default)]
pub(super) struct Table {
    counts: BTreeMap<String, Counts>,
    ranking: Ranking,
}

/// A share of so many, with its 95 % Wilson score interval (Wilson 1927); empty where there was nothing to count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    pub(super) value: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    label: &'a str,
    gold: u64,
    findings: u64,
    false_negatives: u64,
    false_positives: u64,
    precision: Option<Share>,
    recall: Option<Share>,
    f1: Option<f64>,
    /// Of the spans, those of which four fifths are covered.
    leak_recall: Option<Share>,
    /// Of records with nothing to find, those in which something was.
    false_alarm_rate: Option<Share>,
    /// Of records judged as a whole, those that policy would redact or block.
    acted_on: Option<Share>,
}

impl Table {
    /// Adds what a record came to.
    pub(super) fn add(&mut self, counts: &[(String, Counts)]) {
        for (label, counts) in counts {
            let sum = self.counts.entry(label.clone()).or_default();
            *sum = sum.plus(*counts);
        }
    }

    /// Adds how sure the model was that a record is confidential.
    pub(super) fn rank(&mut self, ranked: Ranked) {
        self.ranking.0.push(ranked);
    }

    /// Prints a table for people.
    pub(super) fn text(&self, file: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{file}")?;
        writeln!(
            out,
            "{:32} {:>6} {:>6} {:>6}  {:22} {:22} {:>6}  {:22} {:22} acted on",
            "label", "gold", "fn", "fp", "precision", "recall", "F1", "leak recall", "false alarms"
        )?;
        for line in self.lines(file) {
            let (precision, recall) = (share(line.precision), share(line.recall));
            let f1 = line.f1.map_or("-".to_owned(), |f1| format!("{f1:.4}"));
            let or_blank = |rate: Option<Share>| rate.map_or(String::new(), |rate| share(Some(rate)));
            let (leaks, alarms, acted) = (or_blank(line.leak_recall), or_blank(line.false_alarm_rate), or_blank(line.acted_on));
            let (label, gold, missed, wrong) = (line.label, line.gold, line.false_negatives, line.false_positives);
            writeln!(
                out,
                "{label:32} {gold:>6} {missed:>6} {wrong:>6}  {precision:22} {recall:22} {f1:>6}  {leaks:22} {alarms:22} {acted}"
            )?;
        }
        for line in self.ranking.lines(file) {
            let (name, records, auroc, recall) = (line.ranking, line.records, line.auroc, share(Some(line.recall)));
            writeln!(out, "business passages, {name}: AUROC {auroc:.4}, recall {recall} of {records} at 1 % false alarms")?;
        }
        writeln!(out)
    }

    /// Prints a Markdown table under the file's name, for `docs/quality.md`.
    pub(super) fn markdown(&self, file: &str, out: &mut impl Write) -> io::Result<()> {
        let whole =
            |share: Option<Share>| share.map_or("".to_owned(), |share| format!("{:.3} [{:.3}, {:.3}]", share.value, share.low, share.high));
        writeln!(out, "**{file}**\n")?;
        writeln!(
            out,
            "| label | in the data | missed | wrong | precision [95 %] | recall [95 %] | F1 | leak recall [95 %] | false alarms [95 %] | acted on [95 %] |"
        )?;
        writeln!(out, "|---|--:|--:|--:|---|---|--:|---|---|---|")?;
        for line in self.lines(file) {
            let (precision, recall, alarms) = (whole(line.precision), whole(line.recall), whole(line.false_alarm_rate));
            let f1 = line.f1.map_or("".to_owned(), |f1| format!("{f1:.3}"));
            let (label, gold, missed, wrong) = (line.label, line.gold, line.false_negatives, line.false_positives);
            let (leaks, acted) = (whole(line.leak_recall), whole(line.acted_on));
            writeln!(out, "| {label} | {gold} | {missed} | {wrong} | {precision} | {recall} | {f1} | {leaks} | {alarms} | {acted} |")?;
        }
        let ranking = self.ranking.lines(file);
        if !ranking.is_empty() {
            writeln!(out, "\n| business passages | records | AUROC | recall at 1 % false alarms [95 %] |\n|---|--:|--:|---|")?;
        }
        for line in ranking {
            writeln!(out, "| {} | {} | {:.4} | {} |", line.ranking, line.records, line.auroc, whole(Some(line.recall)))?;
        }
        writeln!(out)
    }

    /// Prints a line a label for machines.
    pub(super) fn jsonl(&self, file: &str, out: &mut impl Write) -> io::Result<()> {
        self.lines(file).try_for_each(|line| writeln!(out, "{}", serde_json::to_string(&line)?))?;
        self.ranking.lines(file).iter().try_for_each(|line| writeln!(out, "{}", serde_json::to_string(line)?))
    }

    fn lines<'a>(&'a self, file: &'a str) -> impl Iterator<Item = Line<'a>> {
        self.counts.iter().map(move |(label, counts)| {
            let Counts { found, missed, right, wrong, covered, quiet, acted } = *counts;
            // Records are counted once, spans and findings apart.
            let records = (covered == 0).then_some(found + missed + wrong + quiet);
            let (precision, recall) = (wilson(right, right + wrong), wilson(found, found + missed));
            let f1 = precision
                .zip(recall)
                .map(|(p, r)| if p.value + r.value > 0.0 { 2.0 * p.value * r.value / (p.value + r.value) } else { 0.0 });
            Line {
                file,
                label,
                gold: found + missed,
                findings: right + wrong,
                false_negatives: missed,
                false_positives: wrong,
                precision,
                recall,
                f1,
                leak_recall: wilson(covered, found + missed).filter(|_| !label.contains('/') && label != "secret"),
                acted_on: records.filter(|_| label.contains('/')).and_then(|records| wilson(acted, records)),
                false_alarm_rate: if quiet > 0 { wilson(wrong, wrong + quiet) } else { None },
            }
        })
    }
}

fn share(share: Option<Share>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.4} [{:.4},{:.4}]", share.value, share.low, share.high))
}

pub(super) fn wilson(hits: u64, of: u64) -> Option<Share> {
    if of == 0 {
        return None;
    }
    let (hits, n) = (hits as f64, of as f64);
    let p = hits / n;
    let (z2, scale) = (Z * Z, 1.0 + Z * Z / n);
    let centre = (p + z2 / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    Some(Share { value: p, low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_agree_with_published_values() {
        // Newcombe 1998, table I: 81/263 and 0/20.
        let share = wilson(81, 263).expect("some");
        assert!((share.low - 0.2553).abs() < 1e-4 && (share.high - 0.3662).abs() < 1e-4, "{share:?}");
        let none = wilson(0, 20).expect("some");
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 1e-4, "{none:?}");
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn spans_and_findings_are_counted_apart() {
        let mut table = Table::default();
        let all =
            [Counts::gold(true, true), Counts::gold(false, false), Counts::finding(true), Counts::finding(true), Counts::finding(false)];
        table.add(&all.map(|counts| ("EMAIL".to_owned(), counts)));
        let line = table.lines("f").next().expect("line");
        assert_eq!((line.gold, line.findings, line.false_negatives, line.false_positives), (2, 3, 1, 1));
        assert!(line.f1.is_some_and(|f1| (f1 - 4.0 / 7.0).abs() < 1e-9));
        assert!(line.false_alarm_rate.is_none());
    }

    #[test]
    fn markdown_has_a_row_for_each_label() {
        let mut table = Table::default();
        table
            .add(&[Counts::gold(true, true), Counts::gold(false, false), Counts::finding(true)].map(|counts| ("EMAIL".to_owned(), counts)));
        let mut out = Vec::new();
        table.markdown("f", &mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("**f**\n\n| label |"), "{text}");
        assert!(
            text.contains("| EMAIL | 2 | 1 | 0 | 1.000 [0.207, 1.000] | 0.500 [0.095, 0.905] | 0.667 | 0.500 [0.095, 0.905] |  |  |\n"),
            "{text}"
        );
    }
}
