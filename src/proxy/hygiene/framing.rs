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
                    *lines = Lines::default(); // its first byte may have been searched when it came alone
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
mod tests;
