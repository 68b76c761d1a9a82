//! Was this drawn by a machine? The judge of values in assignments like `token = "..."`.
//!
//! Entropy cannot tell `getUserAccountName` from `kX9vTq2LmZw7RbNc8Y`. What can is how well the text is *predicted* by what people write:
//! we add up the bits that a model of words and of letter pairs needs for it. Names cost one to four bits a character, random ones five to
//! six. (CredData measures the like: F1 0.87 for token efficiency, 0.72 for entropy.)

use super::{check::Check, phrases::Phrases};
use std::sync::LazyLock;

pub(super) const TABLE: &[(&str, Check)] = &[("random", random)];

/// Bits a character from which on a text is drawn, not written: one name in a hundred costs as much.
const DRAWN: f32 = 4.4;
/// Shorter texts tell too little.
const SHORTEST: usize = 8;
/// So much of a long text is enough to judge it.
const ENOUGH: usize = 512;

/// Whether `text` looks drawn at random rather than written.
pub(super) fn random(text: &str) -> bool {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..bytes.len().min(ENOUGH)).unwrap_or_default();
    if bytes.len() < SHORTEST {
        return false;
    }
    is_hexadecimal(bytes) || bits(bytes) >= DRAWN * bytes.len() as f32
}

/// At least 16 hexadecimal digits, dashes aside, varied and of one case: letters and digits in about their shares.
fn is_hexadecimal(bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|byte| **byte != b'-');
    let (mut numbers, mut letters, mut seen) = (0, 0, 0u32);
    for byte in digits {
        let Some(value) = char::from(*byte).to_digit(16) else { return false };
        seen |= 1 << value;
        if value < 10 { numbers += 1 } else { letters += 1 }
    }
    numbers + letters >= 16 && letters * 8 >= numbers && numbers * 4 >= letters && seen.count_ones() >= 8
}

/// What a piece of the text before the present character was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

/// Bits that the model needs for `bytes`.
fn bits(bytes: &[u8]) -> f32 {
    let mut total = 0.0;
    let (mut before, mut last) = (Kind::Other, EDGE);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut len = 1;
        let kind = match byte {
            b'a'..=b'z' => Kind::Lower,
            b'A'..=b'Z' => Kind::Upper,
            b'0'..=b'9' => Kind::Digit,
            _ => Kind::Other,
        };
        match kind {
            Kind::Lower | Kind::Upper => {
                let word = word_len(bytes.get(at..).unwrap_or_default());
                if word > 0 {
                    total += 8.0;
                    len = word;
                    last = EDGE;
                } else {
                    let letter = usize::from(byte.to_ascii_lowercase() - b'a');
                    total += match (before, kind) {
                        (Kind::Lower, Kind::Upper) => {
                            // A new word of a name like `thisOne`.
                            let ends = pair(last, EDGE) / 2.0 + 1.0;
                            last = EDGE;
                            ends
                        }
                        (Kind::Upper, Kind::Lower) if bytes.get(at.wrapping_sub(2)).is_some_and(u8::is_ascii_uppercase) => 2.0,
                        (Kind::Digit, _) => 1.5,
                        _ => 0.0,
                    };
                    total += pair(last, letter);
                    last = letter;
                }
            }
            Kind::Digit => {
                let follows =
                    before == Kind::Digit && bytes.get(at.wrapping_sub(1)).is_some_and(|previous| byte.wrapping_sub(*previous) <= 1);
                let switches = matches!(before, Kind::Lower | Kind::Upper);
                total += 3.3 + if switches { 2.0 } else { 0.0 } - if follows { 1.5 } else { 0.0 };
                last = EDGE;
            }
            Kind::Other => {
                total += if matches!(byte, b'_' | b'-' | b'.' | b'/' | b' ' | b':') { 1.0 } else { 3.0 };
                last = EDGE;
            }
        }
        before = kind;
        at += len;
    }
    total
}

