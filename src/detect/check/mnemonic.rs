//! Recovery phrases of wallets (BIP 39): words of a fixed list, the last bits of which are a checksum.

use super::Check;
use bip39::{Language, Mnemonic};

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[("bip39", bip39)];

/// How many words a phrase has: 128 to 256 bits and a checksum bit for every 32.
const LENGTHS: [usize; 5] = [12, 15, 18, 21, 24];
/// Texts of more words are judged by their beginning.
const MOST_WORDS: usize = 48;

/// A recovery phrase in English or simplified Chinese, with words before or after it: 12, 15, 18, 21 or 24 words of the list in a row
/// whose checksum fits (BIP 39). Numbers and signs between the words do not matter.
fn bip39(text: &str) -> bool {
    let chinese = text.chars().any(|char| !char.is_ascii() && char.is_alphabetic());
    let language = if chinese { Language::SimplifiedChinese } else { Language::English };
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = if chinese {
        lower.split("").filter(|char| char.chars().all(char::is_alphabetic) && !char.is_empty()).collect()
    } else {
        lower.split(|char: char| !char.is_ascii_alphabetic()).filter(|word| !word.is_empty()).collect()
    };
    words.truncate(MOST_WORDS);
    let known: Vec<bool> = words.iter().map(|word| language.find_word(word).is_some()).collect();
    let is_phrase = |start: usize, count: usize| {
        let all = known.get(start..start + count).is_some_and(|known| known.iter().all(|known| *known));
        let phrase = || words.get(start..start + count).map(|words| words.join(" "));
        all && phrase().is_some_and(|phrase| Mnemonic::parse_in_normalized(language, &phrase).is_ok())
    };
    (0..words.len()).any(|start| LENGTHS.iter().any(|count| is_phrase(start, *count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_told_by_its_words_and_its_checksum() {
        let phrase = "pipe hour maid engine arm modify reform grain tell rain tell frown";
        assert!(bip39(phrase) && bip39(&phrase.replace(' ', ", ")) && bip39(&format!("these are {phrase} keep them")));
        assert!(bip39("完 筋 洲 债 肉 律 求 是 黑 码 鲁 斜") && !bip39("完 筋 洲 债 肉 律 求 是 黑 码 斜 鲁"));
        assert!(!bip39(&phrase.replace("tell frown", "frown tell")), "the checksum no longer fits");
        assert!(!bip39(&phrase.replace("pipe", "pipes")), "not a word of the list");
        assert!(!bip39("velvet orbit pupil candy north gravity mimic shallow tunnel okay brush lamp"), "the shape alone");
    }

    #[test]
    fn every_length_of_the_standard_is_known() {
        for count in LENGTHS {
            let phrase = Mnemonic::from_entropy_in(Language::English, &vec![0x5a; count / 3 * 4]).expect("a length of the standard");
            let text = phrase.words().collect::<Vec<_>>().join(" ");
            assert_eq!(text.split(' ').count(), count);
            assert!(bip39(&text), "{text}");
        }
    }
}
