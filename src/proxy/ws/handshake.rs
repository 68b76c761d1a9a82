//! The opening handshake: what to check, what to compute, and the negotiation of permessage-deflate (RFC 7692, 7.1).

use super::Deflate;
use aws_lc_rs::{digest, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, header};

/// Whether a request opens a WebSocket over HTTP/1.1 (RFC 6455, 4.2.1).
pub fn is_handshake(method: &Method, headers: &HeaderMap) -> bool {
    let names = |name, word: &str| headers.get_all(name).iter().any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case(word)));
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| STANDARD.decode(key.as_bytes()));
    method == Method::GET
        && names(header::UPGRADE, "websocket")
        && names(header::CONNECTION, "upgrade")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
        && matches!(key, Some(Ok(key)) if key.len() == 16)
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim)
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455, 4.2.2).
pub fn accept(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// A fresh `Sec-WebSocket-Key`.
pub fn new_key() -> String {
    let mut bytes = [0; 16];
    // The key guards against caches, not against people: an unfilled one would still do.
    let _ = rand::fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// The first offer of permessage-deflate that a client made and we understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// Whether the client can limit its window, and to what it wants to.
    client_max_window_bits: Option<Option<u8>>,
}

/// A server's answer that was not offered; the connection is to be given up (RFC 6455, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server answered with a WebSocket extension or parameter that was not offered")]
pub struct BadAnswer;

impl Offer {
    /// The offer in a client's headers. Other extensions and offers that break a rule are passed over.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter().flat_map(tokens).find_map(Self::parse)
    }

    fn parse(extension: &str) -> Option<Self> {
        let mut offer = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: None,
        };
        for parameter in parameters(extension)? {
            match parameter {
                ("server_no_context_takeover", None) if !offer.server_no_context_takeover => offer.server_no_context_takeover = true,
                ("client_no_context_takeover", None) if !offer.client_no_context_takeover => offer.client_no_context_takeover = true,
                ("server_max_window_bits", Some(value)) if offer.server_max_window_bits.is_none() => {
                    offer.server_max_window_bits = Some(window_bits(value)?);
                }
                ("client_max_window_bits", value) if offer.client_max_window_bits.is_none() => {
                    offer.client_max_window_bits = Some(value.map(window_bits).map_or(Some(None), |bits| bits.map(Some))?);
                }
                _ => return None,
            }
        }
        Some(offer)
    }

    /// The value of `Sec-WebSocket-Extensions` that makes the same offer to the server.
    pub fn header(&self) -> HeaderValue {
        let mut text = "permessage-deflate".to_owned();
        if self.server_no_context_takeover {
            text.push_str("; server_no_context_takeover");
        }
        if self.client_no_context_takeover {
            text.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = self.server_max_window_bits {
            text.push_str(&format!("; server_max_window_bits={bits}"));
        }
        match self.client_max_window_bits {
            Some(Some(bits)) => text.push_str(&format!("; client_max_window_bits={bits}")),
            Some(None) => text.push_str("; client_max_window_bits"),
            None => {}
        }
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("permessage-deflate"))
    }

    /// What the server made of `offer`, the one that it was given; `None` if it wants no compression.
    ///
    /// # Errors
    /// [`BadAnswer`] if it answers what was not offered.
    pub fn agreed(offer: Option<&Self>, server: &HeaderMap) -> Result<Option<Deflate>, BadAnswer> {
        let mut answers = server.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter().flat_map(tokens).filter(|text| !text.is_empty());
        let (Some(answer), None) = (answers.next(), answers.next()) else {
            return if server.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) { Err(BadAnswer) } else { Ok(None) };
        };
        let offer = offer.ok_or(BadAnswer)?;
        let mut deflate = Deflate {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: None,
        };
        for parameter in parameters(answer).ok_or(BadAnswer)? {
            match parameter {
                ("server_no_context_takeover", None) if !deflate.server_no_context_takeover => deflate.server_no_context_takeover = true,
                ("client_no_context_takeover", None) if !deflate.client_no_context_takeover => deflate.client_no_context_takeover = true,
                ("server_max_window_bits", Some(value)) if deflate.server_max_window_bits.is_none() => {
                    let bits = window_bits(value).ok_or(BadAnswer)?;
                    if offer.server_max_window_bits.is_some_and(|most| bits > most) {
                        return Err(BadAnswer);
                    }
                    deflate.server_max_window_bits = Some(bits);
                }
                ("client_max_window_bits", Some(value)) if deflate.client_max_window_bits.is_none() => {
                    let bits = window_bits(value).ok_or(BadAnswer)?;
                    if offer.client_max_window_bits.is_none() {
                        return Err(BadAnswer);
                    }
                    deflate.client_max_window_bits = Some(bits);
                }
                _ => return Err(BadAnswer),
            }
        }
        let kept = (!offer.server_no_context_takeover || deflate.server_no_context_takeover)
            && (offer.server_max_window_bits.is_none() || deflate.server_max_window_bits.is_some());
        if kept { Ok(Some(deflate)) } else { Err(BadAnswer) }
    }
}

