//! What the model spots and is believed little: looks are not enough.
//!
//! It knows a password by the words around it and by its looks, and the looks of `wasm32-wasip1` or `Utf16CharsEx` are enough for it now
//! and then. Nobody tells a password without calling it one. What every manual prints (`admin123`) is no secret, a date of birth that nobody
//! alive can have is history, a street without a number is where one goes for a walk, and a case with a question behind it is for students.

use crate::finding::Label;
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// Most that is believed of what is likely something else: it is neither recorded nor acted on by the shipped policy.
const DOUBTFUL: f32 = 0.4;
/// Most that is believed of an address that nobody lives at: it is recorded and not acted on.
const PLACE: f32 = 0.9;
/// Nobody alive was born before.
const OLDEST: u32 = 1910;

/// The passwords that manuals and tutorials print.
const PRINTED: [&str; 30] = [
    "1234",
    "12345",
    "123456",
    "12345678",
    "123456789",
    "000000",
    "111111",
    "666666",
    "888888",
    "abc123",
    "admin",
    "admin123",
    "admin888",
    "administrator",
    "demo",
    "guest",
    "letmein",
    "password",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "pass",
    "pass123",
    "postgres",
    "qwerty",
    "root",
    "root123",
    "secret",
    "test",
    "test123",
];

/// The most that is believed of a finding with this label at `range` of `text`, which is normalised; `None` without limit.
pub(super) fn limit(label: &Label, text: &str, range: &Range<usize>) -> Option<f32> {
    let value = text.get(range.clone()).unwrap_or_default();
    if label.is_under("secret") {
        return (is_printed(value) || !is_called_secret(text, range)).then_some(DOUBTFUL);
    }
    if label.is_under("personal.birth_date") {
        return is_history(value).then_some(DOUBTFUL);
    }
    let has_number = || value.chars().any(|char| char.is_numeric() || "一二三四五六七八九十百".contains(char));
    (label.is_under("personal.address") && !has_number()).then_some(PLACE)
}

/// The most that is believed of a passage with this label that reads `text`; `None` without limit.
pub(super) fn limit_of_passage(label: &Label, text: &str) -> Option<f32> {
    (label.is_under("business.medical") && EXAM.is_match(text)).then_some(DOUBTFUL)
}

/// What exam questions about patients end with.
static EXAM: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a fixed pattern, which the tests use")]
    Regex::new(
        r"(?i)\b(?:usmle|nclex|plab|which of the following|(?:most likely|best) (?:diagnosis|next step|initial step))\b|最可能的诊断|首选的?(?:检查|治疗|处理)是|(?:以下|下列)(?:哪|选项)|单选题|病例分析题",
    )
    .expect("a right pattern")
});

fn is_printed(value: &str) -> bool {
    PRINTED.iter().any(|printed| printed.eq_ignore_ascii_case(value))
}

/// Whether a date is one of which nobody alive is, or the first day of a year that ends a decade, which forms and tests begin with.
fn is_history(value: &str) -> bool {
    let mut numbers = value.split(|char: char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let is_old = numbers.clone().any(|digits| digits.len() == 4 && digits.parse::<u32>().is_ok_and(|year| (1000..OLDEST).contains(&year)));
    let (mut round, mut others) = (false, false);
    for digits in &mut numbers {
        match digits.parse::<u32>() {
            Ok(1970 | 1980 | 1990 | 2000) => round = true,
            Ok(1) => {}
            Ok(_) | Err(_) => others = true,
        }
    }
    is_old || (round && !others && !value.chars().any(|char| char.is_ascii_alphabetic()))
}

/// What people call secrets, and what they are for. English and Chinese.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a fixed pattern, which the tests use")]
    Regex::new(
        r"(?ix) \b(?: pass(?:word|wd|phrase|code|key)?s? | pwd? | pw | pins? | secrets? | creds? | credentials? | log[\ -]?(?:in|on)s? | sign[\ -]in
        | user(?:\ ?name)? | accounts? | admin | root | ssh | vpn | wi-?fi
        | (?:code|key|token|answer|combination)\ (?:is|was|to|for)\b | (?:code|key|token)[:=] )(?:[^\p{L}-]|\p{Han}|$)
        | 密码 | 口令 | 密钥 | 秘钥 | 令牌 | 凭证 | 凭据 | 验证码 | 提取码 | 解压码 | 暗号 | 登录 | 登陆 | 账号 | 帐号 | 账户 | 用户名",
    )
    .expect("a right pattern")
});

