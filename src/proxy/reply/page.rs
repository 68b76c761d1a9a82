//! The page for a person in a browser: one file, no script, nothing fetched.

use super::{
    Language, Rendered, RequestFacts,
    notice::{Notice, place_in},
};
use http::{StatusCode, header};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// The page in the preferred language; the other one is folded below it.
pub(super) fn render(notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
    let language = Language::asked(facts.headers).unwrap_or_default();
    let other = language.other();
    let mut page = String::with_capacity(8 * 1024);
    page.push_str("<!doctype html>\n<html lang=\"");
    page.push_str(language.tag());
    page.push_str("\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"robots\" content=\"noindex\">\n<title>");
    page.push_str(&escape(notice.title.say(language)));
    page.push_str("</title>\n<style nonce=\"");
    let nonce = nonce(notice.request_id);
    page.push_str(&nonce);
    page.push_str("\">\n");
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n");
    card(&mut page, notice, language);
    let _ = write!(page, "<details lang=\"{}\">\n<summary>{}</summary>\n", other.tag(), other_name(other));
    card(&mut page, notice, other);
    page.push_str("</details>\n</body>\n</html>\n");
    Rendered {
        status: notice.status,
        content_type: "text/html; charset=utf-8",
        language: Some(language),
        body: page.into_bytes(),
        headers: vec![
            (
                header::CONTENT_SECURITY_POLICY,
                format!("default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"),
            ),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
        ],
    }
}

fn other_name(language: Language) -> &'static str {
    match language {
        Language::English => "Read this in English",
        Language::Chinese => "阅读中文说明",
    }
}

fn card(page: &mut String, notice: &Notice<'_>, language: Language) {
    let say = |en: &'static str, zh: &'static str| match language {
        Language::English => en,
        Language::Chinese => zh,
    };
    let _ = write!(
        page,
        "<main>\n<header>{}<div><h1>{}</h1><p>{}</p></div></header>\n",
        icon(notice),
        escape(notice.title.say(language)),
        escape(notice.summary.say(language))
    );
    if !notice.kinds.is_empty() {
        let _ = write!(page, "<section><h2>{}</h2>\n<ul class=\"kinds\">\n", say("What was found", "发现的内容"));
        for kind in notice.kinds {
            let _ = writeln!(
                page,
                "<li><b>{}</b><span>{}</span></li>",
                escape(kind.name.say(language)),
                escape(&place_in(&kind.place, language))
            );
        }
        page.push_str("</ul></section>\n");
    }
    if notice.rule.is_some() || notice.message.is_some() || notice.unredactable.is_some() {
        let _ = writeln!(page, "<section><h2>{}</h2>", say("Why", "原因"));
        for words in [notice.message, notice.unredactable].into_iter().flatten() {
            let _ = writeln!(page, "<p>{}</p>", escape(words.say(language)));
        }
        if let Some(rule) = notice.rule {
            let _ = writeln!(page, "<p>{}{}</p>", say("Policy: ", "策略："), escape(rule));
        }
        page.push_str("</section>\n");
    }
    let _ = write!(page, "<section><h2>{}</h2>\n<ol>\n", say("What you can do now", "您现在可以"));
    for advice in &notice.advice {
        let _ = writeln!(page, "<li>{}</li>", escape(advice.say(language)));
    }
    page.push_str("</ol></section>\n");
    let _ = write!(page, "<footer><dl><dt>{}</dt><dd><code>{}</code></dd>", say("Request", "请求编号"), escape(notice.request_id));
    if let Some(contact) = notice.contact {
        let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", say("Whom to ask", "联系人"), escape(contact));
    }
    page.push_str("</dl>");
    if notice.status == StatusCode::FORBIDDEN && !notice.kinds.is_empty() {
        let _ = write!(
            page,
            "<p>{}</p>",
            say(
                "The record of this event names the kind of data and its place, never the data itself.",
                "本次事件的记录只包含信息的种类和位置，不包含信息本身。"
            )
        );
    }
    let _ = write!(page, "<p>{}</p>", say("Exeat, the proxy of your company", "Exeat，贵公司的上网代理"));
    page.push_str("</footer>\n</main>\n");
}

/// A shield for what is held back, a circle for what cannot be reached.
fn icon(notice: &Notice<'_>) -> &'static str {
    if notice.status.is_client_error() || notice.gap.is_some() {
        concat!(
            "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">",
            "<path d=\"M12 3l7.5 2.8v5.7c0 4.6-3.1 7.9-7.5 9.5-4.4-1.6-7.5-4.9-7.5-9.5V5.8z\"/><path d=\"M12 8.2v4.6\"/><path d=\"M12 16h.01\"/></svg>"
        )
    } else {
        concat!(
            "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">",
            "<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 7.6v5.2\"/><path d=\"M12 16.4h.01\"/></svg>"
        )
    }
}

/// The request id as a nonce; ids are random, and everything that comes from outside is escaped anyway.
fn nonce(request_id: &str) -> String {
    request_id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// `text` for HTML and XML, in content and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in XML, and a way to turn text around in HTML.
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.push('\u{fffd}')
            }
            c => out.push(c),
        }
    }
    out
}
