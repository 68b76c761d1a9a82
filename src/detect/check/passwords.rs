//! Values that people or generators chose, told from what stands in their place: words, templates, code, names, paths, formats.

use super::{Check, secrets::distinct};
use crate::detect::{phrases::Phrases, random::random};
use std::sync::LazyLock;

/// The checks of this module by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("many-signs", many_signs),
    ("mostly-signs", mostly_signs),
    ("not-a-name", not_a_name),
    ("passphrase", passphrase),
    ("password", password),
    ("url-password", url_password),
];

/// A password that a person or a generator chose: letters with digits or signs, or a long number; no word, code, path, date or format.
fn password(text: &str) -> bool {
    let value = text.trim();
    if !value.is_ascii() || value.len() < 6 || is_stand_in(value) || is_password_word(value) {
        return false;
    }
    let count = |is_kind: fn(&u8) -> bool| value.bytes().filter(is_kind).count();
    let digits = count(u8::is_ascii_digit);
    let letters = count(u8::is_ascii_alphabetic);
    let signs = value.bytes().filter(|byte| b"!@#$%^&*?~+=|`".contains(byte)).count();
    let spaces = count(u8::is_ascii_whitespace);
    let lower = value.to_ascii_lowercase();
    let holds_the_word = ["password", "passwd", "secret", "token"].iter().any(|word| lower.contains(word));
    if letters == 0 {
        return digits == value.len() && (6..=12).contains(&digits) && !is_sequential(value);
    }
    let mixed = digits > 0 || signs > 0 && signs * 2 < value.len();
    mixed
        && spaces == 0
        && (!holds_the_word || signs > 0)
        && !is_format(&lower)
        && !is_path(value)
        && !is_uuid(value)
        && !is_numbered_name(value)
        && !is_email(value)
}

/// The password in a URL: anything but a template, a mask, or the word that documentation puts there.
fn url_password(text: &str) -> bool {
    let text = text.trim_matches(['<', '>', '{', '}', '[', ']']);
    let lower = text.to_ascii_lowercase();
    let named =
        lower.starts_with("your") || lower.contains("password") && text.bytes().all(|b| b.is_ascii_alphabetic() || b"_-".contains(&b));
    text.len() >= 3 && !named && !is_stand_in(text) && !is_password_word(text)
}

/// A password of many signs, as generators make them where they may; code has fewer kinds of them in so short a text.
fn many_signs(text: &str) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_punctuation() && !b"_-./:".contains(byte);
    let signs: String = text.bytes().filter(is_sign).map(char::from).collect();
    signs.len() >= 5 && distinct(&signs) >= 4 && !text.starts_with(':') && !is_code(text)
}

/// A password of which most are signs, many of them different, with a letter or digit at least; no ruler, comment, mask or number.
fn mostly_signs(text: &str) -> bool {
    let is_sign = |char: &char| !char.is_alphanumeric() && !char.is_control() && !is_wide(*char);
    let signs: std::collections::BTreeSet<char> = text.chars().filter(is_sign).collect();
    let count = text.chars().filter(is_sign).count();
    let is_plain = text.chars().all(|char| char.is_ascii() || !is_wide(char));
    is_plain && signs.len() >= 6 && count * 2 > text.chars().count() && text.chars().any(char::is_alphanumeric) && !is_stand_in(text)
}

/// Chinese letters and signs and their like stand in prose.
fn is_wide(char: char) -> bool {
    char >= '\u{2E80}'
}

/// Four words or more that are no instruction: what forms and messages say about passwords has small words or words about passwords in it.
fn passphrase(text: &str) -> bool {
    const TELLING: &str = "a an the is are be was were been of to in on for by at you your my our their this that these those it not no \
        must should shall may can cannot could will would please enter type confirm repeat choose provide specify use used using if when \
        invalid incorrect wrong bad required optional missing empty reset forgot forgotten change changed update updated new old current \
        password passwords passphrase passcode pass secret secrets token key keys login log sign signin user username account email mail \
        field form least most minimum maximum characters character letters digits long short length match matches expired error failed \
        failure success successfully link sent lost recover recovery remember show hide strong weak test example sample";
    let words = || text.split([' ', '\t']).filter(|word| !word.is_empty());
    let distinct = words().collect::<std::collections::BTreeSet<_>>().len();
    words().count() >= 4
        && distinct * 4 >= words().count() * 3
        && !words().any(|word| TELLING.split_ascii_whitespace().any(|known| known == word))
}

