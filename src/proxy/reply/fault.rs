//! Everything but policy that ends an exchange here, in words.

use super::Words;
use http::StatusCode;
use std::fmt;

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

/// For logs.
impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::WrongName => "it belongs to another host",
            Self::UnknownIssuer => "its issuer is unknown",
            Self::Revoked => "it was revoked",
            Self::Invalid => "it is malformed or unsuitable",
        })
    }
}

impl Fault {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.say("").0
    }

    /// Status, slug, title and summary.
    pub(super) fn say(&self, host: &str) -> (StatusCode, &'static str, Words, Words) {
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
