//! Characters that stand for plain ones: compatibility forms, digits of other scripts, invisible marks, and Cyrillic or Greek letters that
//! pass for Latin ones in a Latin word.

use unicode_normalization::UnicodeNormalization;

/// What `char` stands for wherever it stands: `Some(None)` for nothing at all, `None` if for itself.
pub(super) fn plain(char: char) -> Option<Option<char>> {
    let code = u32::from(char);
    let shifted = |base: u32, to: u8| char::from_u32(code - base + u32::from(to)).map(Some);
    match char {
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}' | '\u{E0000}'..='\u{E01EF}' => {
            Some(None)
        }
        '＋' | '－'..='／' | '０'..='９' | '＝' | '＠'..='Ｚ' | '＿' | 'ａ'..='ｚ' => shifted(0xFF01, b'!'),
        '٠'..='٩' => shifted(0x660, b'0'),
        '۰'..='۹' => shifted(0x6F0, b'0'),
        '०'..='९' => shifted(0x966, b'0'),
        '\u{2010}'..='\u{2012}' => Some(Some('-')),
        '\u{1D400}'..='\u{1D7FF}' => [char].into_iter().nfkc().next().filter(char::is_ascii).map(Some),
        _ => None,
    }
}

/// The word around the place last asked about, so that a long one is judged once.
#[derive(Default)]
pub(super) struct Token {
    end: usize,
    latin: bool,
}

impl Token {
    /// The letter that `char` at `at` passes for: a Latin one in an otherwise Latin word, a digit among circled digits.
    pub(super) fn fold(&mut self, text: &str, at: usize, char: char) -> Option<char> {
        if let Some(digit) = circled(char) {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + char.len_utf8()..).and_then(|after| after.chars().next());
            return [before, after].into_iter().flatten().any(|near| circled(near).is_some()).then_some(digit);
        }
        let plain = latin(char)?;
        if at >= self.end {
            let before = text.get(..at)?.chars().rev().take(64).take_while(|char| is_word(*char));
            let mut has_latin = before.clone().any(|char| char.is_ascii_alphanumeric());
            let mut foreign = before.clone().any(|char| !char.is_ascii() && latin(char).is_none());
            self.end = at;
            for char in text.get(at..)?.chars().take_while(|char| is_word(*char)) {
                has_latin |= char.is_ascii_alphanumeric();
                foreign |= !char.is_ascii() && latin(char).is_none();
                self.end += char.len_utf8();
            }
            self.latin = has_latin && !foreign;
        }
        self.latin.then_some(plain)
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || matches!(char, '\u{370}'..='\u{52F}')
}

fn circled(char: char) -> Option<char> {
    let code = u32::from(char);
    match char {
        '①'..='⑨' => char::from_digit(code - 0x2460 + 1, 10),
        '⓪' => Some('0'),
        _ => None,
    }
}

/// The Latin letter that a Cyrillic or Greek one looks like (Unicode confusables.txt, the identical-looking ones).
fn latin(char: char) -> Option<char> {
    Some(match char {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'Ү' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'κ' => 'k',
        'ӏ' => 'l',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'υ' => 'u',
        'ν' => 'v',
        'ѡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}