/// Not the name of something: a host, a path, a version, words joined by signs, a format, a UUID.
fn not_a_name(text: &str) -> bool {
    let joints = ['.', '_', '-', '/', '='];
    let joined = text.contains(joints) && text.split(joints).all(is_plain);
    !joined && !is_word(text) && !is_uuid(text) && !is_path(text) && !is_format(&text.to_ascii_lowercase()) && !is_code(text)
}

/// A part of a name: a word, an abbreviation, either with a short number at its end, or a number.
fn is_plain(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = part.len() - letters.len();
    let lower = number <= 4 && letters.bytes().all(|b| b.is_ascii_lowercase());
    let upper = part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) && letters.len() * 2 >= part.len() && part.len() < 12;
    part.is_empty() || lower || letters.is_empty() && part.len() <= 14 || upper || is_word(part)
}

/// Letters alone, as words have them: with at most the case changes of `camelCase`.
fn is_word(text: &str) -> bool {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let upper = |byte: u8| byte.is_ascii_uppercase();
    let changes = stem.bytes().zip(stem.bytes().skip(1)).filter(|&(a, b)| !upper(a) && upper(b)).count();
    text.len() - stem.len() <= 3 && stem.len() >= 3 && stem.bytes().all(|b| b.is_ascii_alphabetic()) && changes * 4 <= stem.len()
}

/// Whether a value is written to be replaced, or is code that yields the value: `${VAR}`, `<your key>`, `%s`, `****`, `changeme`.
pub(super) fn is_stand_in(value: &str) -> bool {
    let value = value.trim();
    // Tags of YAML: what follows is encrypted, or stands elsewhere.
    const TAGS: [&str; 9] = ["!vault", "!secret", "!ref", "!sub", "!getatt", "!env", "!include", "!encrypted", "!importvalue"];
    let tagged = TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(value));
    let dotted = ["...", "***", "•••", "●●"].iter().any(|mark| value.contains(mark));
    let bracketed = value.starts_with(['$', '<', '%', '{', '[', '@'])
        && value.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() || b"_-. ()[]{}<>:%".contains(&b))
        || value.ends_with('>') && value.contains('<');
    tagged || dotted || bracketed || is_template(value) || is_masked(value) || names_a_stand_in(value) || is_code(value)
}

/// Whether a template's brackets stand in the text with something like a name inside: `{{ name }}`, `$(command)`, `@@NAME@@`.
pub(in crate::detect) fn is_template(value: &str) -> bool {
    const BRACKETS: [(&str, &str); 8] =
        [("${", "}"), ("$(", ")"), ("{{", "}}"), ("<%", "%>"), ("%(", ")"), ("#{", "}"), ("%{", "}"), ("@@", "@@")];
    let name = |inside: &str| !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.: =$|/\\\"'()".contains(&b));
    let opens = value.bytes().any(|byte| matches!(byte, b'$' | b'{' | b'<' | b'%' | b'#' | b'@'));
    let around = opens
        && BRACKETS.iter().any(|(open, close)| {
            let inside = value.split_once(open).and_then(|(_, rest)| rest.split_once(close));
            inside.is_some_and(|(inside, _)| name(inside))
        });
    around || value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|inside| name(inside) && !random(inside))
}

