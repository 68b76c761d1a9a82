//! How rare a few bytes are in ordinary text: which part of a keyword to look for.

/// Offset and (lower-case) bytes of the rarest three of `word`; shorter words give what they have, padded.
pub(super) fn rarest(word: &[u8]) -> (usize, [u8; 3]) {
    let grams = word.windows(3).enumerate().filter_map(|(offset, gram)| Some((offset, <[u8; 3]>::try_from(gram).ok()?)));
    let folded = grams.map(|(offset, gram)| (offset, gram.map(|byte| byte.to_ascii_lowercase())));
    folded.min_by_key(|(_, gram)| commonness(*gram)).unwrap_or_default()
}

/// About 4 log2 of how often three bytes stand together, up to a constant.
fn commonness(gram: [u8; 3]) -> u32 {
    let single: u32 = gram.iter().map(|byte| weight(*byte)).sum();
    let common = COMMON.contains(&gram);
    single + if common { 12 } else { 0 }
}

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

/// Grams of English and of code that are far more common than their letters.
const COMMON: [[u8; 3]; 40] = [
    *b"the", *b"and", *b"ing", *b"ion", *b"tio", *b"ent", *b"for", *b"her", *b"ter", *b"ati", *b"ate", *b"ere", *b"con", *b"res", *b"ver",
    *b"all", *b"ons", *b"com", *b"men", *b"thi", *b"est", *b"pro", *b"sta", *b"ers", *b"int", *b"str", *b"key", *b"get", *b"set", *b"ser",
    *b"acc", *b"own", *b"wor", *b"you", *b"ken", *b"ken", *b"---", *b"://", *b"htt", *b"ttp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rare_part_of_a_keyword_is_chosen() {
        assert!(rarest(b"sk_live_").1.contains(&b'_'));
        assert_ne!(rarest(b"authorization").1, *b"ion");
        assert_eq!(rarest(b"key"), (0, *b"key"));
    }
}
