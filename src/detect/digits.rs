//! Where digits are: the only places at which rules without keywords can match.

use std::ops::Range;

/// How far around a digit or `@` such a rule may reach.
const MARGIN: usize = 40;
/// A region with fewer digits concerns no rule.
const FEWEST: usize = 4;
const BLOCK: usize = 64;

/// The stretches of `bytes` around digits and `@`, in order, apart from one another.
pub(super) fn regions(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut blocks = bytes.chunks(BLOCK).enumerate().filter(|(_, block)| concerns(block)).map(|(index, _)| index * BLOCK).peekable();
    std::iter::from_fn(move || {
        loop {
            let first = blocks.next()?;
            let mut last = first;
            while let Some(next) = blocks.next_if(|next| *next <= last + 2 * BLOCK) {
                last = next;
            }
            let inner = bytes.get(first..(last + BLOCK).min(bytes.len())).unwrap_or_default();
            if inner.contains(&b'@') || inner.iter().filter(|byte| byte.is_ascii_digit()).count() >= FEWEST {
                return Some(first.saturating_sub(MARGIN)..(last + BLOCK + MARGIN).min(bytes.len()));
            }
        }
    })
}

/// Whether the block holds a digit or an `@`; without branches, so that it is compiled to SIMD.
fn concerns(block: &[u8]) -> bool {
    block.iter().fold(0u8, |any, byte| any | u8::from(byte.wrapping_sub(b'0') < 10) | u8::from(*byte == b'@')) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_hold_the_digits_and_what_stands_near() {
        let text = format!("{}12345{}", "x".repeat(500), "y".repeat(500));
        let all: Vec<_> = regions(text.as_bytes()).collect();
        assert_eq!(all.len(), 1);
        assert!(all[0].start <= 500 - MARGIN && all[0].end >= 505 + MARGIN && all[0].len() < 300, "{all:?}");
        assert_eq!(regions(b"only 3 words").count(), 0);
        assert_eq!(regions(b"a@b").count(), 1);
    }
}
