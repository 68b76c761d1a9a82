//! What a delta adds (gitformat-pack, "Deltified representation"): the base's size and the result's, then instructions to copy
//! from the base or to add bytes that are here.

/// The instructions, read bit by bit.
#[derive(Debug, Default)]
pub(super) struct Delta {
    at: At,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In the first size.
    #[default]
    BaseSize,
    /// In the second.
    ResultSize,
    Instruction,
    /// In the arguments of a copy.
    Copy(u32),
    /// In bytes to add.
    Add(usize),
}

impl Delta {
    /// Reads `bytes` and hands what is added to `add`; what is copied from the base becomes a line break, since other text is there.
    pub(super) fn push(&mut self, bytes: &[u8], mut add: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            match self.at {
                At::BaseSize => {
                    if first & 0x80 == 0 {
                        self.at = At::ResultSize;
                    }
                    rest = after;
                }
                At::ResultSize => {
                    if first & 0x80 == 0 {
                        self.at = At::Instruction;
                    }
                    rest = after;
                }
                At::Instruction => {
                    self.at = if first & 0x80 == 0 {
                        At::Add(usize::from(*first))
                    } else {
                        add(b"\n");
                        At::Copy((first & 0x7f).count_ones())
                    };
                    rest = after;
                }
                At::Copy(0) | At::Add(0) => self.at = At::Instruction,
                At::Copy(left) => {
                    self.at = At::Copy(left - 1);
                    rest = after;
                }
                At::Add(left) => {
                    let (own, after) = rest.split_at_checked(left).unwrap_or((rest, &[]));
                    add(own);
                    self.at = At::Add(left - own.len());
                    rest = after;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn added(pieces: &[&[u8]]) -> String {
        let mut delta = Delta::default();
        let mut text = Vec::new();
        for piece in pieces {
            delta.push(piece, |bytes| text.extend_from_slice(bytes));
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn what_is_added_in_a_row_is_one_text() {
        // Sizes 300 and 5; add "ab", add "c", copy with an offset and a size, add "d".
        let bytes = [0xac, 0x02, 5, 2, b'a', b'b', 1, b'c', 0x91, 7, 9, 1, b'd'];
        assert_eq!(added(&[&bytes]), "abc\nd");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(added(&single), "abc\nd");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            added(&[&bytes]);
        }
    }
}
