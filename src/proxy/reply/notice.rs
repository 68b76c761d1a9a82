//! What there is to say, before it gets a form: every answer is a [`Notice`] first.

use super::{Fault, Language, RequestFacts, Words, ascii, clip};
use crate::finding::Gap;
use http::StatusCode;

/// A request that policy refuses, and why.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The id of the exchange in the audit.
    pub request_id: String,
    /// The kinds of data that policy refuses; empty if it refuses the destination itself or for a gap.
    pub kinds: Vec<Kind>,
    /// What could not be read, if that is the reason.
    pub gap: Option<Gap>,
    /// The name of the policy rule that decided.
    pub rule: Option<String>,
    /// What the policy says to the user.
    pub message: Option<Words>,
    /// Why the data could not be redacted, where policy would have had it redacted.
    pub unredactable: Option<Words>,
    /// Whom users can ask: a name, a mail address, a URL.
    pub contact: Option<String>,
}

/// A kind of confidential data at a place of the request. It never holds the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The label: `finance.card`.
    pub label: String,
    /// Its name for people.
    pub name: Words,
    /// Where: `$.messages[0].content`, `url`, `header referer`, `part "cv.txt"`, `body`.
    pub place: String,
}

/// Everything that any form of answer can show.
#[derive(Debug)]
pub(super) struct Notice<'a> {
    pub(super) status: StatusCode,
    /// A stable name of the reason, for programs: `confidential-data`.
    pub(super) slug: &'static str,
    pub(super) title: Words,
    pub(super) summary: Words,
    /// What the user can do now.
    pub(super) advice: Vec<Words>,
    pub(super) kinds: &'a [Kind],
    pub(super) gap: Option<Gap>,
    pub(super) rule: Option<&'a str>,
    pub(super) message: Option<&'a Words>,
    pub(super) unredactable: Option<&'a Words>,
    pub(super) request_id: &'a str,
    pub(super) contact: Option<&'a str>,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
}

impl<'a> Notice<'a> {
    pub(super) fn of_refusal(refusal: &'a Refusal, facts: &RequestFacts<'_>) -> Self {
        let host = facts.host;
        let contact = refusal.contact.as_deref();
        let (status, slug, title, summary, mut advice, retry_after) = match refusal.gap {
            Some(gap) if refusal.kinds.is_empty() => of_gap(gap, host),
            Some(_) | None if refusal.kinds.is_empty() => (
                StatusCode::FORBIDDEN,
                "policy",
                Words::fixed("This request was blocked", "这个请求已被拦截"),
                Words::new(
                    format!("Company policy does not allow this request to {host}. It was not delivered."),
                    format!("公司策略不允许向 {host} 发送这个请求。请求没有送达。"),
                ),
                Vec::new(),
                None,
            ),
            Some(_) | None => {
                let (en, zh) = (kinds_in(&refusal.kinds, Language::English), kinds_in(&refusal.kinds, Language::Chinese));
                (
                    StatusCode::FORBIDDEN,
                    "confidential-data",
                    Words::fixed("This request contains confidential data", "这个请求含有机密信息"),
                    Words::new(
                        format!("It was blocked and not delivered to {host}, because it contains: {en}."),
                        format!("请求已被拦截，没有送达 {host}，因为其中含有：{zh}。"),
                    ),
                    vec![Words::fixed(
                        "Go back, remove or replace the data named here, and send again.",
                        "请返回上一步，删除或替换上面列出的信息，然后重新发送。",
                    )],
                    None,
                )
            }
        };
        advice.push(ask(if retry_after.is_some() { Doubt::Persists } else { Doubt::Wrong }, contact, &refusal.request_id));
        Self {
            status,
            slug,
            title,
            summary,
            advice,
            kinds: &refusal.kinds,
            gap: refusal.gap,
            rule: refusal.rule.as_deref(),
            message: refusal.message.as_ref(),
            unredactable: refusal.unredactable.as_ref(),
            request_id: &refusal.request_id,
            contact,
            retry_after,
        }
    }

