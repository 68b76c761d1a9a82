//! What inspection can come back with: a [`Finding`] (something is there) or a [`Gap`] (something could not be read).

use crate::text::Span;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Something confidential at a place. It never holds the text itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the segment in the document.
    pub segment: usize,
    /// Where in the segment's text.
    pub span: Span,
    /// What it is.
    pub label: Label,
    /// Which rule, index or model found it.
    pub detector: Arc<str>,
    /// On what grounds.
    pub evidence: Evidence,
    /// How sure that is.
    pub confidence: Confidence,
}

/// A word that speaks for a finding: without it, less would be left of the decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carried {
    /// Where in the finding's segment.
    pub span: Span,
    /// How much of the probability is lost without it, in `(0, 1]`; of a head's finding, its share of all words that speak for it.
    pub share: f32,
}

/// The grounds of a finding, strongest first: where two findings overlap, the stronger one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A check digit, a CRC or a decoded header fits.
    Checksum,
    /// The shape alone is telling: a vendor's prefix, a PEM block.
    Structure,
    /// It stands in a dictionary or index of the company's own.
    Exact,
    /// The shape is common, the words around it tell.
    Context,
    /// A trained model says so.
    Model,
}

/// A dotted, lower-case kind of data, from general to particular: `id.cn.resident`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// The label that `text` spells.
    ///
    /// # Errors
    /// [`BadLabel`] unless it is dot-separated words of `a-z`, `0-9`, `_` and `-`.
    pub fn parse(text: &str) -> Result<Self, BadLabel> {
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if text.split('.').all(word) { Ok(Self(text.into())) } else { Err(BadLabel) }
    }

    /// Whether the label is `prefix` or lies below it: `personal` holds `personal.name`, not `personality`.
    pub fn is_under(&self, prefix: &str) -> bool {
        self.0.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The dotted text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A label that is not lower-case words joined by dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a label is lower-case words joined by dots, like \"id.cn.resident\"")]
pub struct BadLabel;

/// A calibrated probability in `[0, 1]`: of the findings at 0.9, nine in ten are right.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
pub struct Confidence(f32);

impl Confidence {
    /// `value`, brought into `[0, 1]`; NaN becomes 0.
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number.
    pub fn value(self) -> f32 {
        self.0
    }
}

/// Something of a message that could not be inspected. Policy maps each to an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Encrypted content: a password-protected archive or document, an encrypted message.
    Encrypted,
    /// A `Content-Encoding` or charset that we don't know, or that does not decode.
    UnknownEncoding,
    /// A tunnel that carries neither TLS nor HTTP.
    OpaqueTunnel,
    /// Over a budget (bytes, ratio, depth) and not to be streamed.
    TooLarge,
    /// No inspection permit was free in time.
    Overloaded,
    /// Inspection reached its deadline.
    TimedOut,
    /// Not the format it claims to be; it was scanned as plain text.
    Malformed,
    /// Image, audio or video by its magic; only its metadata was read.
    Media,
    /// The model did not run; the rules did.
    ModelSkipped,
    /// Inspection panicked: a bug of ours, reported and contained.
    Panicked,
    /// The audit record could not be stored.
    Unrecorded,
}

impl Gap {
    /// Every gap, in the order of the configuration.
    pub const ALL: [Self; 11] = [
        Self::Encrypted,
        Self::UnknownEncoding,
        Self::OpaqueTunnel,
        Self::TooLarge,
        Self::Overloaded,
        Self::TimedOut,
        Self::Malformed,
        Self::Media,
        Self::ModelSkipped,
        Self::Panicked,
        Self::Unrecorded,
    ];

    /// Its key in a policy's `[gaps]` and its name in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::UnknownEncoding => "unknown_encoding",
            Self::OpaqueTunnel => "opaque_tunnel",
            Self::TooLarge => "too_large",
            Self::Overloaded => "overloaded",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Media => "media",
            Self::ModelSkipped => "model_skipped",
            Self::Panicked => "panicked",
            Self::Unrecorded => "unrecorded",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_dot() {
        let label = Label::parse("personal.name").expect("label");
        assert!(label.is_under("personal") && label.is_under("personal.name"));
        assert!(!label.is_under("person") && !label.is_under("personal.name.x"));
        assert!(Label::parse("Personal").is_err() && Label::parse("a..b").is_err());
    }

    #[test]
    fn confidence_is_always_a_probability() {
        assert_eq!(Confidence::new(f32::NAN).value(), 0.0);
        assert_eq!(Confidence::new(7.0).value(), 1.0);
    }
}
