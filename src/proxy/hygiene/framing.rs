//! The state machine: follows the framing of an HTTP/1 request stream and judges every byte that is not content.
//!
//! Sans-io. [`Guard::feed`] is given the bytes that it has not passed yet and says how many of them may be handed on. Content
//! is only counted; heads, chunk lines and trailers are passed whole or not at all.

use super::Violation;
use memchr::{memchr, memrchr};

/// Most bytes of a head.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most headers of a head.
pub const MAX_HEADERS: usize = 100;
/// Most bytes of a trailer section.
const MAX_TRAILER: usize = 16 * 1024;
/// Most bytes of the line that holds a chunk's size and extension.
const MAX_CHUNK_LINE: usize = 512;
/// Empty lines before a request line, which RFC 9112, 2.2 has us ignore.
const MAX_EMPTY_LINES: usize = 4;

/// Follows one request stream.
#[derive(Debug)]
pub struct Guard {
    state: State,
    /// Heads passed so far.
    requests: u64,
    /// Content bytes of the current message so far, chunk framing included.
    content: u64,
    /// Whether the current message may turn the connection into something else.
    may_switch: bool,
    /// What was found behind the bytes passed last, and everything ends with.
    failed: Option<Violation>,
}

#[derive(Debug)]
enum State {
    /// In or before a head.
    Head { lines: Lines, head: Head, empty: usize },
    /// In content of known length.
    Content { left: u64 },
    /// Before or in the line that opens a chunk.
    ChunkLine,
    /// In a chunk.
    Chunk { left: u64 },
    /// After a chunk.
    ChunkEnd,
    /// In a trailer section.
    Trailer { lines: Lines },
    /// After a request that the answer to may end HTTP on this connection.
    Undecided,
    /// No longer HTTP.
    Off,
}

/// How far a section of lines was read: bytes of whole lines, bytes searched for a line's end, lines.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    done: usize,
    searched: usize,
    count: usize,
}

/// What of a head decides what follows it.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    version: Option<Version>,
    connect: bool,
    upgrade: bool,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

impl Default for Guard {
    fn default() -> Self {
        Self { state: State::next_head(), requests: 0, content: 0, may_switch: false, failed: None }
    }
}

impl State {
    fn next_head() -> Self {
        Self::Head { lines: Lines::default(), head: Head::default(), empty: 0 }
    }
}