/// Calls and member paths: `get_password()`, `os.environ`, `self.secret`, `->`.
fn is_code(value: &str) -> bool {
    let path = |separator: &str| {
        value.contains(separator) && value.split(separator).all(|part| part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
    };
    let pointed = value.trim_start_matches(['*', '&']).trim_end_matches(['*', '?']);
    let is_pointer = pointed.len() < value.len() && pointed.bytes().all(|b| b.is_ascii_alphabetic() || b"_:".contains(&b));
    value.contains("()")
        || value.contains("->")
        || value.contains("::")
        || value.ends_with('(')
        || path(".")
        || path("[")
        || is_pointer
        || is_call(value)
}

/// A call, a macro or an element: a name, then brackets, and all brackets closed: `read(&bytes[2..])`, `token![=>]`, `keys[i]`.
fn is_call(value: &str) -> bool {
    let value = value.trim_end_matches([',', ';', '?', '.']);
    let rest = value.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '&' | '*'));
    let named = rest.len() < value.len() && value.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '&' | '*' | ':'));
    let opened = rest.trim_start_matches('!').starts_with(['(', '[']);
    let count = |c: char| value.matches(c).count();
    // What was cut off at the end may have closed what is still open.
    named && opened && count('(') + 1 >= count(')') && count('[') + 1 >= count(']') && (count(')') + count(']')) > 0
}

/// Whether the text says that it stands for something else.
pub(super) fn names_a_stand_in(text: &str) -> bool {
    static WORDS: LazyLock<Phrases> = LazyLock::new(|| {
        Phrases::new(
            "example placeholder redacted changeme change_me change-me replace insert dummy your_ your- yourapi youraccess yoursecret \
             yourkey yourtoken yourpass token_here key_here _here todo",
        )
    });
    WORDS.stand_in(text)
}

/// Whether most of the text is one character repeated, or a run of one that chance does not make.
pub(in crate::detect) fn is_masked(text: &str) -> bool {
    let mut longest = 0;
    let mut run = 0;
    let mut last = 0;
    for byte in text.bytes().map(|byte| byte.to_ascii_lowercase()) {
        run = if byte == last { run + 1 } else { 1 };
        last = byte;
        // Base64 of zero bytes is a run of A; real tokens hold some.
        if byte != b'a' || text.len() < 64 || run >= 30 {
            longest = longest.max(run);
        }
    }
    longest >= 7 || longest * 3 > text.len().max(9) || longest == text.len()
}

/// Words that documentation writes where a password goes.
pub(super) fn is_password_word(value: &str) -> bool {
    const WORDS: &str = "mongodb redis rabbitmq minio minioadmin elastic oracle demo sample dbpassword pass password passwd pwd \
        passw0rd secret token changeme test testing test123 admin root user username guest default none null true \
        false string mypassword mypass mysecret secretpassword secretkey postgres mysql foo bar abc abc123";
    WORDS.split(' ').any(|word| value.eq_ignore_ascii_case(word))
}

/// `123456`, `87654321`, `111111`.
fn is_sequential(digits: &str) -> bool {
    let steps = || digits.bytes().zip(digits.bytes().skip(1)).map(|(a, b)| i16::from(b) - i16::from(a));
    steps().all(|step| step == 1) || steps().all(|step| step == -1) || steps().all(|step| step == 0)
}

/// Names of encodings, hashes and types that carry digits, and format strings.
fn is_format(lower: &str) -> bool {
    const FORMATS: &str = "sha1 sha256 sha512 sha-256 md5 utf8 utf-8 base64 bcrypt pbkdf2 oauth2 argon2 int32 varchar";
    FORMATS.split(' ').any(|format| lower.strip_prefix(format).is_some_and(|rest| !rest.starts_with('~')))
        || lower.contains("%s")
        || lower.contains("%d")
        || lower.contains("{0}")
        || lower.starts_with("0x")
}

/// URLs, file names and folders.
fn is_path(value: &str) -> bool {
    let separators = value.bytes().filter(|&byte| matches!(byte, b'/' | b'\\')).count();
    let named = || value.split(['/', '\\', '.', '_', '-']).all(is_plain);
    let glob = || separators >= 1 && value.contains('*') && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/\\._-*".contains(&b));
    value.contains("://") || value.starts_with(['/', '.', '~', '\\']) || separators >= 2 && named() || glob()
}

