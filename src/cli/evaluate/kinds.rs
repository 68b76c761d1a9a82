//! The labels of the data, and which of ours stand for each.

use exeat::finding::Label;

/// The mapping, as the help shows it: labels of the data, then prefixes of ours.
const KINDS: &str = include_str!("kinds.txt");

/// A line of the mapping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Of the data, the first of those that mean the same.
    name: &'static str,
    /// Of ours; `*` stands for one word.
    prefixes: Vec<&'static str>,
}

impl Kind {
    /// What a label of the data means; `None` for those that no rule of ours stands for.
    pub(super) fn of_data(label: &str) -> Option<Self> {
        let line = KINDS.lines().find_map(|line| {
            let (names, prefixes) = line.trim().split_once("  ")?;
            names.split(", ").any(|name| name == label).then_some((names, prefixes))
        });
        line.map(|(names, prefixes)| Self {
            name: names.split(", ").next().unwrap_or(names),
            prefixes: prefixes.trim().split(", ").collect(),
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a label of ours stands for it.
    pub(super) fn holds(&self, label: &Label) -> bool {
        self.prefixes.iter().any(|prefix| {
            let mut words = label.as_str().split('.');
            prefix.split('.').all(|word| words.next().is_some_and(|own| word == "*" || word == own))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_data_map_to_prefixes_of_ours() {
        let holds = |kind: &str, label: &str| Kind::of_data(kind).expect(kind).holds(&Label::parse(label).expect(label));
        assert!(holds("PASSPORT", "id.cn.passport") && holds("PASSPORT", "id.us.passport") && !holds("PASSPORT", "id.us.ssn"));
        assert!(holds("LOCATION", "personal.address") && holds("BANK_CARD", "finance.card") && !holds("IBAN", "finance.card"));
        assert_eq!(Kind::of_data("LOCATION").map(|kind| kind.name()), Some("ADDRESS"));
        assert!(Kind::of_data("TITLE").is_none());
    }
}
