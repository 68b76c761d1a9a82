//! Text for people, in English and Chinese, and the choice between the two.

use http::{HeaderMap, header};
use serde::Deserialize;
use std::borrow::Cow;

/// The same text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: Cow<'static, str>,
    /// Simplified Chinese.
    pub zh: Cow<'static, str>,
}

impl Words {
    /// Two texts that say the same.
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// Two literals that say the same.
    pub const fn fixed(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
    }

    /// The text in `language`.
    pub fn say(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The language that `Accept-Language` prefers (RFC 9110, 12.5.4); `None` if it names neither.
    pub fn asked(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for value in headers.get_all(header::ACCEPT_LANGUAGE) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let (tag, quality) = weighted(range);
                let Some(language) = Self::of_tag(tag) else { continue };
                if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
                    best = Some((quality, language));
                }
            }
        }
        best.map(|(_, language)| language)
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Chinese)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::English)
        } else {
            None
        }
    }

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }
}

/// An element of `Accept` or `Accept-Language`: the range and its weight, 1 where none is given.
pub(crate) fn weighted(range: &str) -> (&str, f32) {
    let mut parts = range.split(';');
    let name = parts.next().unwrap_or_default().trim();
    let quality = parts
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
        .map_or(1.0, |(_, value)| value.trim().parse().unwrap_or(0.0));
    (name, quality)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn asked(value: &'static str) -> Option<Language> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
        Language::asked(&headers)
    }

    #[test]
    fn the_preferred_language_wins_by_weight_then_by_order() {
        assert_eq!(asked("zh-CN,zh;q=0.9,en;q=0.8"), Some(Language::Chinese));
        assert_eq!(asked("en;q=0.4, zh-Hant-TW;q=0.5"), Some(Language::Chinese));
        assert_eq!(asked("de, en;q=0.2, zh;q=0.1"), Some(Language::English));
        assert_eq!(asked("zh;q=0, en"), Some(Language::English));
        assert_eq!(asked("ZH"), Some(Language::Chinese));
    }

    #[test]
    fn a_client_that_names_neither_language_has_no_preference() {
        assert_eq!(asked("*"), None);
        assert_eq!(asked("de, fr;q=0.5"), None);
        assert_eq!(asked("zhuang"), None);
        assert_eq!(Language::asked(&HeaderMap::new()), None);
    }
}
