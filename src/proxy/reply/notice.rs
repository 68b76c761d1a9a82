//! What there is to say, before it gets a form: every answer is a [`Notice`] first.

use super::{Language, RequestFacts, Words, ascii, clip};
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

/// Why a request cannot be served, where it is not policy that refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 400: it is not proper HTTP. Says what is wrong.
    BadRequest(Words),
    /// 408: the head or the body did not arrive in time.
    SlowRequest,
    /// 407: the client has to say who it is.
    ProxyAuthentication,
    /// 403: this client address may not use the proxy.
    ClientNotAllowed,
    /// 403: the destination is a private, loopback or link-local address.
    PrivateDestination,
    /// 403: the destination is the proxy itself.
    OwnAddress,
    /// 503: a limit of the proxy is reached.
    Busy,
    /// 502: the name does not resolve.
    UnknownHost,
    /// 502: nothing listens there.
    ConnectionRefused,
    /// 502: there is no way there.
    Unreachable,
    /// 502: the site hung up.
    ConnectionReset,
    /// 504: no connection in time.
    ConnectTimeout,
    /// 504: no answer in time.
    AnswerTimeout,
    /// 502: TLS with the site failed other than by its certificate.
    Tls,
    /// 502: the site's certificate cannot be trusted.
    Certificate(CertificateFault),
    /// 502: what the site answers is not proper HTTP.
    BadAnswer,
    /// 502: the parent proxy does not let us through.
    ParentProxy,
}

/// What is wrong with a site's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// It is no longer valid.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other names.
    WrongName,
    /// No authority that we trust vouches for it.
    UnknownIssuer,
    /// It was revoked.
    Revoked,
    /// It cannot be read, or breaks a rule.
    Invalid,
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