impl Guard {
    /// How many bytes at the start of `bytes` may be handed on. The rest, extended by what arrives, is to be given again.
    ///
    /// # Errors
    /// The first [`Violation`], once everything before it was passed.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        let mut passed = 0;
        while self.failed.is_none() {
            match self.step(bytes.get(passed..).unwrap_or_default()) {
                Ok(0) => return Ok(passed),
                Ok(more) => passed += more,
                Err(violation) => self.failed = Some(violation),
            }
        }
        match self.failed {
            Some(violation) if passed == 0 => Err(violation),
            Some(_) | None => Ok(passed),
        }
    }

    /// Whether the answer to the last request decides if HTTP goes on here; until [`resume`](Self::resume) or
    /// [`switch_off`](Self::switch_off) nothing passes.
    pub fn is_undecided(&self) -> bool {
        matches!(self.state, State::Undecided)
    }

    /// Whether the stream is no longer HTTP.
    pub fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// Whether the next byte belongs to a head.
    pub fn is_in_head(&self) -> bool {
        matches!(self.state, State::Head { .. })
    }

    /// Whether a message has begun and not ended.
    pub fn is_in_content(&self) -> bool {
        match self.state {
            State::Content { .. } | State::ChunkLine | State::Chunk { .. } | State::ChunkEnd | State::Trailer { .. } => true,
            State::Head { .. } | State::Undecided | State::Off => false,
        }
    }

    /// Number of heads passed.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Content bytes of the current message so far.
    pub fn content(&self) -> u64 {
        self.content
    }

    /// The connection stayed HTTP.
    pub fn resume(&mut self) {
        if self.is_undecided() {
            self.state = State::next_head();
        }
    }

    /// The connection is something else from here on; everything passes.
    pub fn switch_off(&mut self) {
        self.state = State::Off;
    }

    /// One piece: a head, a chunk line, a run of content. 0 if more bytes are needed.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Violation> {
        if bytes.is_empty() {
            return Ok(0);
        }
        match &mut self.state {
            State::Head { lines, head, empty } => {
                if lines.count == 0 && bytes.starts_with(b"\r\n") {
                    *empty += 1;
                    return if *empty > MAX_EMPTY_LINES { Err(Violation::RequestLine) } else { Ok(2) };
                }
                while let Some(line) = lines.next(bytes, MAX_HEAD)? {
                    if lines.count == 1 {
                        head.request_line(line)?;
                    } else if line.is_empty() {
                        let (head, length) = (*head, lines.done);
                        self.begin(head)?;
                        return Ok(length);
                    } else if lines.count > MAX_HEADERS + 1 {
                        return Err(Violation::TooManyHeaders);
                    } else {
                        let (name, value) = header_line(line)?;
                        head.header(name, value)?;
                    }
                }
                Ok(0)
            }
            State::Content { left } => {
                let run = run_of(bytes, *left);
                *left -= run as u64;
                let ended = *left == 0;
                self.content += run as u64;
                if ended {
                    self.end();
                }
                Ok(run)
            }
            State::ChunkLine => {
                let Some((size, length)) = chunk_line(bytes)? else { return Ok(0) };
                self.content += length as u64;
                self.state = if size == 0 { State::Trailer { lines: Lines::default() } } else { State::Chunk { left: size } };
                Ok(length)
            }
            State::Chunk { left } => {
                let run = run_of(bytes, *left);
                *left -= run as u64;
                let ended = *left == 0;
                self.content += run as u64;
                if ended {
                    self.state = State::ChunkEnd;
                }
                Ok(run)
            }
            State::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.state = State::ChunkLine;
                    Ok(2)
                }
                [b'\r'] => Ok(0),
                _ => Err(Violation::ChunkEnd),
            },
            State::Trailer { lines } => {
                while let Some(line) = lines.next(bytes, MAX_TRAILER)? {
                    if line.is_empty() {
                        let length = lines.done;
                        self.end();
                        return Ok(length);
                    }
                    if lines.count > MAX_HEADERS {
                        return Err(Violation::TooManyHeaders);
                    }
                    let (name, _) = header_line(line)?;
                    if ["content-length", "transfer-encoding", "host", "connection", "upgrade"].iter().any(|word| is(name, word)) {
                        return Err(Violation::Trailer);
                    }
                }
                Ok(0)
            }
            State::Undecided => Ok(0),
            State::Off => Ok(bytes.len()),
        }
    }

    /// A head is complete: what follows?
    fn begin(&mut self, head: Head) -> Result<(), Violation> {
        let http10 = head.version == Some(Version::Http10);
        if head.chunked && http10 {
            return Err(Violation::EncodingInHttp10);
        }
        if head.chunked && head.length.is_some() {
            return Err(Violation::LengthAndEncoding);
        }
        if head.hosts == 0 && !http10 {
            return Err(Violation::MissingHost);
        }
        let has_content = head.chunked || head.length.is_some_and(|length| length > 0);
        if head.connect && has_content {
            return Err(Violation::ConnectWithContent);
        }
        self.requests += 1;
        self.content = 0;
        self.may_switch = head.connect || head.upgrade;
        match head.length {
            _ if head.chunked => self.state = State::ChunkLine,
            Some(left) if left > 0 => self.state = State::Content { left },
            Some(_) | None => self.end(),
        }
        Ok(())
    }

    /// A message is complete.
    fn end(&mut self) {
        self.state = if self.may_switch { State::Undecided } else { State::next_head() };
    }
}

fn run_of(bytes: &[u8], left: u64) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

