//! A rule's pattern: the `regex` crate's syntax in which `\b \d \w \s` mean ASCII, whatever the text around them.
//!
//! Unicode's word border does not lie between `号` and `1` in `证号110101...`; ours does. Literal Chinese stays as it is.

use regex_syntax::hir::{Hir, HirKind};

/// `pattern` with the Perl classes and word borders spelled out as ASCII.
pub(super) fn ascii(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut depth = 0usize;
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match (chars.next(), depth) {
                (Some('d'), 0) => out.push_str("[0-9]"),
                (Some('d'), _) => out.push_str("0-9"),
                (Some('w'), 0) => out.push_str("[0-9A-Za-z_]"),
                (Some('w'), _) => out.push_str("0-9A-Za-z_"),
                (Some('s'), 0) => out.push_str("[\\t\\n\\x0B\\x0C\\r\\x20]"),
                (Some('s'), _) => out.push_str("\\t\\n\\x0B\\x0C\\r\\x20"),
                (Some('D'), _) => out.push_str("[^0-9]"),
                (Some('W'), _) => out.push_str("[^0-9A-Za-z_]"),
                (Some('S'), _) => out.push_str("[^\\t\\n\\x0B\\x0C\\r\\x20]"),
                (Some('b'), 0) if chars.peek() != Some(&'{') => out.push_str("(?-u:\\b)"),
                (Some(other), _) => out.extend(['\\', other]),
                (None, _) => out.push('\\'),
            },
            '[' => {
                depth += 1;
                out.push('[');
                // `[]a]` and `[^]a]`: a bracket that comes first is a member.
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

/// The part of a pattern that is the value: its group of that name, if it has one.
pub(super) fn value(hir: &Hir) -> Option<&Hir> {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => None,
        HirKind::Capture(capture) if capture.name.as_deref() == Some("value") => Some(&capture.sub),
        HirKind::Capture(capture) => value(&capture.sub),
        HirKind::Repetition(repetition) => value(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_borders_are_ascii() {
        let pattern = regex::Regex::new(&ascii(r"\b\d{3}[\dXx]\b")).expect("pattern");
        assert!(pattern.is_match("号123X中"));
        assert!(!pattern.is_match("١٢٣X"));
        assert!(!pattern.is_match("a123X"));
    }

    #[test]
    fn classes_inside_classes_keep_their_meaning() {
        let pattern = regex::Regex::new(&ascii(r"^[^\s\]]+[^\S\n][]x]$")).expect("pattern");
        assert!(pattern.is_match("密码 ]"));
        assert!(!pattern.is_match("密 码 ]"));
    }
}
