//! The language of messages: Chinese where the locale is, English elsewhere.

use exeat::words::Language;
use std::env;

/// The language that the environment asks for (POSIX: `LC_ALL` over `LC_MESSAGES` over `LANG`).
pub(super) fn of_environment() -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| env::var(name).ok()).find(|value| !value.is_empty());
    match locale {
        Some(locale) if locale.to_lowercase().starts_with("zh") => Language::Chinese,
        Some(_) | None => Language::English,
    }
}

/// The words of `language`.
pub(super) fn choose<T>(language: Language, en: T, zh: T) -> T {
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