    pub(super) fn of_fault(fault: &Fault, request_id: &'a str, contact: Option<&'a str>, facts: &RequestFacts<'_>) -> Self {
        let (status, slug, title, summary) = fault.say(facts.host);
        let (mut advice, retry_after) = match fault {
            Fault::Busy => (vec![TRY_AGAIN], Some(5)),
            Fault::SlowRequest | Fault::ConnectTimeout | Fault::AnswerTimeout | Fault::ConnectionReset => (vec![TRY_AGAIN], None),
            Fault::UnknownHost => (vec![Words::fixed("Check the spelling of the address.", "请检查网址的拼写。")], None),
            Fault::Certificate(_) => (
                vec![Words::fixed(
                    "Do not send anything to this site by another way: someone may be posing as it.",
                    "请不要通过其他途径向该网站发送任何信息：可能有人在冒充它。",
                )],
                None,
            ),
            Fault::BadRequest(_)
            | Fault::ProxyAuthentication
            | Fault::ClientNotAllowed
            | Fault::PrivateDestination
            | Fault::OwnAddress
            | Fault::ConnectionRefused
            | Fault::Unreachable
            | Fault::Tls
            | Fault::BadAnswer
            | Fault::ParentProxy => (Vec::new(), None),
        };
        advice.push(ask(
            if status.is_server_error() || retry_after.is_some() { Doubt::Persists } else { Doubt::Wrong },
            contact,
            request_id,
        ));
        Self {
            status,
            slug,
            title,
            summary,
            advice,
            kinds: &[],
            gap: None,
            rule: None,
            message: None,
            unredactable: None,
            request_id,
            contact,
            retry_after,
        }
    }

    /// Everything in one paragraph, for clients that show one line.
    pub(super) fn paragraph(&self, language: Language) -> String {
        self.lines(language).join(match language {
            Language::English => " ",
            Language::Chinese => "",
        })
    }

    /// Both languages for a client that prefers neither: nobody should have to guess.
    pub(super) fn in_asked(&self, asked: Option<Language>) -> String {
        match asked {
            Some(language) => self.paragraph(language),
            None => format!("{}\n{}", self.paragraph(Language::English), self.paragraph(Language::Chinese)),
        }
    }

    /// The same as separate sentences: what, why, what the policy says, whom to ask.
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        let mut lines = vec![match language {
            Language::English => format!("Exeat: {}. {}", self.title.en, self.summary.en),
            Language::Chinese => format!("Exeat：{}。{}", self.title.zh, self.summary.zh),
        }];
        if let Some(rule) = self.rule {
            lines.push(match language {
                Language::English => format!("Policy: {rule}."),
                Language::Chinese => format!("策略：{rule}。"),
            });
        }
        lines.extend(self.message.map(|words| words.say(language).to_owned()));
        lines.extend(self.unredactable.map(|words| words.say(language).to_owned()));
        lines.extend(self.advice.last().map(|words| words.say(language).to_owned()));
        lines
    }

    /// A reason phrase (RFC 9112, 4): visible ASCII, short.
    pub(super) fn reason_phrase(&self) -> String {
        let kinds = kinds_in(self.kinds, Language::English);
        let why = if kinds.is_empty() { self.title.en.as_ref() } else { kinds.as_str() };
        let start = if self.status == StatusCode::FORBIDDEN { "Blocked by Exeat" } else { "Exeat" };
        format!("{start}: {} (request {})", ascii(clip(why, 100)), ascii(clip(self.request_id, 64)))
    }
}