impl Lines {
    /// The next whole line of the section that `bytes` begins with, without its end.
    fn next<'a>(&mut self, bytes: &'a [u8], most: usize) -> Result<Option<&'a [u8]>, Violation> {
        let unsearched = bytes.get(self.searched..).unwrap_or_default();
        let Some(lf) = memchr(b'\n', unsearched).map(|at| self.searched + at) else {
            self.searched = bytes.len();
            return if bytes.len() >= most { Err(Violation::HeadTooLong) } else { Ok(None) };
        };
        if lf >= most {
            return Err(Violation::HeadTooLong);
        }
        let line = bytes.get(self.done..lf).unwrap_or_default();
        let line = line.strip_suffix(b"\r").ok_or(Violation::BareLf)?;
        if memchr(b'\r', line).is_some() {
            return Err(Violation::BareCr);
        }
        if memchr(0, line).is_some() {
            return Err(Violation::Nul);
        }
        self.done = lf + 1;
        self.searched = self.done;
        self.count += 1;
        Ok(Some(line))
    }
}

impl Head {
    fn request_line(&mut self, line: &[u8]) -> Result<(), Violation> {
        let (Some(first), Some(last)) = (memchr(b' ', line), memrchr(b' ', line)) else { return Err(Violation::RequestLine) };
        if first == last {
            return Err(Violation::RequestLine);
        }
        let (Some(method), Some(target), Some(version)) = (line.get(..first), line.get(first + 1..last), line.get(last + 1..)) else {
            return Err(Violation::RequestLine);
        };
        self.version = match version {
            b"HTTP/1.1" => Some(Version::Http11),
            b"HTTP/1.0" => Some(Version::Http10),
            other if other.starts_with(b"HTTP/") => return Err(Violation::Version),
            _ => return Err(Violation::RequestLine),
        };
        if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
            return Err(Violation::BadMethod);
        }
        // Bytes above ASCII are not allowed either, but curl and old scripts send UTF-8 as it is, and no two servers split there.
        if target.is_empty() || target.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Violation::BadTarget);
        }
        self.connect = method == b"CONNECT";
        Ok(())
    }

    fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), Violation> {
        match name.len() {
            4 if is(name, "host") => {
                self.hosts += 1;
                if self.hosts > 1 {
                    return Err(Violation::RepeatedHost);
                }
                if value.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'/' | b'\\' | b'@' | b'?' | b'#' | b',' | b'"' | b'<' | b'>')) {
                    return Err(Violation::BadHost);
                }
            }
            7 if is(name, "upgrade") => self.upgrade = true,
            14 if is(name, "content-length") => {
                if self.length.is_some() {
                    return Err(Violation::RepeatedLength);
                }
                self.length = Some(decimal(value).ok_or(Violation::BadLength)?);
            }
            17 if is(name, "transfer-encoding") => {
                if self.chunked {
                    return Err(Violation::RepeatedEncoding);
                }
                if !is(value, "chunked") {
                    return Err(Violation::UnknownEncoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Name and trimmed value of a header line.
fn header_line(line: &[u8]) -> Result<(&[u8], &[u8]), Violation> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Violation::ObsFold);
    }
    let colon = memchr(b':', line).ok_or(Violation::BadName)?;
    let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    if matches!(name.last(), Some(b' ' | b'\t')) {
        return Err(Violation::SpaceBeforeColon);
    }
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
        return Err(Violation::BadName);
    }
    if value.iter().any(|&byte| is_control(byte)) {
        return Err(Violation::Control);
    }
    Ok((name, value.trim_ascii()))
}

