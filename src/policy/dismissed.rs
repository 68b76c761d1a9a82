//! What reviewers called false: values by keyed digest, each under one label. The same find is not raised again.
//!
//! It is looked up after everything has been found and before policy decides, and changes while requests are read.

use crate::finding::Label;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A find that a reviewer called false. It holds nothing readable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// [Keyed digest](crate::redact::DigestKey::digest) of the text found.
    pub digest: String,
    /// As what it was found.
    pub label: String,
    /// The event that was reviewed.
    pub event: String,
    /// Name of the reviewer's token.
    pub reviewer: String,
    /// When, RFC 3339.
    pub time: String,
    /// What it met of a company's pack, sealed as in the audit: the next lesson leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Dismissed {
    /// By digest and label.
    all: RwLock<BTreeMap<(String, String), Dismissal>>,
}

/// There are too many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} values are dismissed already; name them in an allow-list ([policy] allow) instead, and revoke some")]
pub struct TooMany;

/// Values at most: as many as a table would rather hold.
pub const MOST: usize = 100_000;

impl Dismissed {
    /// Those of an earlier start.
    pub fn of(all: impl IntoIterator<Item = Dismissal>) -> Self {
        let all = all.into_iter().take(MOST).map(|one| ((one.digest.clone(), one.label.clone()), one)).collect();
        Self { all: RwLock::new(all) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.read(BTreeMap::is_empty)
    }

    /// The event whose review dismissed a text of this digest as `label`.
    pub fn event_of(&self, digest: &str, label: &Label) -> Option<Arc<str>> {
        self.read(|all| all.get(&(digest.to_owned(), label.as_str().to_owned())).map(|one| Arc::from(one.event.as_str())))
    }

    /// All, by digest.
    pub fn list(&self) -> Vec<Dismissal> {
        self.read(|all| all.values().cloned().collect())
    }

    /// Adds some; those that are known stay as they were.
    ///
    /// # Errors
    /// [`TooMany`]; none is added then.
    pub fn add(&self, new: Vec<Dismissal>) -> Result<(), TooMany> {
        self.write(|all| {
            if all.len() + new.len() > MOST {
                return Err(TooMany);
            }
            for one in new {
                all.entry((one.digest.clone(), one.label.clone())).or_insert(one);
            }
            Ok(())
        })
    }

    /// Takes back those for which `gone` holds; says how many.
    pub fn revoke(&self, gone: impl Fn(&Dismissal) -> bool) -> usize {
        self.write(|all| {
            let before = all.len();
            all.retain(|_, one| !gone(one));
            before - all.len()
        })
    }

    // A panic elsewhere leaves the map whole: every change is one call.
    fn read<T>(&self, look: impl FnOnce(&BTreeMap<(String, String), Dismissal>) -> T) -> T {
        look(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut BTreeMap<(String, String), Dismissal>) -> T) -> T {
        change(&mut self.all.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(digest: &str, label: &str, event: &str) -> Dismissal {
        let [digest, label, event, reviewer, time] = [digest, label, event, "ada", "2026-01-31T08:00:00Z"].map(str::to_owned);
        Dismissal { digest, label, event, reviewer, time, trace: None }
    }

    #[test]
    fn a_value_is_dismissed_under_its_label_only_until_that_is_revoked() {
        let label = |text| Label::parse(text).expect("label");
        let all = Dismissed::of([one("aa", "personal.phone", "1")]);
        all.add(vec![one("bb", "company.classifier.acme", "2"), one("aa", "personal.phone", "3")]).expect("room");
        assert_eq!(all.event_of("aa", &label("personal.phone")).as_deref(), Some("1"), "the first stays");
        assert_eq!(all.event_of("aa", &label("finance.card")), None);
        assert_eq!(all.event_of("ab", &label("personal.phone")), None);
        assert_eq!((all.revoke(|one| one.digest == "aa"), all.revoke(|one| one.digest == "aa")), (1, 0));
        assert_eq!(all.event_of("aa", &label("personal.phone")), None);
        assert_eq!(all.list(), [one("bb", "company.classifier.acme", "2")]);
    }

    #[test]
    fn there_is_a_limit() {
        let all = Dismissed::of((0..MOST).map(|number| one(&number.to_string(), "id", "1")));
        assert_eq!(all.add(vec![one("x", "id", "1")]), Err(TooMany));
        assert_eq!(all.list().len(), MOST);
    }
}
