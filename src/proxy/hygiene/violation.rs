//! What a client can do wrong in HTTP/1.

use crate::proxy::reply::{Fault, Words};

/// The rule of HTTP/1.1 (RFC 9112) that a request breaks. Two servers that read such a request differently can be played against each
/// other, so none is passed on and none is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A line ends in LF without CR.
    #[error("a line ends in LF alone; end lines with CR LF")]
    BareLf,
    /// A CR that ends no line.
    #[error("a line holds a CR; end lines with CR LF and send no other CR")]
    BareCr,
    /// A NUL byte in a head.
    #[error("the head holds a NUL byte")]
    Nul,
    /// Another control character in a head.
    #[error("the head holds a control character")]
    Control,
    /// A header line that continues the one before.
    #[error("a header is folded over two lines; send it in one")]
    ObsFold,
    /// White space between a header's name and its colon.
    #[error("there is white space before a header's colon")]
    SpaceBeforeColon,
    /// A header line without a proper name and colon.
    #[error("a header line has no proper name")]
    BadName,
    /// Not `method SP target SP version`.
    #[error("the request line is not a method, a target and a version, with one space between")]
    RequestLine,
    /// The method is no token.
    #[error("the method holds a character that is not allowed")]
    BadMethod,
    /// The target is empty or holds white space or a control character.
    #[error("the target holds a character that is not allowed")]
    BadTarget,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    #[error("the version is neither HTTP/1.1 nor HTTP/1.0")]
    Version,
    /// Both framings at once: the classic of request smuggling.
    #[error("there are both Content-Length and Transfer-Encoding; send one")]
    LengthAndEncoding,
    /// `Content-Length` more than once.
    #[error("there is more than one Content-Length; send one")]
    RepeatedLength,
    /// `Content-Length` is not a plain decimal number.
    #[error("Content-Length is not a number")]
    BadLength,
    /// `Transfer-Encoding` more than once.
    #[error("there is more than one Transfer-Encoding; send one")]
    RepeatedEncoding,
    /// `Transfer-Encoding` other than `chunked`.
    #[error("Transfer-Encoding is not chunked")]
    UnknownEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not have it.
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    EncodingInHttp10,
    /// `CONNECT` with content.
    #[error("a CONNECT request has no content")]
    ConnectWithContent,
    /// HTTP/1.1 without `Host`.
    #[error("there is no Host header")]
    MissingHost,
    /// `Host` more than once.
    #[error("there is more than one Host header; send one")]
    RepeatedHost,
    /// `Host` is not one host with an optional port.
    #[error("the Host header is not a host name")]
    BadHost,
    /// The head is over its limit.
    #[error("the head is too long")]
    HeadTooLong,
    /// There are too many headers.
    #[error("there are too many headers")]
    TooManyHeaders,
    /// The size of a chunk is no hexadecimal number that fits.
    #[error("the size of a chunk is not a proper hexadecimal number")]
    ChunkSize,
    /// The extension of a chunk is too long or holds a control character.
    #[error("the extension of a chunk is not proper or too long")]
    ChunkExtension,
    /// A chunk does not end where its size says.
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    /// A trailer that would change the framing or the destination after the fact.
    #[error("a header that frames or routes the message stands in its trailer")]
    Trailer,
    /// The head did not arrive in time.
    #[error("the head did not arrive in time")]
    SlowHead,
    /// The content arrives too slowly.
    #[error("the content arrives too slowly")]
    SlowBody,
}

impl Violation {
    /// The same in both languages.
    pub fn words(self) -> Words {
        Words::new(self.to_string(), self.chinese())
    }

    /// What to answer.
    pub fn fault(self) -> Fault {
        match self {
            Self::SlowHead | Self::SlowBody => Fault::SlowRequest,
            Self::BareLf
            | Self::BareCr
            | Self::Nul
            | Self::Control
            | Self::ObsFold
            | Self::SpaceBeforeColon
            | Self::BadName
            | Self::RequestLine
            | Self::BadMethod
            | Self::BadTarget
            | Self::Version
            | Self::LengthAndEncoding
            | Self::RepeatedLength
            | Self::BadLength
            | Self::RepeatedEncoding
            | Self::UnknownEncoding
            | Self::EncodingInHttp10
            | Self::ConnectWithContent
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::BadHost
            | Self::HeadTooLong
            | Self::TooManyHeaders
            | Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkEnd
            | Self::Trailer => Fault::BadRequest(self.words()),
        }
    }

    fn chinese(self) -> &'static str {
        match self {
            Self::BareLf => "有一行只以 LF 结尾，应以 CR LF 结尾",
            Self::BareCr => "行中含有多余的 CR，CR 只能出现在行尾的 CR LF 中",
            Self::Nul => "请求头部含有 NUL 字节",
            Self::Control => "请求头部含有控制字符",
            Self::ObsFold => "有请求头被折成两行，应写在一行内",
            Self::SpaceBeforeColon => "请求头的冒号前有空白",
            Self::BadName => "有一行请求头缺少合法的名称",
            Self::RequestLine => "请求行不是以单个空格分隔的方法、目标和版本",
            Self::BadMethod => "请求方法含有不允许的字符",
            Self::BadTarget => "请求目标含有不允许的字符",
            Self::Version => "版本既不是 HTTP/1.1 也不是 HTTP/1.0",
            Self::LengthAndEncoding => "同时含有 Content-Length 和 Transfer-Encoding，只能有一个",
            Self::RepeatedLength => "Content-Length 出现多次",
            Self::BadLength => "Content-Length 不是数字",
            Self::RepeatedEncoding => "Transfer-Encoding 出现多次",
            Self::UnknownEncoding => "Transfer-Encoding 不是 chunked",
            Self::EncodingInHttp10 => "HTTP/1.0 不支持 Transfer-Encoding",
            Self::ConnectWithContent => "CONNECT 请求不能带有内容",
            Self::MissingHost => "缺少 Host 请求头",
            Self::RepeatedHost => "Host 出现多次",
            Self::BadHost => "Host 请求头不是主机名",
            Self::HeadTooLong => "请求头部过长",
            Self::TooManyHeaders => "请求头数量过多",
            Self::ChunkSize => "分块大小不是合法的十六进制数",
            Self::ChunkExtension => "分块扩展不合法或过长",
            Self::ChunkEnd => "分块没有在其大小所指的位置结束",
            Self::Trailer => "尾部字段中含有决定消息边界或去向的请求头",
            Self::SlowHead => "请求头部未能及时到达",
            Self::SlowBody => "请求内容到达过慢",
        }
    }
}