/// How far the name may stand from the secret, in bytes.
const NEAR: usize = 120;

/// Whether what stands near `range` in `text` calls it a secret.
fn is_called_secret(text: &str, range: &Range<usize>) -> bool {
    let before = text.get(text.ceil_char_boundary(range.start.saturating_sub(NEAR))..range.start);
    let after = text.get(range.end..text.floor_char_boundary((range.end + NEAR).min(text.len())));
    [before, after].into_iter().flatten().any(|around| NAMES.is_match(around))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_called_one_and_a_name_of_software_is_not() {
        let called = |text: &str, secret: &str| {
            let start = text.find(secret).expect("there");
            is_called_secret(text, &(start..start + secret.len()))
        };
        for text in [
            "the root password is X, don't tell anyone",
            "pass: X",
            "user app_rw / X",
            "Admin login with ada@example.com / X",
            "X unlocks the backup; it is the passphrase",
            "the door code is X",
            "账号root，密码X",
            "root密码X",
            "这个X做口令够不够强？",
            "VPN开好了：chen / X",
        ] {
            assert!(called(text, "X"), "{text}");
        }
        for text in ["It runs on X and on aarch64.", "bypassing X, compass X, pinned X, spin X", "| X | yes | 1.70 |", "支持X平台"] {
            assert!(!called(text, "X"), "{text}");
        }
        let far = format!("password {} X", "word ".repeat(40));
        assert!(!called(&far, "X"));
        assert!(!is_called_secret("password1", &(0..9)), "it does not name itself");
    }

    #[test]
    fn what_manuals_print_is_no_secret_and_history_no_private_matter() {
        let of = |label: &str, text: &str, value: &str| {
            let start = text.find(value).expect("there");
            limit(&Label::parse(label).expect("label"), text, &(start..start + value.len()))
        };
        assert_eq!(of("secret.password", "密码是Admin123", "Admin123"), Some(DOUBTFUL));
        assert_eq!(of("secret.password", "密码是Admin1237", "Admin1237"), None);
        for date in ["1881年9月25日", "10 December 1815", "1990-01-01", "1990年1月1日"] {
            assert_eq!(of("personal.birth_date", date, date), Some(DOUBTFUL), "{date}");
        }
        for date in ["1991年1月1日", "1990-01-11", "1 Oct 1990", "17/04/85", "12 May 1933"] {
            assert_eq!(of("personal.birth_date", date, date), None, "{date}");
        }
        assert_eq!(of("personal.address", "春熙路附近", "春熙路"), Some(PLACE));
        for address in ["14 Harrow Lane", "春熙路３号", "长安街十二号"] {
            assert_eq!(of("personal.address", address, address), None, "{address}");
        }
        assert_eq!(of("personal.name", "Ada", "Ada"), None);
    }

    #[test]
    fn a_case_with_a_question_behind_it_is_for_students() {
        let of = |label: &str, text: &str| limit_of_passage(&Label::parse(label).expect("label"), text);
        for text in ["A 54-year-old man has chest pain. What is the most likely diagnosis?", "女，34岁，心悸。最可能的诊断是\nA. 甲亢"]
        {
            assert_eq!(of("business.medical", text), Some(DOUBTFUL), "{text}");
            assert_eq!(of("business.hr", text), None);
        }
        assert_eq!(of("business.medical", "Mrs Okafor, seen on 3 May, complains of chest pain."), None);
    }
}
