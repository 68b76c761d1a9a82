//! A ZIP archive, member by member, from the headers that stand before them (APPNOTE 6.3.10, 4.3.7).
//!
//! The directory at the end would be the truth, but what has been let go cannot be called back when it comes. Bytes that no
//! member claims are read as they are.

use super::{About, Extent, File, Inflate, Out, Progress, Wrapper};
use crate::{content::place::readable, finding::Gap};

/// The members of an archive.
pub(super) struct Zip {
    depth: usize,
    /// Bytes of a header that is not all there.
    carry: Vec<u8>,
    /// Offset in the body where they began, or an earlier one.
    from: u64,
    state: State,
    inflate: Inflate,
    count: usize,
}

enum State {
    /// Before a header, perhaps behind a data descriptor.
    Header,
    /// In a member of which the end is known.
    Sized { file: Option<File>, packing: Packing, left: u64 },
    /// In a deflated member of which only the data tell the end.
    Open(File),
    /// No member comes any more: the directory, or what is not understood.
    Rest(File),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Stored,
    Deflated,
    /// Read as far as it goes: what is behind the end of its stream.
    Behind,
}

/// The header of a member.
struct Header<'h> {
    name: &'h [u8],
    flags: u16,
    method: u16,
    /// `None` where it follows the data.
    packed: Option<u64>,
    len: usize,
}

/// What the carry begins with.
enum Next<'h> {
    Member(Header<'h>),
    Other,
    Wait,
}

/// A data descriptor is no longer than this.
const DESCRIPTOR: usize = 24;
/// The fixed part of a header.
const FIXED: usize = 30;

impl Zip {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, carry: Vec::new(), from: 0, state: State::Header, inflate: Inflate::new(Wrapper::Raw), count: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        if self.carry.is_empty() {
            self.from = out.at;
        }
        self.carry.extend_from_slice(bytes);
        let data = std::mem::take(&mut self.carry);
        let mut at = 0;
        while let Some(used) = self.step(data.get(at..).unwrap_or_default(), out) {
            at += used;
        }
        self.carry.extend_from_slice(data.get(at..).unwrap_or_default());
    }

    /// Reads some of `bytes`; `None` if more is needed.
    fn step(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Option<usize> {
        match &mut self.state {
            State::Sized { left: 0, file, .. } => {
                if let Some(file) = file {
                    file.finish(out);
                }
                self.state = State::Header;
                Some(0)
            }
            State::Header => self.begin(bytes, out),
            _ if bytes.is_empty() => None,
            State::Sized { file, packing, left } => {
                let own = bytes.get(..usize::try_from(*left).unwrap_or(usize::MAX)).unwrap_or(bytes);
                *left -= own.len() as u64;
                if let Some(file) = file {
                    *packing = out.from(self.from, |out| read(own, file, *packing, &mut self.inflate, out));
                }
                Some(own.len())
            }
            State::Open(file) => match out.from(self.from, |out| self.inflate.push(bytes, out, |bytes, out| file.push(bytes, out))) {
                Ok((used, Progress::More)) => Some(used),
                Ok((used, Progress::Ended)) => {
                    file.finish(out);
                    self.state = State::Header;
                    Some(used)
                }
                Err(gap) => {
                    out.gap(gap);
                    file.finish(out);
                    self.rest();
                    Some(0)
                }
            },
            State::Rest(file) => {
                out.from(self.from, |out| file.push(bytes, out));
                Some(bytes.len())
            }
        }
    }

    pub(super) fn pause(&mut self, out: &mut Out<'_>) {
        match &mut self.state {
            State::Sized { file: Some(file), .. } | State::Open(file) | State::Rest(file) => file.pause(out),
            State::Sized { file: None, .. } | State::Header => {}
        }
    }

    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        match &mut self.state {
            State::Sized { file, .. } => {
                if let Some(file) = file {
                    file.finish(out);
                }
                out.gap(Gap::Malformed);
            }
            State::Open(file) => {
                file.finish(out);
                out.gap(Gap::UnknownEncoding);
            }
            State::Header => {
                let carried = std::mem::take(&mut self.carry);
                out.piece(&About::part("zip"), Extent::Part, &carried, self.from);
                out.gap(Gap::Malformed);
            }
            State::Rest(file) => file.finish(out),
        }
    }

    pub(super) fn waiting_from(&self) -> Option<u64> {
        let inside = match &self.state {
            State::Sized { file: Some(file), .. } | State::Open(file) | State::Rest(file) => file.waiting_from(),
            State::Sized { file: None, .. } | State::Header => None,
        };
        (!self.carry.is_empty()).then_some(self.from).into_iter().chain(inside).min()
    }

    /// Begins what `bytes` hold the header of, and returns its length; `None` if it is not all there.
    fn begin(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Option<usize> {
        let descriptor = descriptor_len(bytes);
        let header = match next(bytes.get(descriptor..).unwrap_or_default()) {
            Next::Wait => return None,
            Next::Other => {
                self.rest();
                return Some(0);
            }
            Next::Member(header) => header,
        };
        self.count += 1;
        let name = String::from_utf8_lossy(header.name);
        let own = name.rsplit('/').next().unwrap_or_default();
        let about = About::part(readable(own).unwrap_or(&self.count.to_string()));
        out.piece(&about, Extent::Part, name.as_bytes(), self.from);
        let file = File::new(about, self.depth);
        self.inflate.restart();
        self.state = match (header.flags & 1, header.method, header.packed) {
            (0, 0, Some(left)) => State::Sized { file: Some(file), packing: Packing::Stored, left },
            (0, 8, Some(left)) => State::Sized { file: Some(file), packing: Packing::Deflated, left },
            (0, 8, None) => State::Open(file),
            (flag, _, packed) => {
                out.gap(if flag == 1 { Gap::Encrypted } else { Gap::UnknownEncoding });
                match packed {
                    Some(left) => State::Sized { file: None, packing: Packing::Behind, left },
                    None => State::Rest(File::plain(About::part("zip"))),
                }
            }
        };
        Some(descriptor + header.len)
    }

    fn rest(&mut self) {
        self.state = State::Rest(File::plain(About::part("zip")));
    }
}

