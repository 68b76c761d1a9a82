//! Checks of names that people choose and of words, where no standard gives a check digit.

use super::Check;

/// The checks by the names that rules use.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("handle", handle),
    ("varied-handle", varied_handle),
    ("varied-text", varied_text),
    ("secrecy-word", secrecy_word),
    ("two-digits", two_digits),
];

/// A name for an account: letters with a digit or `_` among them, or a number; a plain word is more likely running text.
fn handle(text: &str) -> bool {
    const WORDS: [&str; 6] = ["v3", "oauth2", "base64", "utf8", "openid", "app_id"];
    let odd = text.bytes().filter(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    let distinct = text.bytes().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones();
    odd >= 1 && distinct >= 4 && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) && !text.ends_with('-')
}

/// A name for an account after its label: any word will do that is no filler.
fn varied_handle(text: &str) -> bool {
    const FILLERS: [&str; 5] = ["xxxxxx", "unknown", "string", "wechat", "weixin"];
    let distinct = text.bytes().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones();
    distinct >= 4 && !FILLERS.iter().any(|word| word.eq_ignore_ascii_case(text)) && !text.ends_with('-')
}

/// Upper case, lower case and digits mixed, as in a random key.
fn varied_text(text: &str) -> bool {
    let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
    let distinct = text.bytes().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones();
    count(u8::is_ascii_uppercase) >= 4 && count(u8::is_ascii_lowercase) >= 4 && count(u8::is_ascii_digit) >= 3 && distinct >= 14
}

/// A bracketed mark says that something is kept secret or inside.
fn secrecy_word(text: &str) -> bool {
    const MARKS: [&str; 12] =
        ["绝密", "机密", "秘密", "保密", "内部资料", "内部文件", "内部材料", "内部使用", "内部传阅", "内部公开", "内部参考", "商密"];
    MARKS.iter().any(|mark| text.contains(mark)) || text.contains("外传")
}

/// At least two digits: a number, not a word.
fn two_digits(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_hold_something_odd() {
        assert!(handle("zhaoh34cz7ttt") && handle("wx_veh7e9e9d") && handle("1842887108"));
        assert!(!handle("android") && !handle("oauth2") && !handle("11111111") && !handle("mini-program"));
    }

    #[test]
    fn marks_and_keys() {
        assert!(secrecy_word("【内部资料】") && !secrecy_word("【公司】"));
        assert!(varied_text("7Xk3mQ9vRt2pLw8sYb4nHc6dFz1aJe5gUo3iKx9wTq2M") && !varied_text("documentation"));
        assert!(two_digits("QX-24") && !two_digits("two"));
    }
}
