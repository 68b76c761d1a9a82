//! Bytes of no known format: their printable runs, as `strings` shows them.

use crate::text::OffsetMap;

/// Runs shorter than this are noise in unknown bytes. Chosen so that short protobuf strings still count.
pub(super) const SHORTEST: usize = 4;
/// The same in media, where nearly all bytes are noise.
pub(super) const SHORTEST_IN_MEDIA: usize = 8;
/// The same in large files that are no text: among fifty megabytes of noise there are addresses of seven characters.
pub(super) const SHORTEST_IN_BULK: usize = 12;

/// The runs of at least `shortest` printable characters in `bytes`, a line each, and the map back.
pub(super) fn runs(bytes: &[u8], shortest: usize) -> (String, OffsetMap) {
    let mut text = String::new();
    let mut map = OffsetMap::identity();
    let mut covered = 0; // source bytes that the map has
    let mut at = 0;
    while at < bytes.len() {
        let (start, mut chars) = (at, 0);
        while let Some(len) = bytes.get(at..).and_then(printable) {
            at += len;
            chars += 1;
        }
        if chars >= shortest
            && let Some(run) = bytes.get(start..at).and_then(|run| std::str::from_utf8(run).ok())
        {
            let separator = if text.is_empty() { "" } else { "\n" };
            text.push_str(separator);
            map.replaced(separator.len(), start - covered);
            text.push_str(run);
            map.copied(run.len());
            covered = at;
        }
        at += 1;
    }
    map.replaced(0, bytes.len() - covered);
    (text, map)
}

/// The length of the printable character that `bytes` begin with. In noise nearly every answer comes from the first byte.
fn printable(bytes: &[u8]) -> Option<usize> {
    let len = match bytes {
        [b' '..=b'~' | b'\t' | b'\n' | b'\r', ..] => return Some(1),
        [0xc2..=0xdf, 0x80..=0xbf, ..] => 2,
        [0xe0..=0xef, 0x80..=0xbf, ..] => 3,
        [0xf0..=0xf4, 0x80..=0xbf, ..] => 4,
        _ => return None,
    };
    let char = std::str::from_utf8(bytes.get(..len)?).ok()?;
    (!char.contains(char::is_control)).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn printable_runs_are_kept_with_their_places() {
        let (text, map) = runs(b"\x00\x01ab\xffsecret\x00\x08\xe4\xb8\xad\xe6\x96\x87 text\x00", 4);
        assert_eq!(text, "secret\n中文 text");
        assert_eq!(map.source_of(0..6), 5..11);
        assert_eq!(map.source_of(7..10), 13..16);
    }

    proptest! {
        #[test]
        fn every_run_is_where_the_map_says(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x20u8..0x7f], 0..200)) {
            let (text, map) = runs(&bytes, 4);
            for line in text.split('\n').filter(|line| !line.is_empty()) {
                let start = line.as_ptr().addr() - text.as_ptr().addr();
                prop_assert_eq!(&bytes[map.source_of(start..start + line.len())], line.as_bytes());
            }
        }
    }
}
