//! Checks for credentials: checksums and embedded headers where the issuer put them, and the looks of tokens that have
//! neither.

use super::{
    Check,
    passwords::{is_masked, is_password_word, is_stand_in, names_a_stand_in},
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

/// The checks of this module by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("basic-credentials", basic_credentials),
    ("bearer-tail", bearer_tail),
    ("discord-token", discord_token),
    ("embedded-pem", embedded_pem),
    ("github-checksum", github_checksum),
    ("grafana-checksum", grafana_checksum),
    ("hugging-face-token", hugging_face_token),
    ("jwt", jwt),
    ("jwt-in-base64", jwt_in_base64),
    ("mixed-token", mixed_token),
    ("otp-seed", otp_seed),
    ("pem", pem),
    ("pypi-macaroon", pypi_macaroon),
    ("real-token", real_token),
    ("strong-token", strong_token),
    ("varied-token", varied_token),
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

/// A Grafana token whose last eight digits are the CRC-32 of all before them, least significant byte first.
///
/// Source: `pkg/components/satokengen/tokengen.go` of Grafana.
fn grafana_checksum(text: &str) -> bool {
    let Some((body, sum)) = text.rsplit_once('_') else { return false };
    u32::from_str_radix(sum, 16).is_ok_and(|sum| sum.swap_bytes() == crc32(body.as_bytes()))
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
    let Some(plain) = decode(text) else { return false };
    let plain = String::from_utf8_lossy(&plain);
    // One odd byte is somebody's charset; more are no text. Braces: a token's JSON header.
    let readable =
        plain.chars().all(|c| !c.is_control()) && plain.matches(char::REPLACEMENT_CHARACTER).count() <= 2 && !plain.starts_with('{');
    let Some((user, secret)) = plain.split_once(':') else { return false };
    let documentation = user.eq_ignore_ascii_case("user") && is_password_word(secret);
    readable && user.len() + secret.len() >= 6 && !is_stand_in(secret) && !documentation
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
    at_pypi && token.len() >= 100 && !is_masked(token)
}

/// A TOTP seed: base32 of at least 80 bits that is not the one of the documentation (RFC 6238; Key URI format).
fn otp_seed(text: &str) -> bool {
    text.len() >= 16 && !text.to_ascii_uppercase().starts_with("JBSWY3DPEHPK3PXP") && !is_masked(text)
}

/// A Discord bot token: its first part is the bot's id, decimal digits in base64 (Discord developer documentation, "Authentication").
fn discord_token(text: &str) -> bool {
    let first = text.split('.').next().unwrap_or_default();
    let is_id = decode(first).is_some_and(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit));
    is_id || mixed_token(first) && text.rsplit('.').next().is_some_and(strong_token)
}

/// A Hugging Face token: 34 letters whose case changes as chance has it, not as in `camelCase`.
fn hugging_face_token(text: &str) -> bool {
    let body = text.strip_prefix("hf_").or_else(|| text.strip_prefix("api_org_")).unwrap_or(text);
    let upper = |byte: u8| byte.is_ascii_uppercase();
    let changes = body.bytes().zip(body.bytes().skip(1)).filter(|&(a, b)| upper(a) != upper(b)).count();
    changes >= 9 && body.bytes().all(|byte| byte.is_ascii_alphabetic()) && distinct(body) >= 12
}

/// A token that begins with a run of `A` (zero bytes in base64) and goes on like any other.
fn bearer_tail(text: &str) -> bool {
    strong_token(text.trim_start_matches('A').trim_start_matches('%'))
        || text.split("AAAAAAAAAA").any(|part| part.len() >= 30 && strong_token(part))
}

/// A short token of both cases and digits; words and numbers have no such mix.
fn mixed_token(text: &str) -> bool {
    let has = |is_kind: fn(&u8) -> bool| text.bytes().any(|byte| is_kind(&byte));
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && real_token(text)
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
    kinds >= 2 && text.bytes().any(|byte| byte.is_ascii_digit()) && distinct(text) * 3 >= text.len().min(30) && real_token(text)
}

/// A strong token, or a number too long and too varied to count anything.
fn varied_token(text: &str) -> bool {
    let number = text.len() >= 30 && text.bytes().all(|byte| byte.is_ascii_digit()) && distinct(text) >= 8 && real_token(text);
    strong_token(text) || number
}

pub(super) fn distinct(text: &str) -> usize {
    let seen = text.bytes().fold(0_u128, |seen, byte| seen | 1_u128.checked_shl(u32::from(byte)).unwrap_or(0));
    seen.count_ones() as usize
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
    fn grafana_tokens_carry_their_crc_little_end_first() {
        let body = "glsa_0123456789ABCDEFGHIJabcdefghijKL";
        let token = format!("{body}_{:08x}", crc32(body.as_bytes()).swap_bytes());
        assert!(grafana_checksum(&token));
        assert!(!grafana_checksum(&token.replace('5', "6")));
        assert!(!grafana_checksum(&format!("{body}_{:08x}", crc32(body.as_bytes()))));
        assert!(!grafana_checksum("glsa_short"));
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
    fn masks_and_stand_ins_are_no_tokens() {
        assert!(real_token("glpat-Zk3fW9qLx7vB2nTcR5mY"));
        for other in ["glpat-xxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "sk-your-api-key-goes-here", "hf_00000000000000000000"] {
            assert!(!real_token(other), "{other}");
        }
        assert!(strong_token("k27xxgljt6je59crma10") && !strong_token("accessibilityyesoption"));
    }
}