/// Reads the next bytes of a member with a known end.
fn read(bytes: &[u8], file: &mut File, packing: Packing, inflate: &mut Inflate, out: &mut Out<'_>) -> Packing {
    match packing {
        Packing::Stored | Packing::Behind => {
            file.push(bytes, out);
            packing
        }
        Packing::Deflated => match inflate.push(bytes, out, |bytes, out| file.push(bytes, out)) {
            Ok((_, Progress::More)) => Packing::Deflated,
            Ok((used, Progress::Ended)) => read(bytes.get(used..).unwrap_or_default(), file, Packing::Behind, inflate, out),
            Err(gap) => {
                out.gap(gap);
                read(bytes, file, Packing::Behind, inflate, out)
            }
        },
    }
}

/// The length of the data descriptor (APPNOTE, 4.3.9) that `bytes` begin with, if they do: whatever is before the next header.
fn descriptor_len(bytes: &[u8]) -> usize {
    let is_header = |at: &usize| matches!(bytes.get(*at..*at + 4), Some([b'P', b'K', 1, 2] | [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6]));
    (0..=DESCRIPTOR).find(is_header).unwrap_or(0)
}

fn next(bytes: &[u8]) -> Next<'_> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => {}
        [] | [b'P'] | [b'P', b'K'] | [b'P', b'K', 3] => return Next::Wait,
        // Perhaps a data descriptor, of which the end is not there.
        _ if bytes.len() < DESCRIPTOR + 4 && !matches!(bytes, [b'P', b'K', 1, 2, ..] | [b'P', b'K', 5, 6, ..]) => return Next::Wait,
        _ => return Next::Other,
    }
    let field = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let wide = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let header = || {
        let (flags, method, packed) = (field(6)?, field(8)?, wide(18)?);
        let (name_len, extra_len) = (usize::from(field(26)?), usize::from(field(28)?));
        let name = bytes.get(FIXED..FIXED + name_len)?;
        let extra = bytes.get(FIXED + name_len..FIXED + name_len + extra_len)?;
        let packed = match (flags & 8, packed) {
            (0, u32::MAX) => packed_in(extra),
            (0, packed) => Some(u64::from(packed)),
            // Some writers set the flag and know the size all the same; zero says that it follows.
            (_, 0 | u32::MAX) => None,
            (_, packed) => Some(u64::from(packed)),
        };
        Some(Header { name, flags, method, packed, len: FIXED + name_len + extra_len })
    };
    header().map_or(Next::Wait, Next::Member)
}

/// The packed size in a ZIP64 extra field (APPNOTE, 4.5.3): it comes after the original size.
fn packed_in(extra: &[u8]) -> Option<u64> {
    let mut rest = extra;
    while let [a, b, c, d, tail @ ..] = rest {
        let (id, len) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        let (data, after) = tail.split_at_checked(len)?;
        if id == 1 {
            return Some(u64::from_le_bytes(data.get(8..16)?.try_into().ok()?));
        }
        rest = after;
    }
    None
}
