//! What an operator's rule costs, and how often it fires where nothing is to be found.

use crate::cli::Problems;
use exeat::{
    config::{Config, Rules},
    detect::{Detectors, Options, RuleFile},
};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Ordinary text: prose in both languages, code, JSON, a log, a table; nothing confidential in it.
const CORPUS: &str = include_str!("corpus.txt");
/// It is read this often in a row, so that one run takes milliseconds.
const REPEATED: usize = 24;
/// The fastest of so many runs counts.
const RUNS: usize = 9;

/// Of one rule.
#[derive(Debug)]
pub(super) struct Cost {
    pub(super) id: String,
    /// Additional time, as a share of what the shipped rules take.
    pub(super) share: f64,
    /// Findings in the corpus; each is a false alarm.
    pub(super) findings: usize,
}

/// The cost of every rule in `paths` (files or directories of files), each measured beside the shipped rules alone.
pub(super) fn of(config: &Config, paths: &[PathBuf]) -> anyhow::Result<Vec<Cost>> {
    let mut rules = Vec::new();
    for path in paths {
        let files = if path.is_dir() {
            fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?
        } else {
            vec![path.clone()]
        };
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "toml")) {
            let table: toml::Table = toml::from_str(&fs::read_to_string(file)?)?;
            rules.extend(table.get("rule").and_then(toml::Value::as_array).into_iter().flatten().cloned());
        }
    }
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let text = CORPUS.repeat(REPEATED);
    let shipped = detectors(&config.rules, &[])?;
    let base = fastest(&shipped, &text);
    let mut costs = Vec::new();
    for rule in rules {
        let id = rule.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let alone = toml::to_string(&toml::Table::from_iter([("rule".to_owned(), toml::Value::Array(vec![rule]))]))?;
        let with = detectors(&config.rules, &[RuleFile { name: "own", text: &alone }])?;
        let share = fastest(&with, &text).as_secs_f64() / base.as_secs_f64() - 1.0;
        let findings = with.scan(CORPUS).findings.iter().filter(|finding| *finding.detector == *id).count();
        costs.push(Cost { id, share, findings });
    }
    Ok(costs)
}

fn detectors(rules: &Rules, own: &[RuleFile<'_>]) -> Result<Detectors, Problems> {
    Detectors::with(own, &Options { test_values: rules.test_values }).map_err(Problems)
}

fn fastest(detectors: &Detectors, text: &str) -> Duration {
    let run = |_| {
        let begin = Instant::now();
        std::hint::black_box(detectors.scan(std::hint::black_box(text)));
        begin.elapsed()
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::config::Overrides;

    #[test]
    fn the_corpus_is_clean_and_a_noisy_rule_is_seen_to_be() {
        let config = Config::load(None, &Overrides::default()).expect("defaults");
        let shipped = detectors(&config.rules, &[]).expect("shipped rules").scan(CORPUS);
        let serious: Vec<_> = shipped.findings.iter().filter(|finding| finding.confidence.value() >= 0.5).collect();
        assert!(serious.is_empty(), "{serious:?}");
        let folder = tempfile::tempdir().expect("folder");
        let rule = "[[rule]]\nid = \"four\"\nlabel = \"company.exact.four\"\nname = { en = \"Four digits\", zh = \"四位数\" }\npattern = '\\b\\d{4}\\b'\nconfidence = 0.6\nevidence = \"structure\"\nseverity = \"low\"\nexamples = [\"a 4711\", \"b 4712\", \"c 4713\"]\ncounterexamples = [\"a 1\", \"a 22\", \"a 333\"]\nsource = \"a test\"\n";
        fs::write(folder.path().join("own.toml"), rule).expect("file");
        let costs = of(&config, &[folder.path().to_owned()]).expect("measured");
        assert!(costs.iter().any(|cost| cost.id == "four" && cost.findings > 0 && cost.share > -1.0), "{costs:?}");
    }
}