/// The parameters of a permessage-deflate element, names in lower case as written; `None` for another extension.
fn parameters(extension: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let mut parts = extension.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    Some(
        parts
            .map(|part| match part.split_once('=') {
                Some((name, value)) => {
                    let value = value.trim();
                    (name.trim(), Some(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value)))
                }
                None => (part, None),
            })
            .collect(),
    )
}

/// 8 to 15 without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    if text.starts_with('0') {
        return None;
    }
    text.parse().ok().filter(|bits| (8..=15).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(STANDARD.decode(new_key()).map(|key| key.len()), Ok(16));
        assert_ne!(new_key(), new_key());
    }

    #[test]
    fn a_handshake_has_all_its_parts() {
        let mut headers = HeaderMap::new();
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_handshake(&Method::GET, &headers));
        assert!(!is_handshake(&Method::POST, &headers));
        for name in [header::UPGRADE, header::CONNECTION, header::SEC_WEBSOCKET_VERSION, header::SEC_WEBSOCKET_KEY] {
            let mut fewer = headers.clone();
            fewer.remove(name);
            assert!(!is_handshake(&Method::GET, &fewer));
        }
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("c2hvcnQ="));
        assert!(!is_handshake(&Method::GET, &headers));
    }

    #[test]
    fn the_first_offer_that_we_understand_is_passed_on_as_it_is() {
        for (offered, passed) in [
            (&["permessage-deflate; client_max_window_bits"][..], Some("permessage-deflate; client_max_window_bits")),
            (&["x-unknown, permessage-deflate;server_max_window_bits=\"10\""], Some("permessage-deflate; server_max_window_bits=10")),
            (&["permessage-deflate; server_max_window_bits=16, permessage-deflate"], Some("permessage-deflate")),
            (
                &["x-webkit-deflate-frame", "Permessage-Deflate; server_no_context_takeover"],
                Some("permessage-deflate; server_no_context_takeover"),
            ),
            (&["permessage-deflate; server_max_window_bits"], None),
            (&["permessage-deflate; server_max_window_bits=08"], None),
            (&["permessage-deflate; client_no_context_takeover; client_no_context_takeover"], None),
            (&["permessage-deflate; mystery"], None),
            (&[], None),
        ] {
            let offer = Offer::of(&headers(offered));
            assert_eq!(offer.map(|offer| offer.header()).as_ref().and_then(|value| value.to_str().ok()), passed, "{offered:?}");
        }
    }

    #[test]
    fn an_answer_keeps_to_the_offer() {
        let agreed = |offer: &'static str, answer: &'static str| {
            let offer = Offer::of(&headers(&[offer]));
            Offer::agreed(offer.as_ref(), &headers(&[answer])).map(|deflate| deflate.map(|deflate| deflate.header()))
        };
        let same = |offer, answer: &'static str| assert_eq!(agreed(offer, answer), Ok(Some(HeaderValue::from_static(answer))));
        same("permessage-deflate", "permessage-deflate");
        same("permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        same("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=10");
        same("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=9");
        for (offer, answer) in [
            ("permessage-deflate", "permessage-deflate; client_max_window_bits=10"),
            ("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=11"),
            ("permessage-deflate; server_max_window_bits=10", "permessage-deflate"),
            ("permessage-deflate; server_no_context_takeover", "permessage-deflate"),
            ("permessage-deflate", "permessage-deflate; mystery"),
            ("permessage-deflate", "permessage-deflate, permessage-deflate"),
            ("permessage-deflate", "x-other"),
            ("x-other", "permessage-deflate"),
        ] {
            assert_eq!(agreed(offer, answer), Err(BadAnswer), "{offer} / {answer}");
        }
        assert_eq!(Offer::agreed(None, &HeaderMap::new()), Ok(None));
    }
}
