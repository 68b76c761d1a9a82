//! Secrets that are only the place for one, and those that somebody made up.

use super::{Seen, before_value};
use crate::{
    detect::{
        check,
        phrases::Phrases,
        random::random,
        rule::{Form, Rule},
    },
    finding::Evidence,
};
use std::sync::LazyLock;

/// Whether it is a plain word or number in front of a host that nobody can own: `https://abc:xyz@example.com` (RFC 2606), or the token of a
/// picture on a page.
pub(super) fn is_of_documentation(seen: &Seen<'_>) -> bool {
    let after = seen.text.get(seen.range.end..).unwrap_or_default();
    let host =
        after.strip_prefix('@').map(|after| after.split(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '-'))).next());
    let reserved = host.flatten().is_some_and(|host| {
        ["example.com", "example.org", "example.net"]
            .iter()
            .any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    });
    let plain =
        || seen.value.len() < 8 && (seen.value.bytes().all(|b| b.is_ascii_lowercase()) || seen.value.bytes().all(|b| b.is_ascii_digit()));
    (reserved && plain()) || before_value(seen).ends_with("badge.svg?token")
}

/// Parts of values that say that they are none.
const PLACEHOLDERS: &str = "changeme change_me change-me change_this change-this replace_me replaceme replace_with replace-with your_ your- \
     yourpassword yourkey yourtoken yoursecret youraccess yourapi xxxx **** .... example placeholder redacted dummy insert_ \
     insert- _here -here goes_here process.env os.environ getenv undefined todo fixme sample not-a-real not_a_real notreal \
     lorem [your <your fakekey faketoken fake_ fake-";
static ANY_PLACEHOLDER: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(PLACEHOLDERS));

/// Fillers: a value that is mostly one of them is none; in a longer one it may be chance, or a bad choice.
const FILLERS: [&str; 6] = ["1234567890", "0123456789", "abcdefghij", "deadbeef", "foobar", "abcdef"];
static ANY_FILLER: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&FILLERS.join(" ")));

/// Whether a secret is only the place for one: it says so, or it is masked.
pub(super) fn is_placeholder(value: &str) -> bool {
    let bytes = value.as_bytes();
    if is_blotted(bytes) {
        return true;
    }
    let inside = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
    let bracketed = matches!(bytes, [b'<', .., b'>'] | [b'[', .., b']'] | [b'%', .., b'%'])
        || matches!(bytes, [b'{', .., b'}'] if !random(inside))
        || matches!(bytes, [b'$', name @ ..] if name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'));
    // In a long value a short word may stand by chance, or by a bad choice.
    let says = |lower: &str, part: &str| match bytes.len() {
        0..=60 => lower.contains(part),
        61..=LONG => part.len() > 5 && lower.contains(part),
        _ => lower.matches(part).count() * part.len() * 8 > bytes.len(),
    };
    (bytes.len() <= LONG && (bracketed || check::is_template(value)))
        || value.ends_with("...")
        || (ANY_PLACEHOLDER.stand_in(value) && {
            let lower = value.to_ascii_lowercase();
            PLACEHOLDERS.split(' ').any(|part| says(&lower, part))
        })
}

/// Whether a value is mostly blotted out: `xxxx`, `****`, zeros, or the As that zero bytes are in base64.
fn is_blotted(bytes: &[u8]) -> bool {
    /// What people blot out with.
    const MASKS: &[u8] = b"x*.0-_#?";
    /// So many As in a row stand for nothing.
    const ZEROS: usize = 28;
    let (mut run, mut masks, mut zeros) = (0, 0, 0);
    for same in bytes.chunk_by(u8::eq_ignore_ascii_case) {
        match same.first().map(u8::to_ascii_lowercase) {
            Some(b'a') => zeros = same.len().max(zeros),
            Some(byte) if MASKS.contains(&byte) => (run, masks) = (same.len().max(run), masks + same.len()),
            _ => {}
        }
    }
    (run >= 5 && run * 3 >= bytes.len()) || (run >= 4 && masks * 3 >= bytes.len() * 2) || zeros >= ZEROS
}

/// Whether a secret is made of fillers: one letter repeated, counted letters or digits.
pub(super) fn is_made_up(value: &str) -> bool {
    if value.len() > LONG {
        return false;
    }
    let bytes = value.as_bytes();
    let longest_run = bytes.chunk_by(u8::eq_ignore_ascii_case).map(<[u8]>::len).max().unwrap_or(0);
    let follows = |a: u8, b: u8| a.is_ascii_alphanumeric() && b.to_ascii_lowercase() == a.to_ascii_lowercase() + 1;
    let rising = bytes.windows(2).filter(|pair| matches!(pair, [a, b] if follows(*a, *b))).count();
    let filled = || {
        let lower = value.to_ascii_lowercase();
        FILLERS.iter().any(|filler| lower.matches(filler).count() * filler.len() * 2 > bytes.len())
    };
    (ANY_FILLER.stand_in(value) && filled())
        || (longest_run >= 5 && longest_run * 3 >= bytes.len())
        || (bytes.len() >= 8 && rising * 10 >= bytes.len() * 6)
}

/// Whether a value is made of fillers and yet has the issuer's own prefix and length: somebody may have been given it, but hardly.
/// Where only the words around it tell whose it is, one letter repeated is a stand-in.
pub(in crate::detect) fn is_weak(rule: &Rule, value: &str) -> bool {
    let masked = || check::is_masked(value);
    let filler = || if rule.evidence == Evidence::Context { is_made_up(value) && !masked() } else { is_made_up(value) || masked() };
    rule.form == Form::Exact && filler() && !is_placeholder(value)
}

/// Longer values are no placeholders.
const LONG: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_for_secrets_are_no_secrets() {
        for text in [
            "changeme",
            "<your key>",
            "${TOKEN}",
            "xxxxxxxxxxxx",
            "AKIAXXXXXXXXXXXXXXXX",
            "abcdefghijklmnop",
            "process.env.KEY",
            "ghp_000000000000000000000000000000000000",
        ] {
            assert!(is_placeholder(text) || is_made_up(text), "{text}");
        }
        for text in ["Vx9$kq2!mZ", "ghp_a8Xk2Lq09vTz7RmWc5YbN3sDf1GhJk4PqE6u", "correct horse battery"] {
            assert!(!is_placeholder(text) && !is_made_up(text), "{text}");
        }
        for text in ["00000000-0000-0000-0000-000000000000", "AIzaSyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &"EXAMPLE".repeat(60), "sk-..."] {
            assert!(is_placeholder(text), "{text}");
        }
        assert!(!is_placeholder("sk_live_AAAAAAAAAAAAAAAAAAAAAAAA") && is_made_up("sk_live_AAAAAAAAAAAAAAAAAAAAAAAA"));
    }
}
