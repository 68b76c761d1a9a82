//! Sets of bytes and of characters.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    pub(super) fn all() -> Self {
        Self([u64::MAX; 4])
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut all = Self::default();
        bytes.iter().for_each(|byte| all.add(*byte..=*byte));
        all
    }

    /// Those of words in ASCII.
    pub(super) fn words() -> Self {
        let mut words = Self::of(b"_");
        [b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z'].into_iter().for_each(|range| words.add(range));
        words
    }

    pub(super) fn add(&mut self, bytes: std::ops::RangeInclusive<u8>) {
        for byte in bytes {
            self.0.get_mut(usize::from(byte / 64)).into_iter().for_each(|bits| *bits |= 1 << (byte % 64));
        }
    }

    pub(super) fn holds(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|bits| bits >> (byte % 64) & 1 == 1)
    }

    pub(super) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    pub(super) fn without(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= !b);
        self
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        self
    }
}

/// A set of characters.
pub(super) struct Set {
    /// First bytes of their encodings: of those in ASCII, all there is to know.
    pub(super) first: Bytes,
    /// Those beyond ASCII, in order.
    wide: Box<[(char, char)]>,
}

impl Set {
    /// The characters of which `hir` matches exactly one.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let mut first = Bytes::default();
        let mut wide = Vec::new();
        match hir.kind() {
            HirKind::Literal(literal) => match *literal.0 {
                [byte] if byte.is_ascii() => first.add(byte..=byte),
                _ => return None,
            },
            HirKind::Class(Class::Bytes(class)) => {
                for range in class.ranges() {
                    first.add(range.start()..=range.end());
                }
                if !class.is_ascii() {
                    return None;
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                let lead = |char: char| char.encode_utf8(&mut [0; 4]).bytes().next().unwrap_or_default();
                for range in class.ranges() {
                    first.add(lead(range.start())..=lead(range.end()));
                    if !range.end().is_ascii() {
                        wide.push((range.start().max('\u{80}'), range.end()));
                    }
                }
            }
            _other => return None,
        }
        Some(Self { first, wide: wide.into() })
    }

    /// Whether all are letters and digits of ASCII or `_`.
    pub(super) fn is_of_words(&self) -> bool {
        self.first.without(&Bytes::words()) == Bytes::default()
    }

    /// Where the first `count` of these characters end that stand from `at` on; fewer, if fewer stand there. And how many they are.
    pub(super) fn run(&self, text: &str, seen: &[u8], mut at: usize, count: u32) -> (usize, u32) {
        if self.wide.is_empty() {
            let most = seen.get(at..at.saturating_add(count as usize).min(seen.len())).unwrap_or_default();
            let have = most.iter().take_while(|byte| self.first.holds(**byte)).count();
            return (at + have, have as u32);
        }
        let mut have = 0;
        while have < count
            && let Some(width) = seen.get(at).and_then(|byte| self.width(*byte, text, at))
            && at + width <= seen.len()
        {
            at += width;
            have += 1;
        }
        (at, have)
    }

    /// Bytes of the character at `at`, which begins with `byte`, if it is of the set.
    fn width(&self, byte: u8, text: &str, at: usize) -> Option<usize> {
        if !self.first.holds(byte) {
            return None;
        }
        if byte.is_ascii() {
            return Some(1);
        }
        let char = text.get(at..)?.chars().next()?;
        let range = self.wide.partition_point(|(_, last)| *last < char);
        self.wide.get(range).is_some_and(|(start, _)| *start <= char).then(|| char.len_utf8())
    }
}
