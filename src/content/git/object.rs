//! The objects of a pack as text.

use super::delta::Delta;
use crate::content::stream::{About, Extent, File, Out, WHOLE};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
    /// The changes to another object, of whichever kind.
    Delta,
}

/// An object that comes bit by bit.
pub(super) enum Object {
    /// A file, or what a delta adds.
    File(File),
    Delta(Delta, File),
    /// What git has written: gathered, for it is short, to be read without its syntax.
    Record {
        kind: Kind,
        bytes: Vec<u8>,
        from: Option<u64>,
    },
}

impl Object {
    pub(super) fn new(kind: Kind, depth: usize) -> Self {
        match kind {
            Kind::Blob => Self::File(File::new(About::part("blob"), depth)),
            Kind::Delta => Self::Delta(Delta::default(), File::new(About::part("delta"), 0)),
            Kind::Commit | Kind::Tree | Kind::Tag => Self::Record { kind, bytes: Vec::new(), from: None },
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) {
        match self {
            Self::File(file) => file.push(bytes, out),
            Self::Delta(delta, file) => delta.push(bytes, |added| file.push(added, out)),
            Self::Record { kind, bytes: all, from } => {
                all.extend_from_slice(bytes);
                let from = *from.get_or_insert(out.at);
                // Longer than any that people make.
                if all.len() > WHOLE {
                    let mut file = File::plain(about(*kind));
                    out.from(from, |out| file.push(all, out));
                    *self = Self::File(file);
                }
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        match self {
            Self::File(file) | Self::Delta(_, file) => file.finish(out),
            Self::Record { kind, bytes, from } => {
                let text = match kind {
                    Kind::Tree => file_names(bytes),
                    Kind::Commit | Kind::Tag | Kind::Blob | Kind::Delta => words(bytes),
                };
                out.piece(&about(*kind), Extent::Part, &text, from.unwrap_or(out.at));
            }
        }
    }

    pub(super) fn waiting_from(&self) -> Option<u64> {
        match self {
            Self::File(file) | Self::Delta(_, file) => file.waiting_from(),
            Self::Record { from, .. } => *from,
        }
    }
}

fn about(kind: Kind) -> About {
    About::part(match kind {
        Kind::Commit => "commit message",
        Kind::Tree => "file name",
        Kind::Blob => "blob",
        Kind::Tag => "tag message",
        Kind::Delta => "delta",
    })
}

/// A commit or tag without what git itself put there: object names, and who made it and when. Every commit names its author, so
/// that is no find.
fn words(bytes: &[u8]) -> Vec<u8> {
    let head = memchr::memmem::find(bytes, b"\n\n").unwrap_or(bytes.len());
    let (head, message) = bytes.split_at_checked(head).unwrap_or((bytes, &[]));
    let mut text = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b' ');
        let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let kept = match key {
            b"tree" | b"parent" | b"object" if is_object_name(value) => continue,
            b"author" | b"committer" | b"tagger" => match person(value) {
                Some(name) if is_plain_name(name) => continue,
                Some(name) => name,
                None => line,
            },
            _ => line,
        };
        text.extend_from_slice(kept);
        text.push(b'\n');
    }
    text.extend_from_slice(message);
    text
}

fn is_object_name(value: &[u8]) -> bool {
    matches!(value.len(), 40 | 64) && value.iter().all(u8::is_ascii_hexdigit)
}

/// The name in `Name <address> 1700000000 +0000`; `None` for anything else.
fn person(value: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 254; // of an address: RFC 3696, erratum 1690
    let open = memchr::memrchr(b'<', value)?;
    let (name, rest) = value.split_at_checked(open)?;
    let close = memchr::memchr(b'>', rest)?;
    let (address, time) = rest.split_at_checked(close)?;
    let is_time = time.iter().skip(1).all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'+' | b'-')) && time.len() < 40;
    (address.len() <= LONGEST && address.iter().filter(|byte| **byte == b'@').count() == 1 && is_time).then_some(name)
}

/// Whether `name` can be nothing but a name: letters, and what stands between them.
fn is_plain_name(name: &[u8]) -> bool {
    let fits = |c: char| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '-' | '·');
    std::str::from_utf8(name).is_ok_and(|name| name.len() <= 64 && name.chars().all(fits))
}

/// The names in a tree: `mode name NUL`, then the object's name in bytes, entry by entry.
fn file_names(tree: &[u8]) -> Vec<u8> {
    let names = |hash: usize| {
        let mut text = Vec::new();
        let mut rest = tree;
        while !rest.is_empty() {
            let entry = rest.get(..memchr::memchr(0, rest)?)?;
            let mode = memchr::memchr(b' ', entry)?;
            if !entry.get(..mode)?.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
                return None;
            }
            text.extend_from_slice(entry.get(mode + 1..)?);
            text.push(b'\n');
            rest = rest.get(entry.len() + 1 + hash..)?;
        }
        Some(text)
    };
    names(20).or_else(|| names(32)).unwrap_or_else(|| tree.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_its_message_and_what_does_not_look_like_git_s_own() {
        let commit = format!(
            "tree {0}\nparent {0}\nauthor Li Wei <li@example.com> 1700000000 +0800\nauthor k3y-1 <a@b.c> 1 +0000\ncommitter x <not an address> 1 +0000\nencoding GBK\n\nfix it\n",
            "ab".repeat(20)
        );
        let text = String::from_utf8(words(commit.as_bytes())).expect("text");
        assert_eq!(text, "k3y-1 \ncommitter x <not an address> 1 +0000\nencoding GBK\n\n\nfix it\n");
        assert_eq!(words(b"tree not-a-name\n\nm"), b"tree not-a-name\n\n\nm");
    }

    #[test]
    fn a_tree_is_its_file_names() {
        let tree = |hash: usize| [&b"100644 a b.txt\0"[..], &vec![0xff; hash], b"40000 src\0", &vec![b' '; hash]].concat();
        assert_eq!(file_names(&tree(20)), b"a b.txt\nsrc\n");
        assert_eq!(file_names(&tree(32)), b"a b.txt\nsrc\n");
        assert_eq!(file_names(b"no tree"), b"no tree");
    }
}
