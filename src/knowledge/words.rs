//! A text as words: what is left of it when case, spacing, punctuation and line breaks do not count.
//!
//! A word is a run of letters and digits, or one character of a script that has no spaces (Chinese, kana). A word that a line end cuts in two
//! (`confi-` `dential`, as PDF readers copy it) is one. Text comes in as `detect` normalises it: widths folded, invisible characters gone.

use super::digest::{Digest, Digester};

/// A word and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its lowest bit tells a single character (1) from a word of letters (0).
    pub(crate) digest: Digest,
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

impl Word {
    /// Whether it is one character of a script without spaces.
    #[inline(always)]
    pub(crate) fn is_character(self) -> bool {
        self.digest & 1 == 1
    }

    /// What it weighs as evidence: a word of letters counts as two characters.
    #[inline(always)]
    pub(crate) fn weight(self) -> u32 {
        if self.is_character() { 1 } else { 2 }
    }
}

/// Longer words are cut: base64 is no prose.
const LONGEST: usize = 4096;
/// Letters of other alphabets than ASCII, in lower case; a word that needs more room goes on as another.
const BUFFER: usize = 128;

/// Replaces `words` by the words of `text`, in order. Texts of 4 GiB and more are read up to there.
pub(crate) fn read(digester: &Digester, text: &str, words: &mut Vec<Word>) {
    words.clear();
    let bytes = text.as_bytes();
    let bytes = bytes.get(..bytes.len().min(u32::MAX as usize)).unwrap_or_default();
    let mut at = 0;
    while at < bytes.len() {
        let chunk = chunk(bytes, at);
        let plain = alphanumeric(chunk);
        if plain & 0x80 != 0 {
            at = word(digester, text, bytes, at, words);
        } else if chunk & 0x80 != 0 {
            at = beyond_ascii(digester, text, bytes, at, words);
        } else {
            // Separators up to the next letter or the next byte that needs a closer look.
            let stop = plain | (chunk & HIGH);
            at += if stop == 0 { 8 } else { (stop.trailing_zeros() / 8) as usize };
        }
    }
}

const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight bytes from `at` on, zeros beyond the end.
#[inline(always)]
fn chunk(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => {
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(last)
        }
    }
}

/// The high bit of every byte that is an ASCII letter or digit.
#[inline(always)]
fn alphanumeric(chunk: u64) -> u64 {
    let low = chunk & !HIGH;
    let between = |bytes: u64, first: u8, last: u8| (bytes + ONES * u64::from(0x80 - first)) & !(bytes + ONES * u64::from(0x7F - last));
    let folded = low | (ONES * 0x20);
    (between(folded, b'a', b'z') | between(low, b'0', b'9')) & !chunk & HIGH
}

/// A word that begins with an ASCII letter or digit; returns where it ends.
#[inline(always)]
fn word(digester: &Digester, text: &str, bytes: &[u8], start: usize, words: &mut Vec<Word>) -> usize {
    let mut state = digester.begin();
    let mut at = start;
    loop {
        let chunk = chunk(bytes, at);
        let other = !alphanumeric(chunk) & HIGH;
        if other == 0 && at - start < LONGEST {
            state = digester.absorb(state, chunk | (ONES * 0x20));
            at += 8;
            continue;
        }
        let len = (other.trailing_zeros() / 8).min(8) as usize;
        if len > 0 {
            let kept = if len == 8 { u64::MAX } else { (1 << (8 * len)) - 1 };
            state = digester.absorb(state, (chunk | (ONES * 0x20)) & kept);
        }
        at += len;
        break;
    }
    match bytes.get(at) {
        // It goes on in letters beyond ASCII, or behind the line end that cut it.
        Some(0x80..) if letter(text, at).is_some() => spelled(digester, text, start, words),
        Some(b'-') if continued(bytes, at).is_some() => spelled(digester, text, start, words),
        Some(_) | None => {
            push(words, digester.end(state, at - start) & !1, start, at);
            at
        }
    }
}

/// A character beyond ASCII; returns where what it begins ends.
fn beyond_ascii(digester: &Digester, text: &str, bytes: &[u8], at: usize, words: &mut Vec<Word>) -> usize {
    // Three bytes make the characters of the scripts in question.
    if let Some([a @ 0xE3..=0xE9, b, c]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let code = u32::from(a & 0x0F) << 12 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F);
        if matches!(code, 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF) {
            push(words, digester.character(code) | 1, at, at + 3);
        }
        return at + 3;
    }
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some(char) if is_ideograph(char) => {
            push(words, digester.character(u32::from(char)) | 1, at, at + char.len_utf8());
            at + char.len_utf8()
        }
        Some(char) if char.is_alphanumeric() => spelled(digester, text, at, words),
        Some(char) => at + char.len_utf8(),
        None => bytes.len(),
    }
}

