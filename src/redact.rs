//! Findings to edits: what stands in place of a value that must not leave.

use crate::{
    content::Document,
    finding::{Finding, Label},
    policy::{Action, Redaction, Verdict},
    text::Edit,
};
use std::fmt;

/// The edits that carry out a verdict: one for every finding that is to be redacted, in order, and none overlaps another: what lies in
/// a passage goes with it. Equal values get equal replacements, so that a text still tells one person from another where the operator
/// chose `hash`.
pub fn edits(document: &Document<'_>, findings: &[Finding], verdict: &Verdict, key: &DigestKey) -> Vec<Edit> {
    let mut edits: Vec<Edit> = findings
        .iter()
        .zip(&verdict.decisions)
        .filter(|(_, decision)| decision.action == Action::Redact)
        .map(|(finding, decision)| Edit {
            segment: finding.segment,
            span: finding.span,
            replacement: replacement(&finding.label, document.text(finding.segment, finding.span), decision.redaction, key),
        })
        .collect();
    let len = |edit: &Edit| edit.span.end() - edit.span.start();
    edits.dedup_by(|next, kept| {
        let overlap = next.segment == kept.segment && next.span.overlaps(kept.span);
        if overlap {
            if len(next) > len(kept) {
                std::mem::swap(&mut next.replacement, &mut kept.replacement);
            }
            kept.span = kept.span.union(next.span);
        }
        overlap
    });
    edits
}

/// The key of the digests that stand for found text in the audit and in `hash` redactions.
#[derive(Clone)]
pub struct DigestKey([u8; 32]);

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey")
    }
}

impl DigestKey {
    /// A key of these bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// A key for another purpose, which says nothing about this one.
    #[cfg(feature = "server")]
    pub(crate) fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &self.0)
    }

    /// 128 bits of keyed BLAKE3 over `text`, in hex.
    pub fn digest(&self, text: &str) -> String {
        blake3::keyed_hash(&self.0, text.as_bytes()).to_hex().chars().take(32).collect()
    }
}

/// What to put in place of `text`, which is of the kind `label`.
pub fn replacement(label: &Label, text: &str, redaction: Redaction, key: &DigestKey) -> String {
    match redaction {
        Redaction::Label => format!("[{}]", tag(label)),
        Redaction::Hash => format!("[{}:{}]", tag(label), key.digest(text).chars().take(6).collect::<String>()),
        Redaction::Mask => mask(label, text),
    }
}

/// The short upper-case name that stands for a kind of data: `personal.email` is `EMAIL`, `id.cn.resident` is `CN RESIDENT ID`,
/// `secret.aws` is `AWS KEY`, whatever the company taught is `CONFIDENTIAL`.
pub fn tag(label: &Label) -> String {
    let parts: Vec<&str> = label.as_str().split('.').collect();
    let words = match parts.as_slice() {
        ["company", ..] | ["business", "marked", ..] => "confidential".to_owned(),
        ["id", "xx", kind] if is_document(kind) => (*kind).to_owned(),
        ["id", "xx", kind] => format!("{kind} id"),
        ["id", country, kind] if is_document(kind) => format!("{country} {kind}"),
        ["id", country, kind] => format!("{country} {kind} id"),
        ["org" | "health", country, kind] => format!("{country} {kind}"),
        ["secret", kind] if names_a_secret(kind) => (*kind).to_owned(),
        ["secret", vendor] => format!("{vendor} key"),
        [.., last] => (*last).to_owned(),
        [] => String::new(),
    };
    words.replace(['_', '-'], " ").to_uppercase()
}

/// Whether a kind of identity number reads well by itself: an acronym (`ssn`), or a document's name.
fn is_document(kind: &str) -> bool {
    (kind.len() <= 5 && kind != "tax")
        || ["passport", "permit", "card", "licence", "license", "number", "certificate"].iter().any(|word| kind.ends_with(word))
}

