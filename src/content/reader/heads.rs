//! Reading what is not the body: the URL, headers, and the heads of parts.

use super::{Content, Reader};
use crate::{
    content::{
        charset::{self, Charset},
        document::{Access, Origin, Source, Structure, Wrapping},
        escape::Style,
        form,
        headers::{Form, form_of},
        media_type::{MediaType, params},
        transfer,
    },
    text::{OffsetMap, Place, Segment, Syntax},
};
use http::HeaderName;
use std::{borrow::Cow, ops::Range};

impl<'a> Reader<'_, 'a> {
    /// Reads a URL, or the path and query of one.
    pub(super) fn read_url(&mut self, place: Place, source: Source, url: &'a str) {
        if url.trim_start_matches('/').is_empty() {
            return;
        }
        let (text, map, charset) = form::read(url, form::Kind::Url, None);
        self.document.segments.push(Segment { place, syntax: Syntax::UrlEncoded, text, map });
        let structure = Structure::Form(form::Kind::Url, charset);
        self.document.origins.push(Origin { source, range: 0..url.len(), structure, field: None, access: Access::ReadWrite });
    }

    /// Reads header value number `index`.
    pub(super) fn read_header(&mut self, index: usize, name: &HeaderName, value: &'a [u8]) {
        let source = Source::Header(index);
        let content = Content {
            source,
            offset: 0,
            bytes: value,
            keep: std::convert::identity,
            place: Place::Header(name.as_str().to_owned()),
            hint: MediaType::default(),
            field: None,
            access: Access::ReadWrite,
        };
        let form = form_of(name);
        match (form, std::str::from_utf8(value)) {
            (Form::Url, Ok(url)) => self.read_url(content.place, source, url),
            (_, Ok(text)) => self.read_value(&content, form, text),
            (_, Err(_)) => {
                let charset = Charset::of_text(value, None).unwrap_or(Charset::latin());
                let (text, map) = charset::decode(value, charset);
                self.within(&content, text.into_bytes(), Wrapping::Charset(charset, map), |reader, inside| {
                    if let Ok(text) = std::str::from_utf8(inside.bytes) {
                        reader.read_value(inside, form, text);
                    }
                });
            }
        }
    }

    fn read_value<'b>(&mut self, content: &Content<'b, 'a>, form: Form, text: &'b str) {
        match form {
            Form::Json => self.read_text(content, text),
            Form::Url | Form::Text => self.read_words(content, 0..text.len()),
            Form::Parameters => {
                for param in params(text) {
                    self.read_words(content, param.value);
                }
            }
        }
    }

    /// Reads `range` of a header value: plain text, an extended value (RFC 8187), percent-encoded, or in encoded words.
    pub(super) fn read_words<'b>(&mut self, content: &Content<'b, 'a>, range: Range<usize>) {
        let mut content = content.piece(range, MediaType::default());
        let Ok(mut text) = std::str::from_utf8(content.bytes) else { return };
        let mut declared = None;
        if let [label, _, value] = text.splitn(3, '\'').collect::<Vec<_>>().as_slice()
            && !label.is_empty()
            && form::has_escapes(value)
        {
            declared = Some(*label);
            content = content.piece(text.len() - value.len()..text.len(), MediaType::default());
            text = value;
        }
        let (decoded, map, style) = if form::has_escapes(text) {
            let (decoded, map, charset) = form::read(text, form::Kind::Url, declared);
            (decoded, map, Style::Url(charset))
        } else if let Some((decoded, map)) = transfer::decode_words(text) {
            (Cow::Owned(decoded), map, Style::Parameter)
        } else {
            let mut map = OffsetMap::identity();
            map.copied(text.len());
            (Cow::Borrowed(text), map, Style::Parameter)
        };
        self.add(&content, Syntax::Plain, decoded, map, Structure::None(style));
    }
}
