//! A cell of a table as the forms in which a text may hold it.
//!
//! Two shapes: a *number* is digits whatever separates them, a *phrase* is words whatever stands between them. Text comes in as `detect`
//! normalises it.

use super::{
    digest::{Digest, Digester},
    number,
    words::{self, Word},
};

/// Of longer phrases (addresses, notes) the beginning stands for the whole.
pub(crate) const MOST_WORDS: usize = 16;

/// A value in one of the forms in which a text may hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Of the form.
    pub digest: Digest,
    /// What to look for.
    pub shape: Shape,
}

/// What to look for in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many digits.
    Number(u32),
    /// So many words.
    Phrase {
        /// 16 at most.
        words: u32,
        /// Digest of the first two, or of the only one.
        head: Digest,
    },
}

/// Which lengths of numbers and phrases some values have, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) numbers: u32,
    pub(crate) phrases: u32,
}

impl Lengths {
    pub(crate) fn add(&mut self, shape: Shape) {
        match shape {
            Shape::Number(digits) => self.numbers |= 1 << digits.min(31),
            Shape::Phrase { words, .. } => self.phrases |= 1 << words.min(31),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.numbers |= other.numbers;
        self.phrases |= other.phrases;
    }

    /// Words of the longest phrase.
    pub(crate) fn longest(self) -> usize {
        31_u32.saturating_sub(self.phrases.leading_zeros()) as usize
    }

    #[inline(always)]
    pub(crate) fn has_number(self, digits: u32) -> bool {
        self.numbers >> digits.min(31) & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn has_phrase(self, words: u32) -> bool {
        self.phrases >> words.min(31) & 1 == 1
    }
}

/// The forms of a cell, the plain one first; none if it holds too little to go by: under six digits, three letters or two characters.
pub(crate) fn forms(digester: &Digester, text: &str, scratch: &mut Vec<Word>) -> Vec<Form> {
    if let Some(numbers) = number::of_cell(text) {
        let form = |number: number::Number| Form { digest: number.digest(digester), shape: Shape::Number(number.len) };
        return numbers.into_iter().map(form).collect();
    }
    words::read(digester, text, scratch);
    let letters: usize = scratch.iter().map(|word| if word.is_character() { 3 } else { 2 * (word.end - word.start) as usize }).sum();
    if letters < 6 {
        return Vec::new();
    }
    let words: Vec<Word> = scratch.iter().take(MOST_WORDS).copied().collect();
    let mut forms = vec![phrase(digester, &words)];
    // `Doe, Jane` is also written `Jane Doe`, and the other way round.
    if let [first, second] = words.as_slice()
        && !first.is_character()
        && !second.is_character()
    {
        forms.push(phrase(digester, &[*second, *first]));
    }
    // `ACME-0042-X` is also written `ACME0042X`.
    let bare: String = text.chars().filter(|char| char.is_ascii_alphanumeric()).collect();
    let is_code =
        text.chars().all(|char| char.is_ascii_alphanumeric() || "-_./ ".contains(char)) && bare.bytes().any(|byte| byte.is_ascii_digit());
    if is_code && words.len() > 1 && bare.len() <= 32 {
        words::read(digester, &bare, scratch);
        forms.push(phrase(digester, scratch));
    }
    forms
}

/// The phrase of these words, [`MOST_WORDS`] at most.
fn phrase(digester: &Digester, words: &[Word]) -> Form {
    let mut head = digester.phrase();
    let mut digest = head;
    for (index, word) in words.iter().enumerate() {
        digest = digester.join(digest, word.digest);
        if index < 2 {
            head = digest;
        }
    }
    Form { digest, shape: Shape::Phrase { words: u32::try_from(words.len()).unwrap_or(u32::MAX), head } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(text: &str) -> Vec<Digest> {
        forms(&Digester::new(&[9; 32]), text, &mut Vec::new()).iter().map(|form| form.digest).collect()
    }

    #[test]
    fn separators_case_and_country_codes_do_not_count() {
        assert_eq!(digests("139-0246-8135")[0], digests("+86 139 0246 8135")[0]);
        assert_eq!(digests("Jane  DOE")[0], digests("jane doe")[0]);
        assert_eq!(digests("王 小 明")[0], digests("王小明")[0]);
        assert!(digests("Doe, Jane").contains(&digests("Jane Doe")[0]));
        assert!(digests("ACME-0042-X").contains(&digests("acme0042x")[0]));
        assert_eq!(digests("11010119900307213X")[0], digests("110101 19900307 213x")[0]);
    }

    #[test]
    fn what_says_little_has_no_form() {
        for text in ["", "-", "42", "AB", "王", "n/a"] {
            assert!(digests(text).is_empty(), "{text}");
        }
        for text in ["Bob", "王明", "4711-9", "A1B2"] {
            assert!(!digests(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn of_a_long_cell_the_beginning_counts() {
        let long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen";
        assert_eq!(digests(long)[0], digests(&format!("{long} and more"))[0]);
    }
}