/// The names of the kinds in order, each once.
pub(super) fn kinds_in(kinds: &[Kind], language: Language) -> String {
    let mut names: Vec<&str> = Vec::new();
    for kind in kinds {
        let name = kind.name.say(language);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(match language {
        Language::English => ", ",
        Language::Chinese => "、",
    })
}

/// A place in words: the parts of a request have names in both languages, paths in a body are the same in both.
pub(super) fn place_in(place: &str, language: Language) -> String {
    let split = place.split_once(' ');
    match language {
        Language::English => match (place, split) {
            ("url", _) => "in the URL".to_owned(),
            ("body", _) => "in the content".to_owned(),
            (_, Some(("header", name))) => format!("in the header {name}"),
            (_, Some(("part", name))) => format!("in {name}"),
            (_, _) => format!("at {place}"),
        },
        Language::Chinese => match (place, split) {
            ("url", _) => "网址中".to_owned(),
            ("body", _) => "正文中".to_owned(),
            (_, Some(("header", name))) => format!("请求头 {name} 中"),
            (_, Some(("part", name))) => format!("{name} 中"),
            (_, _) => format!("位于 {place}"),
        },
    }
}

const TRY_AGAIN: Words = Words::fixed("Wait a moment and try again.", "请稍候再试。");

/// Why a user would ask somebody.
enum Doubt {
    /// The refusal looks mistaken.
    Wrong,
    /// The failure does not go away.
    Persists,
}

fn ask(doubt: Doubt, contact: Option<&str>, request_id: &str) -> Words {
    let (en, zh) = match doubt {
        Doubt::Wrong => ("If you think this is a mistake", "如认为有误"),
        Doubt::Persists => ("If this goes on", "如问题持续"),
    };
    let (who_en, who_zh) = match contact {
        Some(contact) => (contact, format!("请联系 {contact}，")),
        None => ("your IT department", "请联系公司 IT 部门，".to_owned()),
    };
    Words::new(format!("{en}, ask {who_en} and name request {request_id}."), format!("{zh}，{who_zh}并提供请求编号 {request_id}。"))
}

type Said = (StatusCode, &'static str, Words, Words, Vec<Words>, Option<u32>);

/// A refusal because something could not be read.
fn of_gap(gap: Gap, host: &str) -> Said {
    let (what, advice) = match gap {
        Gap::Encrypted => (
            Words::fixed("it contains encrypted content, such as a password-protected file", "其中含有加密内容，例如带密码的文件"),
            Some(Words::fixed("Send the file without a password.", "请发送不带密码的文件。")),
        ),
        Gap::UnknownEncoding => (Words::fixed("its content is encoded in a way that cannot be read", "其内容的编码方式无法识别"), None),
        Gap::OpaqueTunnel => (
            Words::fixed("the connection uses a protocol that is neither HTTPS nor HTTP", "该连接使用的协议既不是 HTTPS 也不是 HTTP"),
            None,
        ),
        Gap::TooLarge => (
            Words::fixed("it is too large to be checked", "其内容过大，无法检查"),
            Some(Words::fixed("Send it in smaller pieces.", "请拆分成较小的部分发送。")),
        ),
        Gap::Overloaded => (Words::fixed("too many requests are being checked right now", "当前正在检查的请求过多"), Some(TRY_AGAIN)),
        Gap::TimedOut => (Words::fixed("checking it took too long", "检查用时过长"), Some(TRY_AGAIN)),
        Gap::Malformed => (Words::fixed("its content is not in the format that it claims", "其内容与声明的格式不符"), None),
        Gap::Media => {
            (Words::fixed("it contains an image, audio or video that cannot be read", "其中含有无法读取的图片、音频或视频"), None)
        }
        Gap::ModelSkipped => (Words::fixed("the language model could not check it", "语言模型未能完成检查"), None),
        Gap::Panicked => (Words::fixed("an internal error stopped the check; it was reported", "检查时发生内部错误，已上报"), None),
        Gap::Unrecorded => (Words::fixed("the audit record could not be stored", "审计记录无法保存"), None),
    };
    let (status, title, retry_after) = match gap {
        Gap::Overloaded | Gap::TimedOut => (
            StatusCode::SERVICE_UNAVAILABLE,
            Words::fixed("This request could not be checked in time", "这个请求未能及时完成检查"),
            Some(5),
        ),
        Gap::Encrypted
        | Gap::UnknownEncoding
        | Gap::OpaqueTunnel
        | Gap::TooLarge
        | Gap::Malformed
        | Gap::Media
        | Gap::ModelSkipped
        | Gap::Panicked
        | Gap::Unrecorded => (StatusCode::FORBIDDEN, Words::fixed("This request could not be checked", "这个请求无法检查"), None),
    };
    let summary =
        Words::new(format!("It was not delivered to {host}, because {}.", what.en), format!("请求没有送达 {host}，因为{}。", what.zh));
    (status, "not-inspected", title, summary, advice.into_iter().collect(), retry_after)
}
