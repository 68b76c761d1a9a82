//! Checks for credentials: checksums and embedded headers where the issuer put them, and for the rest the question
//! whether a value is real or a stand-in.

use super::Check;
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

/// The checks of this module by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("basic-credentials", basic_credentials),
    ("embedded-pem", embedded_pem),
    ("github-checksum", github_checksum),
    ("jwt", jwt),
    ("jwt-in-base64", jwt_in_base64),
    ("otp-seed", otp_seed),
    ("password", password),
    ("pem", pem),
    ("pypi-macaroon", pypi_macaroon),
    ("real-token", real_token),
    ("strong-token", strong_token),
    ("url-password", url_password),
];

/// A GitHub or npm token whose last six characters are the CRC-32 of the random part, in base 62.
///
/// Source: GitHub blog, "Behind GitHub's new authentication token formats" (2021-04-05); npm took over the format (2021-09-23).
fn github_checksum(text: &str) -> bool {
    let Some((_, body)) = text.split_once('_') else { return false };
    let Some(split) = body.len().checked_sub(6) else { return false };
    let (Some(random), Some(sum)) = (body.get(..split), body.get(split..)) else { return false };
    let mut expected = crc32(random.as_bytes());
    let mut fits = split > 0;
    for byte in sum.bytes().rev() {
        fits &= base62_digit(byte) == Some(expected % 62);
        expected /= 62;
    }
    fits && expected == 0
}

/// CRC-32 as of IEEE 802.3, reflected, bit by bit: tokens are short and rare.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

fn base62_digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(u32::from(digit))
}

/// A JSON Web Token: the first part decodes to a JSON object that names an algorithm, the second is base64url.
///
/// Source: RFC 7519, RFC 7515 section 4.1.1, RFC 7516 for the five-part encrypted form.
fn jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let header = parts.next().and_then(json_object);
    let payload = parts.next().is_some_and(|part| part.len() > 1);
    payload && header.is_some_and(|header| header.get("alg").is_some_and(Value::is_string))
}

/// A JSON Web Token that is base64 once more, as Kubernetes secrets hold it.
fn jwt_in_base64(text: &str) -> bool {
    decode(text).and_then(|inner| String::from_utf8(inner).ok()).is_some_and(|inner| jwt(inner.trim()))
}

fn json_object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&decode(part)?) {
        Ok(Value::Object(object)) => Some(object),
        Ok(_) | Err(_) => None,
    }
}

