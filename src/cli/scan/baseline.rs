//! A baseline: findings that are known, so that only new ones count.

use super::examine::Hit;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

/// How often each known finding may occur.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Baseline(BTreeMap<Entry, usize>);

/// What stays the same when lines move. No content: the digest is 32 bits of many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    detector: String,
    digest: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Reads a baseline file.
    pub(super) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("baseline {}; write one with --write-baseline", path.display()))?;
        let stored: Stored = serde_json::from_str(&text).with_context(|| format!("baseline {}", path.display()))?;
        anyhow::ensure!(stored.version == 1, "baseline {}: version {} is not known here", path.display(), stored.version);
        let mut all = Self::default();
        stored.findings.into_iter().for_each(|entry| *all.0.entry(entry).or_default() += 1);
        Ok(all)
    }

    /// Writes it, one line a finding, so that it compares well.
    pub(super) fn store(&self, path: &Path) -> anyhow::Result<()> {
        let findings = self.0.iter().flat_map(|(entry, count)| std::iter::repeat_n(entry.clone(), *count)).collect();
        let text = serde_json::to_string_pretty(&Stored { version: 1, findings })?;
        fs::write(path, text + "\n").with_context(|| path.display().to_string())
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, path: &str, hit: &Hit) {
        *self.0.entry(Entry::of(path, hit)).or_default() += 1;
    }

    /// Takes one such finding out; `false` where it is not in (any more).
    pub(super) fn take(&mut self, path: &str, hit: &Hit) -> bool {
        match self.0.get_mut(&Entry::of(path, hit)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    /// How many findings it holds.
    pub(super) fn len(&self) -> usize {
        self.0.values().sum()
    }
}

impl Entry {
    fn of(path: &str, hit: &Hit) -> Self {
        Self { path: path.to_owned(), detector: hit.detector.to_string(), digest: hit.digest.clone() }
    }
}
