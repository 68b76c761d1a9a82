//! What `git push` sends (gitprotocol-pack, "Reference Update Request"): commands, push options, and a pack of objects.
//!
//! The objects are compressed one by one, so nothing of them can be read from outside. A commit is read as its message, a tree
//! as its file names, a blob as the file that it is. A delta is read as the text that it adds: most
//! of what it builds on is not in the pack.

mod delta;
mod object;
mod pack;

use super::stream::{About, Extent, Out};
use crate::finding::Gap;
use pack::Pack;

/// A push that comes bit by bit.
pub(super) struct Push {
    depth: usize,
    /// Bytes of a line that is not all there.
    carry: Vec<u8>,
    /// Offset in the body where they began, or an earlier one.
    from: u64,
    state: State,
    options: Options,
    hash: Hash,
}

enum State {
    /// Before the flush that ends the commands.
    Commands,
    /// Before the flush that ends the push options.
    Options,
    /// The pack; a push that only deletes has none.
    Pack(Box<Pack>),
}

/// Whether options follow the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Options {
    Announced,
    None,
}

/// How objects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// The longest pkt-line, its own four digits among it (gitprotocol-common).
const LONGEST_LINE: usize = 65520;

/// What the carry begins with.
enum Line<'c> {
    Flush,
    Data(&'c [u8]),
    Wait,
    Wrong,
}

impl Push {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, carry: Vec::new(), from: 0, state: State::Commands, options: Options::None, hash: Hash::Sha1 }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        if let State::Pack(pack) = &mut self.state {
            return pack.push(bytes, out);
        }
        if self.carry.is_empty() {
            self.from = out.at;
        }
        self.carry.extend_from_slice(bytes);
        let data = std::mem::take(&mut self.carry);
        let mut at = 0;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            let used = match (line(rest), &mut self.state) {
                (_, State::Pack(pack)) => return out.from(self.from, |out| pack.push(rest, out)),
                (Line::Wait, _) => break,
                (Line::Wrong, _) => {
                    self.state = State::Pack(Box::new(Pack::broken(out)));
                    continue;
                }
                (Line::Flush, State::Commands) if self.options == Options::Announced => {
                    self.state = State::Options;
                    4
                }
                (Line::Flush, State::Commands | State::Options) => {
                    self.state = State::Pack(Box::new(Pack::new(self.hash, self.depth)));
                    4
                }
                (Line::Data(text), State::Commands) => {
                    self.command(text, out);
                    4 + text.len()
                }
                (Line::Data(text), State::Options) => {
                    out.piece(&About::part("push option"), Extent::Part, text, self.from);
                    4 + text.len()
                }
            };
            at += used;
        }
        self.carry.extend_from_slice(data.get(at..).unwrap_or_default());
    }

    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        if let State::Pack(pack) = &mut self.state {
            return pack.finish(out);
        }
        let carried = std::mem::take(&mut self.carry);
        out.piece(&About::part("ref"), Extent::Part, &carried, self.from);
        out.gap(Gap::Malformed);
    }

    pub(super) fn waiting_from(&self) -> Option<u64> {
        match &self.state {
            State::Pack(pack) => pack.waiting_from(),
            State::Commands | State::Options => (!self.carry.is_empty()).then_some(self.from),
        }
    }

    /// A line of the commands: `old new ref`, in the first one followed by NUL and capabilities; or of a push certificate.
    fn command(&mut self, text: &[u8], out: &mut Out<'_>) {
        let mut halves = text.splitn(2, |byte| *byte == 0);
        let command = halves.next().unwrap_or_default();
        for capability in halves.next().unwrap_or_default().trim_ascii_end().split(|byte| *byte == b' ') {
            match capability {
                b"push-options" => self.options = Options::Announced,
                b"object-format=sha256" => self.hash = Hash::Sha256,
                _ => {}
            }
        }
        // The two object names say nothing, and would only be taken for something.
        let name = command.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or(command);
        out.piece(&About::part("ref"), Extent::Part, name, self.from);
    }
}

/// Whether `bytes` are lines of git's protocol (gitprotocol-common) from beginning to end: what git asks for in a fetch.
pub(super) fn is_lines(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let special = [b"0000", b"0001", b"0002"].into_iter().find_map(|packet| bytes.strip_prefix(packet));
        bytes = match (special, line(bytes)) {
            (Some(rest), _) => rest,
            (None, Line::Data(data)) => bytes.get(4 + data.len()..).unwrap_or_default(),
            (None, Line::Wait | Line::Flush | Line::Wrong) => return false,
        };
    }
    true
}

fn line(bytes: &[u8]) -> Line<'_> {
    let Some((digits, rest)) = bytes.split_first_chunk::<4>() else { return Line::Wait };
    let length = std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length {
        Some(0) => Line::Flush,
        Some(length @ 4..=LONGEST_LINE) => rest.get(..length - 4).map_or(Line::Wait, Line::Data),
        Some(_) | None => Line::Wrong,
    }
}

#[cfg(test)]
mod tests;
