//! Bytes of no known format: their printable runs, as `strings` shows them.

use crate::text::OffsetMap;

/// Runs shorter than this are noise in unknown bytes. Chosen so that short protobuf strings still count.
pub(super) const SHORTEST: usize = 4;
/// The same in media, where nearly all bytes are noise.
pub(super) const SHORTEST_IN_MEDIA: usize = 8;

/// The runs of at least `shortest` printable characters in `bytes`, a line each, and the map back.
pub(super) fn runs(bytes: &[u8], shortest: usize) -> (String, OffsetMap) {
    let mut text = String::new();
    let mut map = OffsetMap::identity();
    let mut covered = 0; // source bytes that the map has
    let mut at = 0;
    let separates = |char: char| char.is_control() && !matches!(char, '\t' | '\n' | '\r');
    for chunk in bytes.utf8_chunks() {
        for piece in chunk.valid().split_inclusive(separates) {
            let run = piece.strip_suffix(separates).unwrap_or(piece);
            // Every character takes at least a byte, so the common short run is dropped without counting.
            if run.len() >= shortest && run.chars().nth(shortest - 1).is_some() {
                let line_break = usize::from(!text.is_empty());
                text.extend(["\n"].iter().take(line_break).copied());
                map.replaced(line_break, at - covered);
                text.push_str(run);
                map.copied(run.len());
                covered = at + run.len();
            }
            at += piece.len();
        }
        at += chunk.invalid().len();
    }
    map.replaced(0, at - covered);
    (text, map)
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
