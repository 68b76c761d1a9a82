//! Keys and names of keys as hexadecimal digits, as people copy them.

/// The digits of `bytes`.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that `text` writes, whatever blanks stand around it; `None` if it is anything but pairs of digits.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.trim().chars().map(|char| char.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high << 4 | low).ok(),
        _odd => None,
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&digits(&all)), Some(all));
        assert_eq!(bytes(" Aa0f\n"), Some(vec![0xAA, 0x0F]));
        assert_eq!(bytes(""), Some(Vec::new()));
        for bad in ["a", "abc", "gg", "0 0", "+1", "1：", "é0"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
