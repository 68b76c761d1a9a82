//! A pack (gitformat-pack): a header, objects each with its own header and zlib stream, a checksum.

use super::{
    Hash,
    object::{Kind, Object},
};
use crate::{
    content::stream::{About, File, Inflate, Out, Progress, Wrapper},
    finding::Gap,
};

/// A pack that comes bit by bit.
pub(super) struct Pack {
    depth: usize,
    hash: Hash,
    state: State,
    /// Bytes of a header that is not all there.
    head: Vec<u8>,
    /// Objects still to come.
    left: u32,
    inflate: Inflate,
}

enum State {
    /// Before the pack's header, or at the end of a push without one.
    Signature,
    Header,
    /// In the base of a delta: an offset, or so many more bytes of a name.
    Offset {
        kind: Kind,
        size: u64,
    },
    Base {
        left: usize,
        size: u64,
    },
    Body {
        object: Box<Object>,
        size: u64,
    },
    Checksum {
        left: usize,
    },
    /// Nothing may follow.
    Done,
    /// Not a pack: read as it is.
    Broken(Box<File>),
}

impl Pack {
    pub(super) fn new(hash: Hash, depth: usize) -> Self {
        Self { depth, hash, state: State::Signature, head: Vec::new(), left: 0, inflate: Inflate::new(Wrapper::Zlib) }
    }

    /// For what is no pack.
    pub(super) fn broken(out: &mut Out<'_>) -> Self {
        let mut pack = Self::new(Hash::Sha1, 0);
        pack.give_up(out, Gap::UnknownEncoding);
        pack
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = self.step(rest, out);
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        match &mut self.state {
            State::Signature if self.head.is_empty() => {}
            State::Done => {}
            State::Broken(file) => file.finish(out),
            State::Body { object, .. } => {
                object.finish(out);
                out.gap(Gap::UnknownEncoding);
            }
            State::Signature | State::Header | State::Offset { .. } | State::Base { .. } | State::Checksum { .. } => {
                out.gap(Gap::UnknownEncoding);
            }
        }
    }

    pub(super) fn waiting_from(&self) -> Option<u64> {
        match &self.state {
            State::Body { object, .. } => object.waiting_from(),
            State::Broken(file) => file.waiting_from(),
            State::Signature | State::Header | State::Offset { .. } | State::Base { .. } | State::Checksum { .. } | State::Done => None,
        }
    }

    /// Reads some of `bytes`, at least one.
    fn step(&mut self, bytes: &[u8], out: &mut Out<'_>) -> usize {
        match &mut self.state {
            State::Signature => {
                let used = bytes.len().min(12 - self.head.len());
                self.head.extend(bytes.iter().take(used));
                match self.head.as_slice() {
                    [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, a, b, c, d] => {
                        self.left = u32::from_be_bytes([*a, *b, *c, *d]);
                        self.head.clear();
                        self.next_object();
                    }
                    [_, _, _, _, _, _, _, _, _, _, _, _, ..] => self.give_up(out, Gap::UnknownEncoding),
                    _ => {}
                }
                used
            }
            State::Header => {
                self.head.extend(bytes.first());
                if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
                    if self.head.len() > 9 {
                        self.give_up(out, Gap::UnknownEncoding); // longer than any size
                    }
                    return 1;
                }
                let (kind, size) = object_header(&self.head);
                self.head.clear();
                match kind {
                    1 => self.body(Kind::Commit, size),
                    2 => self.body(Kind::Tree, size),
                    3 => self.body(Kind::Blob, size),
                    4 => self.body(Kind::Tag, size),
                    6 => self.state = State::Offset { kind: Kind::Delta, size },
                    7 => self.state = State::Base { left: self.hash.len(), size },
                    _ => self.give_up(out, Gap::UnknownEncoding),
                }
                1
            }
            State::Offset { kind, size } => {
                let (kind, size) = (*kind, *size);
                if bytes.first().is_some_and(|byte| byte & 0x80 == 0) {
                    self.body(kind, size);
                }
                1
            }
            State::Base { left, size } => {
                let used = bytes.len().min(*left);
                *left -= used;
                let size = *size;
                if *left == 0 {
                    self.body(Kind::Delta, size);
                }
                used
            }
            State::Body { object, size } => {
                let size = *size;
                match self.inflate.push(bytes, out, |bytes, out| object.push(bytes, out)) {
                    Ok((used, Progress::More)) => used,
                    Ok((used, Progress::Ended)) => {
                        object.finish(out);
                        if self.inflate.total() == size {
                            self.next_object();
                        } else {
                            self.give_up(out, Gap::UnknownEncoding);
                        }
                        used
                    }
                    Err(gap) => {
                        object.finish(out);
                        self.give_up(out, gap);
                        0
                    }
                }
            }
            State::Checksum { left } => {
                let used = bytes.len().min(*left);
                *left -= used;
                if *left == 0 {
                    self.state = State::Done;
                }
                used
            }
            State::Done => {
                self.give_up(out, Gap::UnknownEncoding);
                0
            }
            State::Broken(file) => {
                file.push(bytes, out);
                bytes.len()
            }
        }
    }

    fn body(&mut self, kind: Kind, size: u64) {
        self.inflate.restart();
        self.state = State::Body { object: Box::new(Object::new(kind, self.depth)), size };
    }

    fn next_object(&mut self) {
        self.state = match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                State::Header
            }
            None => State::Checksum { left: self.hash.len() },
        };
    }

    fn give_up(&mut self, out: &mut Out<'_>, gap: Gap) {
        out.gap(gap);
        self.state = State::Broken(Box::new(File::plain(About::part("pack"))));
    }
}

/// Type and inflated size: three bits of type and four of size, then seven bits of size a byte, the lowest first.
fn object_header(bytes: &[u8]) -> (u8, u64) {
    let first = bytes.first().copied().unwrap_or_default();
    let mut size = u64::from(first & 0x0f);
    for (index, byte) in bytes.iter().skip(1).enumerate() {
        size |= u64::from(byte & 0x7f).checked_shl(4 + 7 * u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
    }
    (first >> 4 & 7, size)
}