/// A mail address: a password may hold an `@`, but not also end like a host.
fn is_email(value: &str) -> bool {
    let label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let Some((user, host)) = value.split_once('@') else { return false };
    let ends_in_letters = host.rsplit('.').next().is_some_and(|last| last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic()));
    let user_is_plain = !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    user_is_plain && host.contains('.') && host.split('.').all(label) && ends_in_letters
}

/// Text of the form 8-4-4-4-12 hexadecimal digits (RFC 9562).
fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    lengths && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// `arg1`, `field_2`, `value-10`, `line.3`: one or more plain lower-case words and a short number at the end, with a joint in them.
fn is_numbered_name(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = value.len() - stem.len();
    (1..=2).contains(&number) && stem.contains(['_', '.', '-', ':']) && stem.bytes().all(|b| b.is_ascii_lowercase() || b"_.-:".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_from_words_code_and_stand_ins() {
        for real in ["hunter2!", "P@ssw0rd$1", "Tr0ub4dor&3", "Huawei@2024", "83920174", "k9Zq_1fT"] {
            assert!(password(real), "{real}");
        }
        for other in [
            "password",
            "changeme",
            "${DB_PASSWORD}",
            "<your password>",
            "getpass()",
            "config.password",
            "123456",
            "********",
            "xxxxxxxx",
            "!vault",
            "*const",
            "&str",
            "tests/pass/*.rs",
            "read_u16(&s[i..]);",
            "str",
            "required",
            "/run/secrets/db1",
            "https://a1.example.com",
            "arg_1",
            "sha256",
            "0736f5ef-7e88-499a-80cc-90c85d2a5180",
            "请输入密码1",
            "password1",
            "self.value",
        ] {
            assert!(!password(other), "{other}");
        }
    }

    #[test]
    fn passphrases_are_told_from_messages() {
        for real in ["correct horse battery staple", "value with quotes and spaces", "maple engine cold river nine"] {
            assert!(passphrase(real), "{real}");
        }
        for other in ["enter your new password", "must be at least eight characters", "la la la la", "two words"] {
            assert!(!passphrase(other), "{other}");
        }
    }

    #[test]
    fn passwords_of_signs_are_told_from_rulers_and_prose() {
        for real in ["k;+,7%=!~*q?^", "A,.:-¨@*¿?!"] {
            assert!(mostly_signs(real), "{real}");
        }
        for other in ["----------", "************", "//comment///", "a.b.c.d.e.f", "，。！？；：、a", "!@#$%^&*"] {
            assert!(!mostly_signs(other), "{other}");
        }
    }

    #[test]
    fn url_passwords_leave_documentation_alone() {
        assert!(url_password("s3cr3tP4ss") && url_password("p@ss"));
        for other in ["password", "pass", "<password>", "${PASS}", "{{pass}}", "****", "yourpassword", "my_password"] {
            assert!(!url_password(other), "{other}");
        }
    }

    #[test]
    fn templates_need_a_name_in_their_brackets() {
        for template in ["${DB_PASS}", "{{ .Values.password }}", "$(pass show db)", "%(password)s", "@@TOKEN@@", "{password}"] {
            assert!(is_template(template), "{template}");
        }
        assert!(!is_template("k{{h}o)p${e]nob(9") && !is_template("a%b{c"));
    }

    #[test]
    fn names_of_things_are_no_secrets() {
        for name in
            ["auth_provider_x509_cert_url", "api-key-v2", "cmp2-qat-1208358310", "AWS4-HMAC-SHA256", "timeout=10", "getUserAccountName"]
        {
            assert!(!not_a_name(name), "{name}");
        }
        assert!(not_a_name("kX9vTq2LmZw7RbNc8Y") && not_a_name("jC+6TUU/CNHc/VtAXpcqBC"));
    }
}
