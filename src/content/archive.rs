//! ZIP: what is in it, from its central directory (APPNOTE 6.3.10, 4.3).

use std::ops::Range;

/// A member of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// Its path in the archive, in UTF-8 or the charset of who made it.
    pub(super) name: &'a [u8],
    pub(super) packing: Packing,
    /// Where its bytes are in the archive.
    pub(super) data: Range<usize>,
}

/// How a member's bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Stored,
    Deflated,
    Encrypted,
    /// A method that we do not read.
    Other,
}

/// The members of the archive `bytes`; `None` if its directory does not fit, as in a ZIP64 archive.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    const END_LEN: usize = 22;
    let tail = bytes.len().saturating_sub(END_LEN + usize::from(u16::MAX));
    let end = tail + memchr::memmem::rfind(bytes.get(tail..)?, b"PK\x05\x06")?;
    let (count, size, offset) = (u16_at(bytes, end + 10)?, u32_at(bytes, end + 12)?, u32_at(bytes, end + 16)?);
    // What stands before the archive, as in a self-extracting one, shifts every offset.
    let start = end.checked_sub(size)?;
    let shift = start.checked_sub(offset)?;
    let mut members = Vec::new();
    let mut at = start;
    for _ in 0..count {
        let head = bytes.get(at..)?.strip_prefix(b"PK\x01\x02")?;
        let field = |offset: usize| u16_at(head, offset - 4);
        let (flags, method) = (field(8)?, field(10)?);
        let (packed, local) = (u32_at(head, 20 - 4)?, u32_at(head, 42 - 4)? + shift);
        let (name_len, extra_len, comment_len) = (field(28)?, field(30)?, field(32)?);
        let data = local + 30 + u16_at(bytes, local + 26)? + u16_at(bytes, local + 28)?;
        let data = data..data.checked_add(packed)?;
        bytes.get(data.clone())?;
        let packing = match (flags & 1, method) {
            (1, _) => Packing::Encrypted,
            (_, 0) => Packing::Stored,
            (_, 8) => Packing::Deflated,
            (_, _) => Packing::Other,
        };
        members.push(Member { name: bytes.get(at + 46..at + 46 + name_len)?, packing, data });
        at += 46 + name_len + extra_len + comment_len;
    }
    Some(members)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An archive of members `(name, method, flags, data)`, without checksums.
    pub(in crate::content) fn zip(members: &[(&str, u16, u16, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, method, flags, data) in members {
            let len = u32::try_from(data.len()).expect("len").to_le_bytes();
            let name_len = u16::try_from(name.len()).expect("len").to_le_bytes();
            let common = [&flags.to_le_bytes()[..], &method.to_le_bytes(), &[0; 8], &len, &len, &name_len, &[0, 0]].concat();
            let offset = u32::try_from(out.len()).expect("len").to_le_bytes();
            directory.extend([b"PK\x01\x02\x14\0\x14\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
            out.extend([b"PK\x03\x04\x14\0", &common[..], name.as_bytes(), data].concat());
        }
        let count = u16::try_from(members.len()).expect("len").to_le_bytes();
        let (size, offset) =
            (u32::try_from(directory.len()).expect("len").to_le_bytes(), u32::try_from(out.len()).expect("len").to_le_bytes());
        out.extend([&directory[..], b"PK\x05\x06\0\0\0\0", &count, &count, &size, &offset, &[0, 0]].concat());
        out
    }

    #[test]
    fn members_are_read_from_the_directory() {
        let archive =
            [b"stub".to_vec(), zip(&[("a.txt", 0, 0, b"hello"), ("b", 8, 0, b"x"), ("c", 8, 1, b"y"), ("d", 12, 0, b"z")])].concat();
        let members = members(&archive).expect("members");
        assert_eq!(
            members.iter().map(|member| (member.name, member.packing, &archive[member.data.clone()])).collect::<Vec<_>>(),
            [
                (&b"a.txt"[..], Packing::Stored, &b"hello"[..]),
                (b"b", Packing::Deflated, b"x"),
                (b"c", Packing::Encrypted, b"y"),
                (b"d", Packing::Other, b"z"),
            ]
        );
    }

    proptest! {
        #[test]
        fn a_damaged_archive_does_not_panic(at in 0usize..200, byte in any::<u8>()) {
            let mut archive = zip(&[("a.txt", 0, 0, b"hello"), ("b", 8, 0, b"x")]);
            let at = at % archive.len();
            archive[at] = byte;
            members(&archive);
        }
    }
}
