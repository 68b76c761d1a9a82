//! Text to windows: sentences, told from code and noise by cheap tests, are packed until a window is full.
//!
//! Where a window begins depends on nothing but the field it lies in, so that a chat which is sent again with one more message is cut
//! as before, and what was read stays known.

use std::ops::Range;

/// Some text that the network reads at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Where in the text.
    pub(super) range: Range<usize>,
    /// Tokens, estimated.
    pub(super) weight: usize,
}

/// Estimated tokens of a full window. The vocabulary knows best: what turns out longer than the network's positions is read in
/// pieces that overlap.
const FULL: usize = 100;
/// A new paragraph begins a new window from here on.
const HALF: usize = 50;
/// A sentence is cut at a comma, at a space, or anywhere when it is as long as this.
const CUT_AT_COMMA: usize = 60;
const CUT_AT_SPACE: usize = 100;
const CUT: usize = 400;
/// Noise this long ends a window.
const LONG_NOISE: usize = 40;
/// Of code, this many windows of a field are read: enough to see that it is code, and whose.
const CODE_WINDOWS: usize = 4;

/// The windows of `text`. Stretches without natural language are in none.
pub(super) fn windows(text: &str) -> Vec<Window> {
    let mut packer = Packer::default();
    let mut unit = Unit::default();
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        unit.add(char);
        let end = at + char.len_utf8();
        let next = chars.peek().map(|(_, char)| *char);
        if unit.ends(char, next) {
            packer.take(std::mem::take(&mut unit), end);
        }
    }
    packer.take(unit, text.len());
    packer.flush();
    packer.done
}

/// Whether `text` may hold natural language at all: two Chinese characters, or two words side by side. For text of any kind, as fast as
/// memory: most requests hold none.
pub(crate) fn may_hold_language(text: &[u8]) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let mark = |at: usize| matches!(text.get(at), Some(b',' | b'.' | b'\''));
    let joins_words = |at: usize| {
        let before = at.checked_sub(1);
        let is_after_word = letter(before) || before.is_some_and(|before| mark(before) && letter(before.checked_sub(1)));
        is_after_word && letter(Some(at + 1)) && letter(Some(at + 2))
    };
    // The lead bytes of U+4000 to U+9FFF, and the escapes that JSON writes for the same.
    let han = || text.iter().map(|byte| usize::from(matches!(byte, 0xE4..=0xE9))).sum::<usize>();
    let escapes = || memchr::memmem::find_iter(text, b"\\u").filter(|at| matches!(text.get(at + 2), Some(b'4'..=b'9')));
    (!text.is_ascii() && han() >= 2) || memchr::memchr2_iter(b' ', b'+', text).any(joins_words) || escapes().nth(1).is_some()
}

/// What a unit is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Prose,
    Code,
    Noise,
}

/// A sentence or a line, as far as it has been seen.
#[derive(Clone, Debug, Default)]
struct Unit {
    /// In quarters of a token.
    quarters: usize,
    letters_in_run: usize,
    visible: usize,
    han: usize,
    symbols: usize,
    garbage: usize,
    words: Adjacent,
    has_language: bool,
}

impl Unit {
    fn add(&mut self, char: char) {
        let is_letter = char.is_alphabetic() && !is_han(char) && (char.is_ascii() || char < '\u{250}');
        let since = match char {
            ' ' => Since::Space,
            ',' | '.' | '\'' | '’' => Since::Mark,
            _ => Since::Parted,
        };
        self.has_language |= self.words.add(is_letter, since);
        if is_letter {
            // A word of four letters is a token, and every four more.
            self.quarters += if self.letters_in_run == 0 { 4 } else { usize::from(self.letters_in_run >= 4) };
            self.letters_in_run += 1;
            self.visible += 1;
            return;
        }
        self.letters_in_run = 0;
        if char.is_whitespace() {
            return;
        }
        self.visible += 1;
        if is_han(char) {
            self.han += 1;
            self.has_language |= self.han >= 2;
            self.quarters += 3;
        } else if char.is_ascii_digit() {
            self.quarters += 2;
        } else {
            self.quarters += 4;
            self.symbols += usize::from("{}()[]<>;=|\\&*+$#@^~_`".contains(char));
            self.garbage += usize::from(char.is_control() || char == char::REPLACEMENT_CHARACTER);
        }
    }

    fn weight(&self) -> usize {
        self.quarters.div_ceil(4)
    }

    /// Whether the unit ends after `char`, which `next` follows.
    fn ends(&self, char: char, next: Option<char>) -> bool {
        match char {
            '\n' | '。' | '！' | '？' | '；' => true,
            '.' | '!' | '?' => next.is_none_or(char::is_whitespace),
            ',' | '，' | ';' | '、' => self.weight() >= CUT_AT_COMMA,
            space if space.is_whitespace() => self.weight() >= CUT_AT_SPACE,
            _ => self.weight() >= CUT || self.visible >= 8 * CUT,
        }
    }

    fn kind(&self) -> Kind {
        if !self.has_language || self.garbage * 10 > self.visible {
            Kind::Noise
        } else if self.symbols * 12 > self.visible && self.han * 4 < self.visible {
            Kind::Code
        } else {
            Kind::Prose
        }
    }
}

