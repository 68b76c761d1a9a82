//! A multipart body, part by part.

use super::{About, Extent, File, Out};
use crate::{
    content::multipart::{self, DelimiterLine},
    finding::Gap,
    text::Place,
};

/// Longer heads of parts are content.
const LONGEST_HEAD: usize = 64 << 10;
/// White space that may follow a delimiter on its line.
const PADDING: usize = 256;

/// The parts of a multipart body (RFC 2046, 5.1), cut as [`multipart::split`] cuts them.
pub(super) struct Parts {
    delimiter: String,
    /// Of the whole body.
    about: About,
    depth: usize,
    /// Bytes of which it is open what they belong to.
    carry: Vec<u8>,
    /// Offset in the body where they began, or an earlier one.
    from: u64,
    start: Start,
    at: At,
    count: usize,
}

/// What the carry begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// A line.
    Line,
    /// The middle of some content.
    Content,
}

enum At {
    /// Before the first delimiter.
    Preamble(File),
    /// In the header lines of a part.
    Head,
    Body(File),
    /// Behind the last delimiter.
    Epilogue(File),
}

/// A delimiter in the carry.
enum Delimiter {
    Line(DelimiterLine),
    /// Perhaps there, if what comes next fits.
    Perhaps(usize),
    Absent,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Perhaps,
    No,
}

/// What has come of looking at the carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Done,
    Wait,
}

impl Parts {
    pub(super) fn new(about: &About, boundary: &str, depth: usize) -> Self {
        let about = About { hint: Default::default(), ..about.clone() };
        Self {
            delimiter: format!("--{boundary}"),
            at: At::Preamble(File::plain(about.clone())),
            about,
            depth,
            carry: Vec::new(),
            from: 0,
            start: Start::Line,
            count: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        if self.carry.is_empty() {
            self.from = out.at;
        }
        self.carry.extend_from_slice(bytes);
        while self.step(More::Perhaps, out) == Step::Done {}
        if self.carry.len() <= bytes.len() {
            self.from = out.at;
        }
    }

    pub(super) fn pause(&mut self, out: &mut Out<'_>) {
        if let At::Preamble(file) | At::Body(file) | At::Epilogue(file) = &mut self.at {
            file.pause(out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        while self.step(More::No, out) == Step::Done {}
        if !matches!(self.at, At::Epilogue(_)) {
            out.gap(Gap::Malformed);
        }
        if let At::Head = self.at {
            self.begin_body("", out);
        }
        self.content(self.carry.len(), out);
        self.close(out);
    }

    pub(super) fn waiting_from(&self) -> Option<u64> {
        let carried = (!self.carry.is_empty()).then_some(self.from);
        let inside = match &self.at {
            At::Preamble(file) | At::Body(file) | At::Epilogue(file) => file.waiting_from(),
            At::Head => None,
        };
        carried.into_iter().chain(inside).min()
    }

    fn step(&mut self, more: More, out: &mut Out<'_>) -> Step {
        if let At::Epilogue(_) = self.at {
            self.content(self.carry.len(), out);
            return Step::Wait;
        }
        let delimiter = self.delimiter(more);
        if let At::Head = self.at {
            return self.step_head(&delimiter, more, out);
        }
        match delimiter {
            Delimiter::Line(line) => {
                self.content(line.content_end, out);
                self.close(out);
                self.skip(line.end - line.content_end);
                self.at = if line.closing { At::Epilogue(File::plain(self.about.clone())) } else { At::Head };
                Step::Done
            }
            // The line break before a delimiter belongs to it.
            Delimiter::Perhaps(at) => {
                self.content(at.saturating_sub(2), out);
                Step::Wait
            }
            Delimiter::Absent => {
                self.content(self.carry.len().saturating_sub(self.delimiter.len() + 4), out);
                Step::Wait
            }
        }
    }

    fn step_head(&mut self, delimiter: &Delimiter, more: More, out: &mut Out<'_>) -> Step {
        let end = multipart::head_end(&self.carry);
        match (delimiter, end) {
            (Delimiter::Line(line), Some(end)) if line.start < end.body => self.begin_body("", out),
            (Delimiter::Line(_), None) => self.begin_body("", out),
            (_, Some(end)) => {
                let head = String::from_utf8_lossy(self.carry.get(..end.head).unwrap_or_default()).into_owned();
                self.begin_body(&head, out);
                self.skip(end.body);
            }
            // No empty line: what should be a head may as well be content.
            (_, None) if self.carry.len() > LONGEST_HEAD || more == More::No && !self.carry.is_empty() => self.begin_body("", out),
            (_, None) => return Step::Wait,
        }
        Step::Done
    }

    fn delimiter(&self, more: More) -> Delimiter {
        let len = self.delimiter.len();
        for at in memchr::memmem::find_iter(&self.carry, self.delimiter.as_bytes()) {
            if at == 0 && self.start == Start::Content {
                continue;
            }
            let rest = self.carry.get(at + len..).unwrap_or_default();
            let is_open =
                more == More::Perhaps && rest.len() < PADDING && !rest.starts_with(b"--") && memchr::memchr(b'\n', rest).is_none();
            match multipart::delimiter_line(&self.carry, at, len) {
                _ if is_open => return Delimiter::Perhaps(at),
                Some(line) => return Delimiter::Line(line),
                None => {}
            }
        }
        Delimiter::Absent
    }

    fn begin_body(&mut self, head: &str, out: &mut Out<'_>) {
        self.count += 1;
        let read = multipart::read_head(head);
        let about = About {
            place: Place::Part(read.label(self.count)),
            hint: read.media_type.clone().unwrap_or_default(),
            field: if read.file_name.is_none() { read.name.clone() } else { None },
        };
        let texts: Vec<&str> = read.texts.iter().filter_map(|range| head.get(range.clone())).collect();
        out.piece(&About { hint: Default::default(), field: None, ..about.clone() }, Extent::Part, texts.join("\n").as_bytes(), self.from);
        self.at = At::Body(File::new(about, self.depth));
    }

    /// Hands the first `len` bytes of the carry on as content.
    fn content(&mut self, len: usize, out: &mut Out<'_>) {
        if len == 0 {
            return;
        }
        if let At::Preamble(file) | At::Body(file) | At::Epilogue(file) = &mut self.at {
            let bytes = self.carry.get(..len).unwrap_or_default();
            out.from(self.from, |out| file.push(bytes, out));
        }
        self.carry.drain(..len);
        self.start = Start::Content;
    }

    /// Drops the first `len` bytes of the carry: they are syntax, and a line begins after them.
    fn skip(&mut self, len: usize) {
        self.carry.drain(..len.min(self.carry.len()));
        self.start = Start::Line;
    }

    fn close(&mut self, out: &mut Out<'_>) {
        if let At::Preamble(file) | At::Body(file) | At::Epilogue(file) = &mut self.at {
            file.finish(out);
        }
    }
}
