//! Names in places: shown to operators, so they must not show what is confidential.

/// `name` if it can only be an identifier, as most keys, fields and files are called; `None` if it may be content itself.
pub(super) fn readable(name: &str) -> Option<&str> {
    const LONGEST: usize = 32;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'[' | b']'));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    (!name.is_empty() && name.len() <= LONGEST && plain && digits <= 4).then_some(name)
}

/// Whether `text` is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_content_is_not_shown() {
        for name in ["content", "cv.txt", "file-1", "items[]", "X_y"] {
            assert_eq!(readable(name), Some(name));
        }
        for name in ["", "alice@example.com", "13812345678", "ghp_0123456789abcdef", "张三", "John Smith", &"x".repeat(40)] {
            assert_eq!(readable(name), None);
        }
    }
}
