//! How rare a few bytes are in ordinary text: which part of a keyword to look for.

use std::{collections::HashMap, sync::LazyLock};

/// Offset and (lower-case) bytes of the rarest three of `word`; shorter words give what they have, padded.
pub(super) fn rarest(word: &[u8]) -> (usize, [u8; 3]) {
    let grams = word.windows(3).enumerate().filter_map(|(offset, gram)| Some((offset, <[u8; 3]>::try_from(gram).ok()?)));
    let folded = grams.map(|(offset, gram)| (offset, gram.map(|byte| byte.to_ascii_lowercase())));
    folded.min_by_key(|(_, gram)| commonness(*gram)).unwrap_or_default()
}

/// The greater, the more often three bytes stand together: those that are listed by their rank, the others by their letters.
fn commonness(gram: [u8; 3]) -> u32 {
    if let Some(rank) = RANKS.get(&gram) {
        return u32::MAX - rank;
    }
    let single: u32 = gram.iter().map(|byte| weight(*byte)).sum();
    // Bytes of two characters are rarer than those of one.
    let one_character = matches!(gram, [0xE3..=0xE9, 0x80..=0xBF, 0x80..=0xBF]);
    single + if one_character { 12 } else { 0 }
}

/// The 2,000 commonest three bytes, the commonest first, of some millions of lines of English prose and of open-source programs.
static RANKS: LazyLock<HashMap<[u8; 3], u32>> = LazyLock::new(|| {
    let grams = include_str!("grams.txt").split(['|', '\n']).filter_map(|gram| <[u8; 3]>::try_from(gram.as_bytes()).ok());
    grams.zip(0..).collect()
});

/// About 4 log2 of how often a byte stands somewhere, up to a constant.
fn weight(byte: u8) -> u32 {
    match byte {
        b' ' | b'e' => 16,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 15,
        b'h' | b'l' | b'd' => 14,
        b'u' | b'c' | b'm' => 13,
        b'f' | b'p' | b'g' | b'w' | b'y' | b'.' | b',' | b'0'..=b'9' => 12,
        b'b' | b'v' | b'k' | b'_' | b'-' | b'"' | b'/' | b'=' | b':' => 10,
        b'x' | b'j' | b'q' | b'z' => 7,
        // In Chinese text, lead bytes E4..E9 are common, the bytes that follow them spread evenly.
        0xE4..=0xE9 => 14,
        0xE3 | 0xEF => 12,
        0x80..=0xBF => 10,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rare_part_of_a_keyword_is_chosen() {
        assert!(rarest(b"sk_live_").1.contains(&b'_'));
        assert_ne!(rarest(b"authorization").1, *b"ion");
        assert_eq!(rarest(b"key"), (0, *b"key"));
        assert_eq!(RANKS.len(), 2000);
    }
}