fn is_ideograph(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// The letter or digit at `at`, unless it is a word of its own.
fn letter(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next().filter(|char| char.is_alphanumeric() && !is_ideograph(*char))
}

/// Where a word goes on that is cut by the hyphen at `at` and a line end.
fn continued(bytes: &[u8], at: usize) -> Option<usize> {
    let next = match bytes.get(at + 1..)? {
        [b'\r', b'\n', ..] => at + 3,
        [b'\n', ..] => at + 2,
        _ => return None,
    };
    bytes.get(next).is_some_and(u8::is_ascii_lowercase).then_some(next)
}

/// A word letter by letter; returns where it ends.
fn spelled(digester: &Digester, text: &str, start: usize, words: &mut Vec<Word>) -> usize {
    let mut buffer = [0_u8; BUFFER];
    let mut len = 0;
    let mut at = start;
    loop {
        match letter(text, at) {
            Some(char) => {
                let mut utf8 = [0; 4];
                for lower in char.to_lowercase() {
                    let encoded = lower.encode_utf8(&mut utf8).as_bytes();
                    for (to, from) in buffer.iter_mut().skip(len).zip(encoded) {
                        *to = *from;
                    }
                    len += encoded.len();
                }
                at += char.len_utf8();
            }
            None => match continued(text.as_bytes(), at).filter(|_| text.as_bytes().get(at) == Some(&b'-')) {
                Some(next) => at = next,
                None => break,
            },
        }
        if len + 12 > BUFFER {
            break;
        }
    }
    let spelled = buffer.get(..len).unwrap_or_default();
    let state = (0..len).step_by(8).fold(digester.begin(), |state, at| digester.absorb(state, chunk(spelled, at)));
    push(words, digester.end(state, len) & !1, start, at);
    at
}

#[inline(always)]
fn push(words: &mut Vec<Word>, digest: Digest, start: usize, end: usize) {
    if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) {
        words.push(Word { digest, start, end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<Word> {
        let mut words = Vec::new();
        read(&Digester::new(&[7; 32]), text, &mut words);
        words
    }

    fn texts(text: &str) -> Vec<&str> {
        words(text).iter().map(|word| &text[word.start as usize..word.end as usize]).collect()
    }

    fn digests(text: &str) -> Vec<Digest> {
        words(text).iter().map(|word| word.digest).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_single_characters() {
        assert_eq!(texts("Dear Ms. O'Neil,\r\n see invoice4711-b!"), ["Dear", "Ms", "O", "Neil", "see", "invoice4711", "b"]);
        assert_eq!(texts("合同 No.7，甲方：Acme公司"), ["合", "同", "No", "7", "甲", "方", "Acme", "公", "司"]);
        assert_eq!(texts("naïve Müller straße Привет"), ["naïve", "Müller", "straße", "Привет"]);
        assert_eq!(texts("internationalisation_of_everything"), ["internationalisation", "of", "everything"]);
        assert!(texts(" —…！😀\u{0}").is_empty());
    }

    #[test]
    fn case_punctuation_and_line_breaks_do_not_count() {
        assert_eq!(digests("The QUICK brown-fox, jumped"), digests("the quick Brown\nFox  jumped!"));
        assert_eq!(digests("strictly confi-\ndential matter"), digests("strictly confidential matter"));
        assert_eq!(digests("confi-\r\ndential"), digests("Confidential"));
        assert_ne!(digests("Re-\nUse"), digests("reuse"), "a capital begins a word of its own");
        assert_eq!(digests("MÜLLER"), digests("müller"));
        assert_eq!(digests("中 文\n字"), digests("中文字"));
        assert_ne!(digests("ab c"), digests("a bc"));
    }

    #[test]
    fn a_word_is_the_same_wherever_it_stands() {
        let alone = digests("internationalisation");
        for before in 0..20 {
            assert_eq!(digests(&format!("{}internationalisation.", " ".repeat(before))), alone);
            assert_eq!(*digests(&format!("{} internationalisation é", "x".repeat(before))).iter().rev().nth(1).expect("word"), alone[0]);
        }
    }

    proptest! {
        #[test]
        fn words_are_disjoint_and_on_character_borders(text in "\\PC{0,60}|[a-zA-Zé中\\-\n 9]{0,80}") {
            let mut last = 0;
            for word in words(&text) {
                let (start, end) = (word.start as usize, word.end as usize);
                prop_assert!(start >= last && start < end);
                prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
                last = end;
            }
        }
    }
}