impl Fault {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.say("").0
    }

    fn say(&self, host: &str) -> (StatusCode, &'static str, Words, Words) {
        use StatusCode as S;
        let unreachable = Words::fixed("The site cannot be reached", "无法访问该网站");
        match self {
            Self::BadRequest(what) => (
                S::BAD_REQUEST,
                "bad-request",
                Words::fixed("This request is not proper HTTP", "这个请求不符合 HTTP 规范"),
                Words::new(format!("It was not forwarded: {}.", what.en), format!("请求没有转发：{}。", what.zh)),
            ),
            Self::SlowRequest => (
                S::REQUEST_TIMEOUT,
                "slow-request",
                Words::fixed("The request did not arrive in time", "请求未能及时传完"),
                Words::fixed("The client stopped sending before its request was complete.", "客户端在请求传完之前停止了发送。"),
            ),
            Self::ProxyAuthentication => (
                S::PROXY_AUTHENTICATION_REQUIRED,
                "proxy-authentication",
                Words::fixed("Please sign in to the proxy", "请登录代理服务器"),
                Words::fixed("The proxy needs a user name and a password.", "代理服务器需要用户名和密码。"),
            ),
            Self::ClientNotAllowed => (
                S::FORBIDDEN,
                "client-not-allowed",
                Words::fixed("This computer may not use the proxy", "这台计算机不允许使用该代理"),
                Words::fixed("Its address is not among those that the proxy serves.", "它的地址不在代理服务的范围内。"),
            ),
            Self::PrivateDestination => (
                S::FORBIDDEN,
                "private-destination",
                Words::fixed("This address is private", "这是内部地址"),
                Words::new(
                    format!("{host} is a private, local or link-local address, which the proxy does not connect to."),
                    format!("{host} 是私有、本机或链路本地地址，代理不连接此类地址。"),
                ),
            ),
            Self::OwnAddress => (
                S::FORBIDDEN,
                "own-address",
                Words::fixed("This address is the proxy itself", "这是代理服务器自身的地址"),
                Words::fixed(
                    "The proxy does not connect to itself. Open this address without the proxy.",
                    "代理不会连接到自己。请不经代理直接打开该地址。",
                ),
            ),
            Self::Busy => (
                S::SERVICE_UNAVAILABLE,
                "busy",
                Words::fixed("The proxy is busy", "代理服务器繁忙"),
                Words::fixed(
                    "It has reached one of its limits and takes no more requests for the moment.",
                    "代理已达到上限，暂时不接受更多请求。",
                ),
            ),
            Self::UnknownHost => (
                S::BAD_GATEWAY,
                "unknown-host",
                unreachable,
                Words::new(
                    format!("There is no site named {host}: the name does not resolve."),
                    format!("找不到名为 {host} 的网站：域名无法解析。"),
                ),
            ),
            Self::ConnectionRefused => (
                S::BAD_GATEWAY,
                "connection-refused",
                unreachable,
                Words::new(format!("{host} refused the connection."), format!("{host} 拒绝了连接。")),
            ),
            Self::Unreachable => (
                S::BAD_GATEWAY,
                "unreachable",
                unreachable,
                Words::new(format!("There is no network route to {host}."), format!("没有通往 {host} 的网络路由。")),
            ),
            Self::ConnectionReset => (
                S::BAD_GATEWAY,
                "connection-reset",
                Words::fixed("The site closed the connection", "网站关闭了连接"),
                Words::new(format!("{host} closed the connection before it answered."), format!("{host} 在答复之前关闭了连接。")),
            ),
            Self::ConnectTimeout => (
                S::GATEWAY_TIMEOUT,
                "connect-timeout",
                unreachable,
                Words::new(format!("{host} did not accept a connection in time."), format!("{host} 未能及时建立连接。")),
            ),
            Self::AnswerTimeout => (
                S::GATEWAY_TIMEOUT,
                "answer-timeout",
                Words::fixed("The site does not answer", "网站没有响应"),
                Words::new(format!("{host} took the request but did not answer in time."), format!("{host} 收到了请求，但未能及时答复。")),
            ),
            Self::Tls => (
                S::BAD_GATEWAY,
                "tls",
                Words::fixed("No secure connection to the site", "无法与网站建立安全连接"),
                Words::new(
                    format!("{host} and the proxy could not agree on a secure connection (TLS)."),
                    format!("{host} 与代理未能协商出安全连接（TLS）。"),
                ),
            ),
            Self::Certificate(fault) => {
                let what = fault.say();
                (
                    S::BAD_GATEWAY,
                    fault.slug(),
                    Words::fixed("The site's certificate cannot be trusted", "该网站的证书不可信"),
                    Words::new(
                        format!("The certificate of {host} {}. Nothing was sent to it.", what.en),
                        format!("{host} 的证书{}。没有向其发送任何内容。", what.zh),
                    ),
                )
            }
            Self::BadAnswer => (
                S::BAD_GATEWAY,
                "bad-answer",
                Words::fixed("The site's answer cannot be read", "无法解读网站的答复"),
                Words::new(format!("What {host} answered is not proper HTTP."), format!("{host} 的答复不符合 HTTP 规范。")),
            ),
            Self::ParentProxy => (
                S::BAD_GATEWAY,
                "parent-proxy",
                unreachable,
                Words::new(
                    format!("The parent proxy did not let the connection to {host} through."),
                    format!("上级代理没有放行到 {host} 的连接。"),
                ),
            ),
        }
    }
}

impl CertificateFault {
    fn slug(self) -> &'static str {
        match self {
            Self::Expired => "certificate-expired",
            Self::NotYetValid => "certificate-not-yet-valid",
            Self::WrongName => "certificate-wrong-name",
            Self::UnknownIssuer => "certificate-unknown-issuer",
            Self::Revoked => "certificate-revoked",
            Self::Invalid => "certificate-invalid",
        }
    }

    fn say(self) -> Words {
        match self {
            Self::Expired => Words::fixed("has expired", "已过期"),
            Self::NotYetValid => Words::fixed("is not valid yet", "尚未生效"),
            Self::WrongName => Words::fixed("is for another name", "属于另一个域名"),
            Self::UnknownIssuer => {
                Words::fixed("is from an unknown issuer, or the site signed it itself", "由未知机构颁发，或由网站自行签发")
            }
            Self::Revoked => Words::fixed("was revoked by its issuer", "已被颁发机构吊销"),
            Self::Invalid => Words::fixed("is invalid", "无效"),
        }
    }
}
