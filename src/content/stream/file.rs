//! One file, or what may be one: gathered while it is small, then undone or read in windows by what it begins like.

use super::{About, Extent, OVERLAP, Out, WHOLE, WINDOW, buffer::Buffer, parts::Parts, zip::Zip};
use crate::{
    content::{
        encoding::Decoder,
        git::Push,
        magic::{self, Magic},
        multipart,
    },
    finding::Gap,
};

/// Content that comes bit by bit.
pub(in crate::content) struct File {
    about: About,
    /// Containers that may still be opened inside this one.
    depth: usize,
    state: State,
}

enum State {
    /// All of it so far.
    Gathering(Buffer),
    /// Too long to be read as a whole, and nothing that contains other content.
    Text(Buffer),
    Coded(Box<Coded>),
    Parts(Box<Parts>),
    Zip(Box<Zip>),
    Push(Box<Push>),
}

/// A compressed file.
struct Coded {
    decoder: Decoder,
    inner: File,
}

impl File {
    /// Begins one; `depth` containers may be opened inside one another.
    pub(in crate::content) fn new(about: About, depth: usize) -> Self {
        let state = match about.hint.boundary() {
            _ if about.hint.is_git_push() => State::Push(Box::new(Push::new(depth))),
            Some(boundary) if depth > 0 => State::Parts(Box::new(Parts::new(&about, boundary, depth - 1))),
            Some(_) | None => State::Gathering(Buffer::default()),
        };
        Self { about, depth, state }
    }

    /// Text that contains nothing else.
    pub(in crate::content) fn plain(about: About) -> Self {
        Self { about, depth: 0, state: State::Text(Buffer::default()) }
    }

    pub(in crate::content) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        match &mut self.state {
            State::Gathering(buffer) => {
                buffer.push(bytes, out);
                if buffer.bytes().len() > WHOLE {
                    self.decide(out);
                }
            }
            State::Text(buffer) => {
                // Window by window, whatever size the pieces have that it comes in.
                for bytes in bytes.chunks(WINDOW) {
                    buffer.push(bytes, out);
                    if buffer.unread() >= WINDOW {
                        emit(buffer, &self.about, out);
                    }
                }
            }
            State::Coded(coded) => {
                if let Err(gap) = coded.push(bytes, out) {
                    out.gap(gap);
                    self.give_up(bytes, out);
                }
            }
            State::Parts(parts) => parts.push(bytes, out),
            State::Zip(zip) => zip.push(bytes, out),
            State::Push(push) => push.push(bytes, out),
        }
    }

    /// Reads what is at hand, although more may come.
    pub(in crate::content) fn pause(&mut self, out: &mut Out<'_>) {
        if let State::Gathering(_) = self.state {
            self.decide(out);
        }
        match &mut self.state {
            State::Gathering(_) => {}
            State::Text(buffer) => {
                emit(buffer, &self.about, out);
                buffer.forget_origin();
            }
            State::Coded(coded) => coded.inner.pause(out),
            State::Parts(parts) => parts.pause(out),
            State::Zip(zip) => zip.pause(out),
            State::Push(_) => {} // never paused: its other side has nothing to say before the end
        }
    }

    pub(in crate::content) fn finish(&mut self, out: &mut Out<'_>) {
        match &mut self.state {
            State::Gathering(buffer) => {
                if let Some(from) = buffer.from() {
                    out.piece(&self.about, Extent::Whole, buffer.bytes(), from);
                }
                buffer.take();
            }
            State::Text(buffer) => {
                emit(buffer, &self.about, out);
                buffer.take();
            }
            State::Coded(coded) => {
                if let Err(gap) = coded.decoder.finish() {
                    out.gap(gap);
                }
                coded.inner.finish(out);
            }
            State::Parts(parts) => parts.finish(out),
            State::Zip(zip) => zip.finish(out),
            State::Push(push) => push.finish(out),
        }
    }

    /// Where in the body the first byte stands that has not been read, or whose reading still matters.
    pub(in crate::content) fn waiting_from(&self) -> Option<u64> {
        match &self.state {
            State::Gathering(buffer) | State::Text(buffer) => buffer.from(),
            State::Coded(coded) => coded.inner.waiting_from(),
            State::Parts(parts) => parts.waiting_from(),
            State::Zip(zip) => zip.waiting_from(),
            State::Push(push) => push.waiting_from(),
        }
    }

    /// It will not be read as a whole: sees what it is and reads what is there as that.
    fn decide(&mut self, out: &mut Out<'_>) {
        let State::Gathering(buffer) = &mut self.state else { return };
        let from = buffer.from().unwrap_or(out.at);
        let bytes = buffer.take();
        self.state = self.kind_of(&bytes, out);
        out.from(from, |out| self.push(&bytes, out));
    }

    fn kind_of(&self, bytes: &[u8], out: &mut Out<'_>) -> State {
        let text = State::Text(Buffer::default());
        if magic::is_encrypted(bytes) {
            out.gap(Gap::Encrypted);
            return text;
        }
        let inside = self.depth.checked_sub(1);
        if let Some(boundary) = multipart::sniff(bytes)
            && let Some(depth) = inside
        {
            return State::Parts(Box::new(Parts::new(&self.about, boundary, depth)));
        }
        match (magic::of(bytes), inside) {
            (Some(Magic::Media), _) => {
                out.gap(Gap::Media);
                text
            }
            (Some(Magic::Stream(_) | Magic::Zip), None) => {
                out.gap(Gap::TooLarge);
                text
            }
            (Some(Magic::Stream(coding)), Some(depth)) => match Decoder::of(coding) {
                Ok(decoder) => {
                    let about = About { hint: Default::default(), ..self.about.clone() };
                    State::Coded(Box::new(Coded { decoder, inner: File::new(about, depth) }))
                }
                Err(gap) => {
                    out.gap(gap);
                    text
                }
            },
            (Some(Magic::Zip), Some(depth)) => State::Zip(Box::new(Zip::new(depth))),
            (None, _) => text,
        }
    }

    /// What is compressed does not decode: the rest is read as it is.
    fn give_up(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        if let State::Coded(coded) = &mut self.state {
            coded.inner.finish(out);
        }
        self.state = State::Text(Buffer::default());
        self.push(bytes, out);
    }
}

impl Coded {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), Gap> {
        let mut plain = Vec::new();
        // In small pieces: each may become two hundred times as long.
        for piece in bytes.chunks(OVERLAP) {
            plain.clear();
            let decoded = self.decoder.push(piece, &mut plain, out.budget);
            self.inner.push(&plain, out);
            decoded?;
        }
        Ok(())
    }
}

/// Hands over a window, and keeps its end for the next.
fn emit(buffer: &mut Buffer, about: &About, out: &mut Out<'_>) {
    if buffer.unread() > 0 {
        out.piece(about, Extent::Part, buffer.bytes(), buffer.from().unwrap_or(out.at));
        buffer.keep_overlap();
    }
}