/// Size of a chunk and length of its line, once that is complete.
fn chunk_line(bytes: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let within = bytes.get(..MAX_CHUNK_LINE).unwrap_or(bytes);
    let digits = within.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits > 16 {
        return Err(Violation::ChunkSize);
    }
    let Some(lf) = memchr(b'\n', within) else {
        return if bytes.len() >= MAX_CHUNK_LINE { Err(Violation::ChunkExtension) } else { Ok(None) };
    };
    let line = within.get(..lf).unwrap_or_default().strip_suffix(b"\r").ok_or(Violation::BareLf)?;
    let (size, extension) = (line.get(..digits).unwrap_or_default(), line.get(digits..).unwrap_or_default());
    match extension.first() {
        None => {}
        Some(b';') if digits > 0 && extension.iter().any(|&byte| is_control(byte)) => return Err(Violation::ChunkExtension),
        Some(b';') if digits > 0 => {}
        Some(_) => return Err(Violation::ChunkSize),
    }
    let size = std::str::from_utf8(size).ok().and_then(|text| i64::from_str_radix(text, 16).ok()).ok_or(Violation::ChunkSize)?;
    Ok(Some((size.unsigned_abs(), lf + 1)))
}

/// A control character other than a tab.
fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

fn is(bytes: &[u8], word: &str) -> bool {
    bytes.eq_ignore_ascii_case(word.as_bytes())
}