/// Whether a kind of secret says what it is, and not only whose.
fn names_a_secret(kind: &str) -> bool {
    let words = [
        "key",
        "token",
        "password",
        "passphrase",
        "secret",
        "jwt",
        "string",
        "url",
        "webhook",
        "cookie",
        "credential",
        "seed",
        "mnemonic",
        "bearer",
    ];
    words.iter().any(|word| kind.contains(word))
}

/// `text` with letters and digits starred out and its shape kept, after the habits of each kind: the last four of a card, the
/// first of a name, the ends of a phone number, nothing of a password.
fn mask(label: &Label, text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if label.is_under("personal.email") {
        return mask_email(text);
    }
    let (head, tail) = if label.is_under("secret") {
        (0, 0)
    } else if label.is_under("personal.name") {
        (1, 0)
    } else if label.is_under("personal.phone") {
        (3, 4)
    } else if label.is_under("finance") {
        (0, 4)
    } else {
        (1, 1)
    };
    // Of a short value the ends are most of it.
    let (head, tail) = if (head + tail) * 3 <= letters * 2 { (head, tail) } else { (0, 0) };
    stars(text, head, letters.saturating_sub(tail))
}

/// `text` with its letters and digits number `from..to` starred out.
fn stars(text: &str, from: usize, to: usize) -> String {
    let mut index = 0;
    text.chars()
        .map(|c| {
            if !c.is_alphanumeric() {
                return c;
            }
            index += 1;
            if (from..to).contains(&(index - 1)) { '*' } else { c }
        })
        .collect()
}