/// Base64 in either alphabet, padded or not; a cut-off tail is left out.
fn decode(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    let text = text.trim_end_matches('=');
    let text = if text.len() % 4 == 1 { text.get(..text.len() - 1)? } else { text };
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// `Basic` credentials: base64 of `user:password`, both printable, the password not a stand-in (RFC 7617).
fn basic_credentials(text: &str) -> bool {
    let Some(plain) = decode(text).and_then(|plain| String::from_utf8(plain).ok()) else { return false };
    let printable = plain.chars().all(|c| !c.is_control());
    let Some((user, secret)) = plain.split_once(':') else { return false };
    printable
        && (user.len() + secret.len() >= 6)
        && !is_stand_in(secret)
        && !(user.eq_ignore_ascii_case("user") && is_password_word(secret))
}

/// A private key block with a key in it: DER, OpenSSH, OpenPGP or PuTTY material of plausible length, not `...` or `xxx`.
///
/// Source: RFC 7468, RFC 1421 (encrypted headers), OpenSSH PROTOCOL.key, RFC 9580 section 6.2.
fn pem(text: &str) -> bool {
    let Some((label, rest)) = text.split_once("PRIVATE KEY") else { return false };
    let body = rest.split("-----END").next().unwrap_or(rest);
    let body = body.trim_start_matches(" BLOCK").trim_start_matches('-');
    // Line breaks come real or as `\n`; lines with a colon are headers.
    let body = body.replace("\\r", "").replace("\\n", "\n");
    let encrypted = body.contains("ENCRYPTED");
    let material: String = body
        .lines()
        .filter(|line| !line.contains(':') || line.trim_start().starts_with("# "))
        .flat_map(str::chars)
        .filter(|&c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
        .collect();
    let starts_right = if label.contains("OPENSSH") {
        material.starts_with("b3BlbnNzaC1rZXktdjE")
    } else if label.contains("PGP") || encrypted {
        true
    } else {
        material.starts_with('M') // DER: a SEQUENCE, 0x30
    };
    material.len() >= 40 && starts_right && !is_masked(&material)
}

/// A private key block that is base64 once more, as kubeconfig and CI variables hold it.
fn embedded_pem(text: &str) -> bool {
    let head = text.get(..text.len().min(80)).unwrap_or(text);
    decode(head).is_some_and(|plain| {
        let plain = String::from_utf8_lossy(&plain);
        plain.starts_with("-----BEGIN ") && plain.contains("PRIVATE KEY")
    })
}

/// A PyPI token: a version 2 macaroon whose location is `pypi.org` or `test.pypi.org`, long enough for a signature.
///
/// Source: PyPI help, "API tokens"; warehouse `macaroons`; libmacaroons format version 2.
fn pypi_macaroon(text: &str) -> bool {
    let Some(token) = text.strip_prefix("pypi-") else { return false };
    let Some(head) = token.get(..28).and_then(decode) else { return false };
    let at_pypi = head.starts_with(b"\x02\x01\x08pypi.org") || head.starts_with(b"\x02\x01\x0dtest.pypi.org");
    at_pypi && token.len() >= 82 && !is_masked(token)
}

/// A TOTP seed: base32 of at least 80 bits that is not the one of the documentation (RFC 6238; Key URI format).
fn otp_seed(text: &str) -> bool {
    text.len() >= 16 && !text.to_ascii_uppercase().starts_with("JBSWY3DPEHPK3PXP") && !is_masked(text)
}

/// A token of a fixed shape that somebody could have been issued: neither masked (`xxxx`, `****`) nor a stand-in.
fn real_token(text: &str) -> bool {
    !is_masked(text) && !names_a_stand_in(text)
}

/// A token as generators make them: real, and of more than one kind of character, spread over its length.
fn strong_token(text: &str) -> bool {
    let kinds = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase]
        .iter()
        .filter(|&is_kind| text.bytes().any(|byte| is_kind(&byte)))
        .count();
    kinds >= 2 && text.bytes().any(|byte| byte.is_ascii_digit()) && distinct(text) * 4 >= text.len().min(48) && real_token(text)
}

fn distinct(text: &str) -> usize {
    let seen = text.bytes().fold(0_u128, |seen, byte| seen | 1_u128.checked_shl(u32::from(byte)).unwrap_or(0));
    seen.count_ones() as usize
}

/// Whether most of the text is one character repeated, or a run of one that chance does not make.
fn is_masked(text: &str) -> bool {
    let mut longest = 0;
    let mut run = 0;
    let mut last = 0;
    for byte in text.bytes().map(|byte| byte.to_ascii_lowercase()) {
        run = if byte == last { run + 1 } else { 1 };
        last = byte;
        // Base64 of zero bytes is a run of A; real tokens hold some.
        if byte != b'a' || text.len() < 64 {
            longest = longest.max(run);
        }
    }
    longest >= 7 || longest * 3 > text.len().max(9)
}

/// Whether the text says that it stands for something else.
fn names_a_stand_in(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "example",
        "placeholder",
        "redacted",
        "changeme",
        "change_me",
        "change-me",
        "replace",
        "insert",
        "dummy",
        "your_",
        "your-",
        "yourapi",
        "token_here",
        "key_here",
        "_here",
        "todo",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Whether a value is written to be replaced, or is code that yields the value: `${VAR}`, `<your key>`, `%s`, `****`, `changeme`.
fn is_stand_in(value: &str) -> bool {
    let value = value.trim();
    let templated = ["${", "$(", "{{", "<%", "%(", "#{", "%{", "@@", "...", "***", "•••", "●●"].iter().any(|mark| value.contains(mark))
        || value.starts_with(['$', '<', '%', '{', '[', '@'])
            && value.get(1..).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-. ()[]{}<>:%".contains(&b)))
        || value.ends_with('>') && value.contains('<');
    templated || is_masked(value) && value.len() < 64 || names_a_stand_in(value) || is_code(value)
}

/// Calls and member paths: `get_password()`, `os.environ`, `self.secret`, `->`.
fn is_code(value: &str) -> bool {
    let path = |separator: &str| {
        value.contains(separator) && value.split(separator).all(|part| part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
    };
    value.contains("()") || value.contains("->") || value.contains("::") || value.ends_with('(') || path(".") || path("[")
}

/// Words that documentation writes where a password goes.
fn is_password_word(value: &str) -> bool {
    const WORDS: [&str; 33] = [
        "pass",
        "password",
        "passwd",
        "pwd",
        "passw0rd",
        "secret",
        "token",
        "changeme",
        "test",
        "testing",
        "test123",
        "admin",
        "root",
        "user",
        "username",
        "guest",
        "default",
        "none",
        "null",
        "true",
        "false",
        "string",
        "mypassword",
        "mypass",
        "mysecret",
        "secretpassword",
        "secretkey",
        "postgres",
        "mysql",
        "foo",
        "bar",
        "abc",
        "abc123",
    ];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// The password in a URL: anything but a template, a mask, or the word that documentation puts there.
fn url_password(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let named =
        lower.starts_with("your") || lower.contains("password") && text.bytes().all(|b| b.is_ascii_alphabetic() || b"_-".contains(&b));
    text.len() >= 3 && !named && !is_stand_in(text) && !is_password_word(text)
}

/// A password that a person or a generator chose: letters with digits or signs, or a long number; no word, code, path, date or format.
fn password(text: &str) -> bool {
    let value = text.trim();
    if !value.is_ascii() || value.len() < 6 || is_stand_in(value) || is_password_word(value) {
        return false;
    }
    let count = |is_kind: fn(&u8) -> bool| value.bytes().filter(|byte| is_kind(byte)).count();
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
        && !(holds_the_word && signs == 0)
        && !is_format(&lower)
        && !is_path(value)
        && !is_uuid(value)
        && !is_numbered_name(value)
}

/// `123456`, `87654321`, `111111`.
fn is_sequential(digits: &str) -> bool {
    let steps = || digits.bytes().zip(digits.bytes().skip(1)).map(|(a, b)| i16::from(b) - i16::from(a));
    steps().all(|step| step == 1) || steps().all(|step| step == -1) || steps().all(|step| step == 0)
}

/// Names of encodings, hashes and types that carry digits, and format strings.
fn is_format(lower: &str) -> bool {
    const FORMATS: [&str; 14] = [
        "sha1", "sha256", "sha512", "sha-256", "md5", "utf8", "utf-8", "base64", "bcrypt", "pbkdf2", "oauth2", "argon2", "int32", "varchar",
    ];
    FORMATS.iter().any(|format| lower.starts_with(format))
        || lower.contains("%s")
        || lower.contains("%d")
        || lower.contains("{0}")
        || lower.starts_with("0x")
}

/// URLs, file names and folders.
fn is_path(value: &str) -> bool {
    let separators = value.bytes().filter(|&byte| matches!(byte, b'/' | b'\\')).count();
    value.contains("://") || value.starts_with(['/', '.', '~', '\\']) || separators >= 2
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
    fn github_tokens_carry_their_crc() {
        let token = "ghp_0123456789ABCDEFGHIJabcdefghij";
        let mut sum = crc32(&token.as_bytes()[4..]);
        let mut digits = Vec::new();
        for _ in 0..6 {
            digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(sum % 62) as usize]);
            sum /= 62;
        }
        digits.reverse();
        let token = format!("{token}{}", String::from_utf8(digits).expect("ascii"));
        assert!(github_checksum(&token));
        assert!(!github_checksum(&token.replace('5', "6")));
        assert!(!github_checksum("ghp_short"));
    }

    #[test]
    fn the_crc_is_the_one_of_ieee() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_jwt_is_known_by_its_decoded_header() {
        // {"alg":"HS256","typ":"JWT"}
        assert!(jwt("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2ln"));
        assert!(!jwt("eyJAAAA.eyJBBB"));
        assert!(!jwt("eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiIxIn0.c2ln"));
    }

    #[test]
    fn an_empty_pem_block_is_no_key() {
        let block = |label: &str, body: &str| format!("-----BEGIN {label}PRIVATE KEY-----\n{body}\n-----END {label}PRIVATE KEY-----");
        assert!(pem(&block("", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg")));
        assert!(pem(&block(
            "RSA ",
            "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nq83vq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
        )));
        for body in ["...", "xxx", "anything", "***", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=", &"x".repeat(64)] {
            assert!(!pem(&block("", body)), "{body}");
        }
    }

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
    fn url_passwords_leave_documentation_alone() {
        assert!(url_password("s3cr3tP4ss") && url_password("p@ss"));
        for other in ["password", "pass", "<password>", "${PASS}", "{{pass}}", "****", "yourpassword", "my_password"] {
            assert!(!url_password(other), "{other}");
        }
    }

    #[test]
    fn masks_and_stand_ins_are_no_tokens() {
        assert!(real_token("glpat-Zk3fW9qLx7vB2nTcR5mY"));
        for other in ["glpat-xxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "sk-your-api-key-goes-here", "hf_00000000000000000000"] {
            assert!(!real_token(other), "{other}");
        }
        assert!(strong_token("k27xxgljt6je59crma10") && !strong_token("accessibilityyesoption"));
    }
}
