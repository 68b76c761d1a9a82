//! A text as code: what is left of it when names do not count.
//!
//! Keywords, numbers and punctuation stand for themselves. A name stands for how long ago the same name was last used, so that a copy whose
//! names were changed throughout reads as the original does. Comments behind `//` and in `/* */` are left out.

use super::{digest::Digester, words::Word};

/// A name that was not used among the last names is new.
const REMEMBERED: usize = 24;

/// Replaces `tokens` by the tokens of `text`; every one weighs one.
pub(crate) fn read(digester: &Digester, text: &str, tokens: &mut Vec<Word>) {
    tokens.clear();
    let bytes = text.as_bytes();
    let mut names = Names { last: [0; REMEMBERED], next: 0 };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let code = match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()).map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let rest = bytes.get(at + 2..).unwrap_or_default();
                at = memchr::memmem::find(rest, b"*/").map_or(bytes.len(), |end| at + 2 + end + 2);
                continue;
            }
            byte if is_part_of_name(*byte) => {
                let len = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| is_part_of_name(**byte)).count();
                at += len;
                let word = text.get(start..at).unwrap_or_default();
                match byte {
                    b'0'..=b'9' => NUMBER,
                    _ if is_keyword(word) => KEYWORD + digest_of(word),
                    _ => NAME + names.distance(fnv(word)),
                }
            }
            byte => {
                at += 1;
                if byte.is_ascii_whitespace() || !byte.is_ascii() {
                    continue;
                }
                u32::from(*byte)
            }
        };
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(at)) {
            tokens.push(Word { digest: digester.character(code) | 1, start, end });
        }
    }
}

/// Whether a word belongs to a language rather than to a program.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

/// Whether some stretch of the text is written like code: much punctuation of the kind that programs are made of.
pub(crate) fn is_likely(text: &str) -> bool {
    const BLOCK: usize = 512;
    text.as_bytes().chunks(BLOCK).any(|block| {
        let marks = block.iter().filter(|byte| matches!(byte, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b';' | b'=' | b'<' | b'>')).count();
        marks * 16 >= block.len().max(200)
    })
}

/// Codes beyond those of ASCII.
const NUMBER: u32 = 0x100;
const NAME: u32 = 0x200;
const KEYWORD: u32 = 0x10000;

fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn digest_of(keyword: &str) -> u32 {
    (fnv(keyword) >> 40) as u32
}

/// FNV-1a: only to tell names apart, a few dozen at a time.
fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// The last names used.
struct Names {
    last: [u64; REMEMBERED],
    next: usize,
}

impl Names {
    /// How many names ago `name` was used; 0 if it was not. Remembers it.
    fn distance(&mut self, name: u64) -> u32 {
        let ago = (1..=REMEMBERED).find(|ago| self.last.get((self.next + REMEMBERED - ago) % REMEMBERED) == Some(&name));
        self.last.iter_mut().skip(self.next).take(1).for_each(|slot| *slot = name);
        self.next = (self.next + 1) % REMEMBERED;
        ago.and_then(|ago| u32::try_from(ago).ok()).unwrap_or(0)
    }
}

/// Words that several widespread languages reserve, sorted.
const KEYWORDS: &[&str] = &[
    "False",
    "None",
    "Self",
    "True",
    "abstract",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "crate",
    "def",
    "default",
    "defer",
    "del",
    "delete",
    "do",
    "double",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "final",
    "finally",
    "float",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "global",
    "go",
    "goto",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "include",
    "instanceof",
    "int",
    "interface",
    "is",
    "lambda",
    "let",
    "long",
    "loop",
    "match",
    "mod",
    "mut",
    "namespace",
    "new",
    "nil",
    "not",
    "null",
    "operator",
    "or",
    "override",
    "package",
    "pass",
    "private",
    "protected",
    "pub",
    "public",
    "raise",
    "range",
    "ref",
    "return",
    "select",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "string",
    "struct",
    "super",
    "switch",
    "template",
    "this",
    "throw",
    "throws",
    "trait",
    "true",
    "try",
    "type",
    "typedef",
    "typename",
    "typeof",
    "undefined",
    "union",
    "unsafe",
    "unsigned",
    "use",
    "using",
    "var",
    "virtual",
    "void",
    "volatile",
    "where",
    "while",
    "with",
    "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(text: &str) -> Vec<u64> {
        let mut tokens = Vec::new();
        read(&Digester::new(&[5; 32]), text, &mut tokens);
        tokens.iter().map(|token| token.digest).collect()
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn names_comments_and_layout_do_not_count() {
        let original = "fn total(items: &[Item]) -> u64 {\n    // adds up\n    items.iter().map(|item| item.price * item.count).sum()\n}";
        let renamed = "fn summe(posten: &[Teil]) -> zahl { posten.durch().je(|teil| teil.preis /* x */ * teil.menge).sum() }";
        assert_eq!(digests(original), digests(renamed));
        assert_ne!(digests("a = b + a"), digests("a = b + b"), "which name is used again counts");
        assert_ne!(digests("if (x) y();"), digests("while (x) y();"));
    }

    #[test]
    fn code_is_told_from_prose() {
        assert!(is_likely("for (let i = 0; i < n; i++) { out[i] = f(a[i], b[i]); }\n".repeat(4).as_str()));
        assert!(!is_likely(&"Please find the report (draft) attached; we will talk about it on Monday. ".repeat(20)));
    }
}