/// `jane@example.com` is `j***@e******.com`: the first letters, and the top-level domain.
fn mask_email(text: &str) -> String {
    let Some((local, domain)) = text.rsplit_once('@') else { return stars(text, 0, usize::MAX) };
    let (name, top) = domain.rsplit_once('.').unwrap_or((domain, ""));
    let part = |part: &str| {
        let keep = usize::from(part.chars().count() > 1);
        part.chars().enumerate().map(|(index, c)| if index < keep || c == '.' { c } else { '*' }).collect::<String>()
    };
    let dot = if top.is_empty() { "" } else { "." };
    format!("{}@{}{dot}{top}", part(local), part(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{Confidence, Evidence},
        policy::Decision,
        text::Span,
    };
    use proptest::prelude::*;

    fn label(text: &str) -> Label {
        Label::parse(text).expect("label")
    }

    fn masked(kind: &str, text: &str) -> String {
        replacement(&label(kind), text, Redaction::Mask, &DigestKey::new([7; 32]))
    }

    #[test]
    fn what_lies_in_a_passage_goes_with_it() {
        let text = "the contract with Ada Lovelace shall end";
        let finding = |kind: &str, start: usize, end: usize| Finding {
            segment: 0,
            span: Span::of(text, start, end).expect("span"),
            label: label(kind),
            detector: "test".into(),
            evidence: Evidence::Model,
            confidence: Confidence::new(1.0),
        };
        let findings = [finding("business.contract", 0, 40), finding("personal.name", 18, 30)];
        let decision = Decision { action: Action::Redact, redaction: Redaction::Label, rule: None, message: None };
        let decisions = vec![decision.clone(), decision];
        let verdict = Verdict { action: Action::Redact, decisions, rule: None, message: None, gap: None, reason: None };
        let edits = edits(&Document::plain(text), &findings, &verdict, &DigestKey::new([7; 32]));
        let edits: Vec<_> = edits.iter().map(|edit| (edit.span.range(), edit.replacement.as_str())).collect();
        assert_eq!(edits, [(0..40, "[CONTRACT]")]);
    }

    #[test]
    fn tags_are_short_and_say_the_kind() {
        let tags = [
            ("personal.email", "EMAIL"),
            ("personal.birth_date", "BIRTH DATE"),
            ("id.cn.resident", "CN RESIDENT ID"),
            ("id.us.ssn", "US SSN"),
            ("id.cn.passport", "CN PASSPORT"),
            ("id.de.tax", "DE TAX ID"),
            ("id.xx.driver", "DRIVER ID"),
            ("org.cn.uscc", "CN USCC"),
            ("health.us.mbi", "US MBI"),
            ("health.record", "RECORD"),
            ("finance.card", "CARD"),
            ("secret.aws", "AWS KEY"),
            ("secret.private_key", "PRIVATE KEY"),
            ("secret.connection_string", "CONNECTION STRING"),
            ("secret.jwt", "JWT"),
            ("network.private_ip", "PRIVATE IP"),
            ("business.marked", "CONFIDENTIAL"),
            ("company.exact.customers", "CONFIDENTIAL"),
            ("secret", "SECRET"),
        ];
        for (kind, expected) in tags {
            assert_eq!(tag(&label(kind)), expected, "{kind}");
        }
    }

    #[test]
    fn masks_follow_the_habits_of_each_kind() {
        assert_eq!(masked("personal.email", "jane@example.com"), "j***@e******.com");
        assert_eq!(masked("personal.email", "a.b@mail.corp.cn"), "a.*@m***.****.cn");
        assert_eq!(masked("personal.phone", "138-0013-8000"), "138-****-8000");
        assert_eq!(masked("finance.card", "6222 0212 3456 7890"), "**** **** **** 7890");
        assert_eq!(masked("personal.name", "王小明"), "王**");
        assert_eq!(masked("personal.name", "Jane Doe"), "J*** ***");
        assert_eq!(masked("id.cn.resident", "11010119900307213X"), "1****************X");
        assert_eq!(masked("secret.password", "hunter-2!"), "******-*!");
        assert_eq!(masked("personal.phone", "12345"), "*****", "of a short value nothing stays");
    }

    #[test]
    fn equal_values_get_equal_hashes_under_one_key_only() {
        let hash = |text: &str, key: u8| replacement(&label("personal.email"), text, Redaction::Hash, &DigestKey::new([key; 32]));
        assert_eq!(hash("a@b.cn", 1), hash("a@b.cn", 1));
        assert_ne!(hash("a@b.cn", 1), hash("a@c.cn", 1));
        assert_ne!(hash("a@b.cn", 1), hash("a@b.cn", 2));
        assert_eq!(hash("a@b.cn", 1).len(), "[EMAIL:3f2a9c]".len());
    }

    #[test]
    fn only_what_is_to_be_redacted_is_edited() {
        let text = "a@b.cn c@d.cn";
        let finding = |start| Finding {
            segment: 0,
            span: Span::of(text, start, start + 6).expect("span"),
            label: label("personal.email"),
            detector: "email".into(),
            evidence: Evidence::Structure,
            confidence: Confidence::new(0.9),
        };
        let decision = |action| Decision { action, redaction: Redaction::Label, rule: None, message: None };
        let decisions = vec![decision(Action::Log), decision(Action::Redact)];
        let verdict = Verdict { action: Action::Redact, decisions, rule: None, message: None, gap: None, reason: None };
        let edits = edits(&Document::plain(text), &[finding(0), finding(7)], &verdict, &DigestKey::new([0; 32]));
        assert_eq!(edits, [Edit { segment: 0, span: Span::of(text, 7, 13).expect("span"), replacement: "[EMAIL]".to_owned() }]);
    }

    proptest! {
        #[test]
        fn a_mask_keeps_the_length_and_never_most_of_the_value(text in "[\\PC]{1,40}", kind in 0usize..6) {
            let kind = ["secret.password", "personal.name", "personal.phone", "finance.card", "id.us.ssn", "personal.address"][kind];
            let masked = masked(kind, &text);
            prop_assert_eq!(masked.chars().count(), text.chars().count());
            let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
            let kept = masked.chars().filter(|c| c.is_alphanumeric()).count();
            prop_assert!(kept * 3 <= letters * 2, "{kept} of {letters}");
        }
    }
}
