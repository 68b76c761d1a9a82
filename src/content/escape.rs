//! How a replacement must be written where it is put.

use super::{charset::Charset, form, json, xml};
use std::ops::Range;

/// A stretch of a source that may be replaced without harm to the syntax around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Byte offsets of the source.
    pub(super) range: Range<usize>,
    /// What it is there for.
    pub(super) role: Role,
    /// How to write there.
    pub(super) style: Style,
}

/// What a stretch is there for. Where a span holds both, the keys stay, so that the receiver still understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A name: a JSON key, a form field's name.
    Key,
    /// Content.
    Value,
}

/// The escaping of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Nothing is special.
    Plain,
    /// Inside the quotes of a JSON string.
    JsonString,
    /// In place of a JSON number or literal: becomes a string.
    JsonScalar,
    /// A name or value in a form or query; a space is `+`.
    Form(Charset),
    /// Elsewhere in a URL.
    Url(Charset),
    /// XML text or attribute value.
    Xml,
    /// Inside a CDATA section.
    Cdata,
    /// Inside an XML comment.
    Comment,
    /// A value of a header, quoted or not: no quotes, no line breaks.
    Parameter,
}

impl Style {
    /// `text` as it must stand in the source.
    pub(super) fn write(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::JsonString => json::escape(text),
            Self::JsonScalar => format!("\"{}\"", json::escape(text)),
            Self::Form(charset) => form::escape(&charset.encode(text), form::Space::Plus),
            Self::Url(charset) => form::escape(&charset.encode(text), form::Space::Percent),
            Self::Xml => xml::escape(text),
            Self::Cdata => text.replace("]]>", "]]]]><![CDATA[>"),
            Self::Comment => text.replace('-', "_"),
            Self::Parameter => {
                text.chars().map(|char| if char.is_control() || matches!(char, '"' | '\\' | ';') { '_' } else { char }).collect()
            }
        }
    }
}
