//! Whether a text says that something in it is a secret.
//!
//! The model knows a password by the words around it and by its looks, and the looks of `wasm32-wasip1` or `Utf16CharsEx` are enough for it now
//! and then. Nobody tells a password without calling it one, so a secret that is not called anything is believed little.

use regex::Regex;
use std::{ops::Range, sync::LazyLock};

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
pub(super) fn is_called_secret(text: &str, range: &Range<usize>) -> bool {
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
}
