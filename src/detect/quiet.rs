//! What looks like a finding and is none: samples, placeholders, a site's own sign-in.

use super::rule::{Rule, Traffic, squeezed};
use crate::{content::Document, text::Span};

/// What to do with published sample values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestValues {
    /// They are no findings.
    #[default]
    Ignore,
    /// They count like any other.
    Report,
}

/// Why the match `span` of `rule` does not count, if it does not.
pub(super) fn reason(rule: &Rule, document: &Document<'_>, segment: usize, span: Span, test_values: TestValues) -> Option<&'static str> {
    let text = document.text(segment, span);
    if test_values == TestValues::Ignore && !rule.test_values.is_empty() && rule.test_values.contains(&squeezed(text)) {
        return Some("test_value");
    }
    if rule.traffic == Traffic::Session && document.field(segment, span).is_some_and(|field| field.whole) {
        return Some("sign_in");
    }
    None
}