/// Digits alone: no sign, no list, no white space within (RFC 9110, 8.6).
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// `tchar` of RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    const ALLOWED: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let c = byte as u8;
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; the loop bounds the index")]
            {
                table[byte] = c.is_ascii_alphanumeric()
                    || matches!(c, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
            }
            byte += 1;
        }
        table
    };
    ALLOWED.get(usize::from(byte)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes passed and the verdict, for a stream that arrives in pieces of the given sizes.
    fn run(stream: &[u8], pieces: &[usize]) -> (usize, Option<Violation>) {
        let mut guard = Guard::default();
        let (mut passed, mut arrived) = (0, 0);
        let mut pieces = pieces.iter().copied().chain(std::iter::repeat(stream.len().max(1)));
        while arrived < stream.len() {
            arrived = (arrived + pieces.next().unwrap_or(1).max(1)).min(stream.len());
            loop {
                match guard.feed(&stream[passed..arrived]) {
                    Ok(0) => break,
                    Ok(more) => passed += more,
                    Err(violation) => return (passed, Some(violation)),
                }
            }
        }
        (passed, None)
    }

    fn verdict(stream: &str) -> Option<Violation> {
        run(stream.as_bytes(), &[]).1
    }

    fn refused(head: &str, violation: Violation) {
        assert_eq!(run(head.as_bytes(), &[]), (0, Some(violation)), "{head:?}");
    }

    #[test]
    fn proper_requests_pass_whole() {
        for stream in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/b?c=%20 HTTP/1.0\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHOST:a:80\r\nX:\r\nY:  v\t \r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nx-sum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /中文 HTTP/1.1\r\nHost: a\r\nX-Name: 名\r\n\r\n",
        ] {
            assert_eq!(run(stream.as_bytes(), &[]), (stream.len(), None), "{stream:?}");
        }
    }

    #[test]
    fn bare_lf_is_refused() {
        refused("GET / HTTP/1.1\nHost: a\r\n\r\n", Violation::BareLf);
        refused("GET / HTTP/1.1\r\nHost: a\n\r\n", Violation::BareLf);
        refused("GET / HTTP/1.1\r\nHost: a\r\n\n", Violation::BareLf);
        refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BareLf);
    }

    #[test]
    fn bare_cr_is_refused() {
        refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", Violation::BareCr);
        refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Violation::BareCr);
        refused("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", Violation::BareCr);
    }

    #[test]
    fn nul_and_other_controls_are_refused() {
        refused("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", Violation::Nul);
        refused("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Violation::Nul);
        refused("GET / HTTP/1.1\r\nHost: a\r\nX: a\x0bb\r\n\r\n", Violation::Control);
        refused("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", Violation::Control);
    }

    #[test]
    fn folded_headers_are_refused() {
        refused("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", Violation::ObsFold);
        refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n", Violation::UnknownEncoding);
        refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Violation::ObsFold);
    }

    #[test]
    fn white_space_before_a_colon_is_refused() {
        refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Violation::SpaceBeforeColon);
        refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n", Violation::SpaceBeforeColon);
    }

    #[test]
    fn header_names_are_tokens() {
        for line in ["no colon", ": empty", "a b: c", "a\u{e9}: c", "a(b): c", "\"a\": c"] {
            refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n"), Violation::BadName);
        }
        refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\x0b: chunked\r\n\r\n", Violation::BadName);
    }

    #[test]
    fn length_and_encoding_together_are_refused_in_either_order() {
        refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Violation::LengthAndEncoding);
        refused("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n", Violation::LengthAndEncoding);
    }

    #[test]
    fn a_repeated_length_is_refused_even_if_equal() {
        refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Violation::RepeatedLength);
        refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-length: 6\r\n\r\nhello", Violation::RepeatedLength);
    }

    #[test]
    fn a_length_is_digits_alone() {
        for length in ["", "+5", "-1", "5, 5", "0x5", "5 5", "5;", "1e3", "18446744073709551616", "\u{666}"] {
            refused(&format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"), Violation::BadLength);
        }
    }

    #[test]
    fn an_encoding_is_chunked_alone() {
        for coding in ["", "gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1", "\"chunked\"", "chunked,"] {
            refused(&format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n"), Violation::UnknownEncoding);
        }
        refused(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            Violation::RepeatedEncoding,
        );
        refused(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            Violation::RepeatedEncoding,
        );
        refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Violation::EncodingInHttp10);
    }

    #[test]
    fn there_is_one_host() {
        refused("GET / HTTP/1.1\r\n\r\n", Violation::MissingHost);
        refused("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", Violation::RepeatedHost);
        for host in ["a, b", "a b", "a/b", "user@a", "a?", "a#"] {
            refused(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), Violation::BadHost);
        }
    }

    #[test]
    fn the_request_line_has_three_parts() {
        refused("GET /\r\nHost: a\r\n\r\n", Violation::RequestLine);
        refused("GET\r\n\r\n", Violation::RequestLine);
        refused("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
        refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
        refused("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Violation::RequestLine);
        refused(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadMethod);
        refused("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadMethod);
        refused("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", Violation::BadTarget);
        refused("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Violation::RequestLine);
        refused("GET / HTTP/1.2\r\nHost: a\r\n\r\n", Violation::Version);
        refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Violation::Version);
        refused("GET / http/1.1\r\nHost: a\r\n\r\n", Violation::RequestLine);
        refused("\x16\x03\x01\x02\n\r\n", Violation::BareLf);
    }

    #[test]
    fn heads_are_bounded() {
        refused(&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(MAX_HEAD)), Violation::HeadTooLong);
        let headers = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(count));
        assert_eq!(verdict(&headers(MAX_HEADERS - 1)), None);
        refused(&headers(MAX_HEADERS), Violation::TooManyHeaders);
        assert_eq!(verdict(&"\r\n".repeat(MAX_EMPTY_LINES + 1)), Some(Violation::RequestLine));
    }

    fn chunked(body: &str) -> Option<Violation> {
        verdict(&format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"))
    }

    #[test]
    fn chunk_sizes_are_hexadecimal_and_fit() {
        for line in ["", "g", "0x5", "-1", "+5", " 5", "5 ", "5\t;a", ";a", "5,"] {
            assert_eq!(chunked(&format!("{line}\r\nhello\r\n")), Some(Violation::ChunkSize), "{line:?}");
        }
        assert_eq!(chunked("ffffffffffffffff\r\n"), Some(Violation::ChunkSize));
        assert_eq!(chunked("00000000000000005\r\nhello\r\n"), Some(Violation::ChunkSize));
        assert_eq!(chunked("7fffffffffffffff\r\nx"), None);
        assert_eq!(chunked("5\nhello\r\n"), Some(Violation::BareLf));
    }

    #[test]
    fn chunk_extensions_are_bounded() {
        assert_eq!(chunked(&format!("5;{}\r\n", "a".repeat(MAX_CHUNK_LINE))), Some(Violation::ChunkExtension));
        assert_eq!(chunked("5;a\rb\r\n"), Some(Violation::ChunkExtension));
        assert_eq!(chunked("5;a\0\r\n"), Some(Violation::ChunkExtension));
        assert_eq!(chunked("5;a\nhello\r\n"), Some(Violation::BareLf));
    }

    #[test]
    fn a_chunk_ends_where_its_size_says() {
        assert_eq!(chunked("5\r\nhello!\r\n"), Some(Violation::ChunkEnd));
        assert_eq!(chunked("5\r\nhello\n"), Some(Violation::ChunkEnd));
        assert_eq!(chunked("5\r\nhello\rX"), Some(Violation::ChunkEnd));
    }

    #[test]
    fn trailers_neither_frame_nor_route() {
        assert_eq!(chunked("0\r\nContent-Length: 5\r\n\r\n"), Some(Violation::Trailer));
        assert_eq!(chunked("0\r\nhost: b\r\n\r\n"), Some(Violation::Trailer));
        assert_eq!(chunked("0\r\nx: y\n\r\n"), Some(Violation::BareLf));
        assert_eq!(chunked("0\r\nx: y\r\n z\r\n\r\n"), Some(Violation::ObsFold));
        assert_eq!(chunked(&format!("0\r\nx: {}\r\n\r\n", "y".repeat(MAX_TRAILER))), Some(Violation::HeadTooLong));
    }

    #[test]
    fn a_smuggled_second_request_is_judged_after_the_first_passed() {
        let first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
        let stream = format!("{first}GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n");
        assert_eq!(run(stream.as_bytes(), &[]), (first.len(), Some(Violation::SpaceBeforeColon)));
    }

    #[test]
    fn nothing_passes_behind_a_connect_until_it_is_decided() {
        let connect = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01";
        let mut guard = Guard::default();
        assert_eq!(guard.feed(connect), Ok(connect.len() - 3));
        assert!(guard.is_undecided());
        assert_eq!(guard.feed(b"\x16\x03\x01"), Ok(0));
        guard.switch_off();
        assert_eq!(guard.feed(b"\x16\x03\x01"), Ok(3));

        let mut guard = Guard::default();
        assert_eq!(guard.feed(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\nGET / HT"), Ok(49));
        assert!(guard.is_undecided());
        guard.resume();
        assert_eq!(guard.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(27));
        assert_eq!(guard.requests(), 2);
        refused("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", Violation::ConnectWithContent);
    }

    fn piece() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            4 => Just("Host: a\r\n".to_owned()),
            2 => Just("Content-Length: 5\r\n".to_owned()),
            2 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
            1 => Just("X: y\n".to_owned()),
            1 => Just(" folded\r\n".to_owned()),
            1 => Just("X : y\r\n".to_owned()),
            1 => Just("X: a\rb\r\n".to_owned()),
            2 => "[a-z]{1,8}: [ -~]{0,20}\r\n",
        ];
        let head = (proptest::collection::vec(line, 0..4)).prop_map(|lines| format!("POST / HTTP/1.1\r\n{}\r\n", lines.concat()));
        prop_oneof![
            6 => head,
            3 => Just("hello".to_owned()),
            2 => Just("5\r\nhello\r\n0\r\n\r\n".to_owned()),
            1 => Just("0\r\nx: y\r\n\r\n".to_owned()),
            1 => "[ -~\r\n]{0,12}",
        ]
    }

    proptest! {
        #[test]
        fn every_split_of_a_stream_gets_the_same_verdict(
            pieces in proptest::collection::vec(piece(), 1..6),
            sizes in proptest::collection::vec(1_usize..40, 0..60),
        ) {
            let stream = pieces.concat();
            let whole = run(stream.as_bytes(), &[]);
            prop_assert_eq!(run(stream.as_bytes(), &sizes), whole);
            prop_assert_eq!(run(stream.as_bytes(), &vec![1; stream.len()]), whole);
        }

        #[test]
        fn no_bytes_make_it_panic_or_pass_more_than_there_are(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (passed, _) = run(&bytes, &[]);
            prop_assert!(passed <= bytes.len());
        }
    }
}