/// Length of the longest known word that `bytes` begin with, written in one case or capitalised; 0 for none.
fn word_len(bytes: &[u8]) -> usize {
    let upper = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let lower = bytes.iter().skip(1).take_while(|byte| byte.is_ascii_lowercase()).count();
    WORDS.longest_at_start(bytes.get(..upper.max(1 + lower)).unwrap_or(bytes))
}

/// Words of English and of programs.
static WORDS: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(include_str!("words.txt")));

/// Before the first letter of a word, and after its last.
const EDGE: usize = 26;

/// Bits for letter `next` after letter `last`.
fn pair(last: usize, next: usize) -> f32 {
    let cost = PAIRS.get(last).and_then(|row| row.get(next)).copied().unwrap_or(b'z');
    char::from(cost).to_digit(36).unwrap_or(35) as f32 / 3.0
}

/// Thirds of a bit, in base 36, for each letter (column, the last for the end) after each (row, the last for the beginning): from the words
/// of some millions of lines of open-source programs and their documentation.
const PAIRS: [&[u8; 27]; 27] = [
    b"mecdnlgpfrj9daqen9c8ijklipd",
    b"ahghbkllbgm9ikcilddibnopfl9",
    b"amglakoaercejm7loehafnppjqa",
    b"dkkg7klo9oohmmdnogfkgloplq5",
    b"eldbigjpmsoefanhk9adojlfms7",
    b"clihbbjo8oodkjakodggdomojo8",
    b"fnkm8mhecoofjefmoddjfnmomn4",
    b"8lkj7lonaokjikanmfjdfnnojo7",
    b"fgcffgfrorndd6bhqfcaqgtjtgf",
    b"chhhajiieifijichhhehcgijii6",
    b"ekjh7jikammflghjkicihlgmkm5",
    b"amkf7joq8qobmlaksnffgmprdq9",
    b"8fkj7mmpaonifmcaqmfieooqmo9",
    b"cncbbh9odpjjnidkrnb9hiprmr8",
    b"khddniipipidc7gdt9eechelpqc",
    b"9nkk9lnhdslbnnadp9fcfnnqgr9",
    b"gihffjhhhihfihkkdhgi6jhigj7",
    b"angh7khqatjjghbktgcdgkosht8",
    b"gngn9nnfbsljkmffnmd9eomrit5",
    b"boik8lrc9tsilodjrbdfgpmqgp7",
    b"fdeidghoeqobd8jdqaaanppnpnd",
    b"9hhk4kkkammljkflijjkkklmlm9",
    b"9jjhbkjc9mmhldbkncdjlmijlm7",
    b"dfbebemidkmihkibmkiajklgik6",
    b"jjjhgklmgmnhgegbmiddlkjmkk3",
    b"cjhh5iiicjjihjejjifiijiihh7",
    b"cebdddggdkjedffckcadfhghlkz",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_drew_is_random() {
        for text in [
            "kX9vTq2LmZw7RbNc8Y",
            "Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB",
            "0afae57f3ccfd9d7f5767067bc48b30f",
            "dafa7817-e246-48f3-91a7-e87653d587b8",
            "qzvkxwjbtr",
            "JBSWY3DPEHPK3PXP7Q2X",
            "am9obmRvZTpkMDY5NGIxYi1jMTcx",
        ] {
            assert!(random(text), "{text}: {} bits", bits(text.as_bytes()) / text.len() as f32);
        }
    }

    #[test]
    fn what_people_wrote_is_not() {
        for text in [
            "getUserAccountName",
            "my_secret_password",
            "com.example.service.impl",
            "rc0.15.0_20231217_1420-SNAPSHOT",
            "application/json",
            "correct horse battery staple",
            "2024-01-02T03:04:05",
            "SCREAMING_SNAKE_CASE_CONSTANT",
            "short",
            "/usr/local/lib/python3.11",
        ] {
            assert!(!random(text), "{text}: {} bits", bits(text.as_bytes()) / text.len() as f32);
        }
    }
}
