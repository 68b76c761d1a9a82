//! The page that leads an employee through trusting the root certificate and setting the proxy, and what it links to.

use super::{Admin, pac::Reachable};
use crate::words::Language;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

const ENGLISH: &str = include_str!("assets/setup.en.html");
const CHINESE: &str = include_str!("assets/setup.zh.html");

/// The switch between the languages. Other parameters are not ours to judge: people arrive by all kinds of links.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    lang: Option<String>,
}

/// The set-up page, with the addresses under which this client reaches us.
pub(super) async fn page(State(admin): State<Arc<Admin>>, headers: HeaderMap, switch: Result<Query<Switch>, QueryRejection>) -> Response {
    let language = language(switch.ok().and_then(|Query(switch)| switch.lang).as_deref(), &headers);
    let reachable = Reachable::by(&headers, admin.state.proxy, admin.state.admin);
    let html = fill(template(language), &reachable, &admin.state.ca_fingerprint);
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::VARY, "Accept-Language, Host")], html).into_response()
}

/// Its style sheet.
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/setup.css"))
}

/// Its script: copy buttons, and the reader's own system first. The page works without.
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/setup.js"))
}

/// The root certificate as browsers and phones install it.
pub(super) async fn ca_der(State(admin): State<Arc<Admin>>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], admin.state.ca_der.clone()).into_response()
}

/// The root certificate as command-line tools read it.
pub(super) async fn ca_pem(State(admin): State<Arc<Admin>>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], admin.state.ca_pem.clone()).into_response()
}

/// A file of the pages: asked for again each time it may have changed, since its name stays.
pub(super) fn asset(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

fn template(language: Language) -> &'static str {
    match language {
        Language::English => ENGLISH,
        Language::Chinese => CHINESE,
    }
}

/// Every value is an address or hex: nothing in them needs escaping (see [`Reachable`]).
fn fill(template: &str, reachable: &Reachable, fingerprint: &str) -> String {
    let (host, port) = reachable.proxy.rsplit_once(':').unwrap_or((&reachable.proxy, ""));
    template
        .replace("{{proxy}}", &reachable.proxy)
        .replace("{{proxy_host}}", host)
        .replace("{{proxy_port}}", port)
        .replace("{{admin}}", &reachable.admin)
        .replace("{{fingerprint}}", fingerprint)
}

/// `chosen` where it names a language of ours, otherwise what the browser prefers, otherwise English.
pub(super) fn language(chosen: Option<&str>, headers: &HeaderMap) -> Language {
    match chosen {
        Some("zh") => return Language::Chinese,
        Some("en") => return Language::English,
        Some(_) | None => {}
    }
    Language::asked(headers).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(accepted: &'static str) -> Language {
        language(None, &HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]))
    }

    #[test]
    fn the_browsers_language_is_spoken_unless_another_is_chosen() {
        assert_eq!(of("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(of("en-GB,zh;q=0.9"), Language::English);
        assert_eq!(of("fr, zh-Hant;q=0.5"), Language::Chinese);
        assert_eq!(of("zh;q=0"), Language::English);
        assert_eq!(of("zh;q=x, *"), Language::English);
        assert_eq!(language(Some("zh"), &HeaderMap::new()), Language::Chinese);
        assert_eq!(language(Some("fr"), &HeaderMap::new()), Language::English);
    }

    /// What stands between `open` and `close`, each time.
    fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
        text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
    }

    #[test]
    fn both_languages_have_the_same_sections_and_the_same_commands() {
        assert_eq!(between(ENGLISH, "<section id=\"", "\""), between(CHINESE, "<section id=\"", "\""));
        assert_eq!(between(ENGLISH, "<pre>", "</pre>"), between(CHINESE, "<pre>", "</pre>"));
        assert!(between(ENGLISH, "<pre>", "</pre>").len() > 15);
    }

    #[test]
    fn every_blank_is_filled() {
        let reachable = Reachable { proxy: "10.0.0.5:8080".to_owned(), admin: "10.0.0.5:8081".to_owned() };
        for text in [ENGLISH, CHINESE] {
            let html = fill(text, &reachable, "AB:CD");
            assert!(!html.contains("{{") && !html.contains("}}"));
            for part in ["http://10.0.0.5:8081/proxy.pac", "http://10.0.0.5:8080", "https.proxyPort=8080", "AB:CD"] {
                assert!(html.contains(part), "{part}");
            }
        }
    }
}