/// Whether two words stand side by side.
#[derive(Clone, Copy, Debug, Default)]
struct Adjacent {
    letters: u32,
    since: Since,
}

/// What stands behind the last word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Since {
    /// Something that parts it from the next.
    #[default]
    Parted,
    /// A comma or the like, and perhaps a space is to come.
    Mark,
    Space,
}

impl Adjacent {
    /// The longest word that is taken for one: base64 has no spaces.
    const LONGEST: u32 = 24;

    /// Takes the next character; true if with it a second word begins beside a first.
    fn add(&mut self, is_letter: bool, since: Since) -> bool {
        if is_letter {
            self.letters += 1;
            return self.letters == 2 && self.since == Since::Space;
        }
        let was_word = (1..=Self::LONGEST).contains(&self.letters);
        let is_beside = was_word || (self.letters == 0 && self.since != Since::Parted);
        self.since = match since {
            Since::Mark if is_beside && (was_word || self.since == Since::Mark) => Since::Mark,
            Since::Space if is_beside => Since::Space,
            Since::Parted | Since::Mark | Since::Space => Since::Parted,
        };
        self.letters = 0;
        false
    }
}

fn is_han(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Puts units together.
#[derive(Default)]
struct Packer {
    done: Vec<Window>,
    start: usize,
    end: usize,
    weight: usize,
    prose: usize,
    code: usize,
    code_windows: usize,
    was_blank: bool,
}

impl Packer {
    /// Takes the next unit, which ends at `end`.
    fn take(&mut self, unit: Unit, end: usize) {
        let weight = unit.weight();
        let (start, kind) = (self.end, unit.kind());
        let is_blank = unit.visible == 0;
        let full = self.weight + weight > FULL || (self.was_blank && self.weight >= HALF);
        let long_noise = kind == Kind::Noise && weight > LONG_NOISE;
        if full || long_noise {
            self.flush();
        }
        self.was_blank = is_blank;
        self.end = end;
        if long_noise || (self.weight == 0 && is_blank) {
            self.start = end;
            return;
        }
        if self.weight == 0 {
            self.start = start;
        }
        self.weight += weight;
        match kind {
            Kind::Prose => self.prose += weight,
            Kind::Code => self.code += weight,
            Kind::Noise => {}
        }
    }

    /// Ends the window.
    fn flush(&mut self) {
        let is_code = self.code > self.prose;
        self.code_windows += usize::from(is_code);
        if self.prose + self.code > 0 && (!is_code || self.code_windows <= CODE_WINDOWS) {
            self.done.push(Window { range: self.start..self.end, weight: self.weight });
        }
        (self.start, self.weight, self.prose, self.code) = (self.end, 0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        windows(text).into_iter().map(|window| text[window.range].trim()).collect()
    }

    #[test]
    fn sentences_fill_windows_and_noise_is_left_out() {
        assert_eq!(texts("Please call Margaret before Friday."), ["Please call Margaret before Friday."]);
        assert_eq!(texts("请张伟周五前回电。"), ["请张伟周五前回电。"]);
        assert_eq!(texts("Zhang Wei"), ["Zhang Wei"]);
        for noise in ["", "1700000000,42,0.5", "aGVsbG8gd29ybGQhIGhlbGxvIHdvcmxkIQ", "page_view,click_id,utm", "🎉🎉🎉", "\u{0}\u{1}\u{2}"]
        {
            assert_eq!(texts(noise), Vec::<&str>::new(), "{noise}");
        }
        let long = "The quick brown fox jumps over the lazy dog near the river bank. ".repeat(40);
        let all = windows(&long);
        assert!(all.len() > 3 && all.iter().all(|window| window.weight <= FULL), "{all:?}");
    }

    #[test]
    fn more_text_behind_changes_no_window_before_the_last() {
        let text = "请把合同发给法务部的李娜，她周三在上海。We meet on Monday at noon to settle it. ".repeat(30);
        let (shorter, longer) = (windows(&text[..text.len() / 2 / 82 * 82]), windows(&text));
        assert!(shorter.len() > 3);
        assert_eq!(shorter[..shorter.len() - 1], longer[..shorter.len() - 1]);
    }

    #[test]
    fn of_long_code_only_the_beginning_is_read() {
        let code = "fn add(left: u64, right: u64) -> u64 { left + right; } // see (a) [b] {c}\n".repeat(400);
        assert_eq!(windows(&code).len(), CODE_WINDOWS);
    }

    #[test]
    fn a_cheap_look_tells_language_from_telemetry() {
        for language in ["how are you", "q=how+are+you", "你好", "{\"a\":\"\\u4f60\\u597d\"}", "Zhang, Wei"] {
            assert!(may_hold_language(language.as_bytes()), "{language}");
        }
        for machine in ["{\"event\":\"page_view\",\"ts\":1700000000}", "a=1&b=2&token=abc", "x", "\"ab\":\"cd\"", ""] {
            assert!(!may_hold_language(machine.as_bytes()), "{machine}");
        }
    }

    proptest! {
        #[test]
        fn windows_are_disjoint_in_order_and_on_character_borders(text in any::<String>()) {
            let mut end = 0;
            for window in windows(&text) {
                prop_assert!(end <= window.range.start && window.range.start < window.range.end);
                prop_assert!(text.get(window.range.clone()).is_some());
                end = window.range.end;
            }
        }
    }
}
