//! Numbers that nobody goes by: parts of hashes, tables and fractions, times, orders.

use super::{Reason, Seen, Token, before_value};
use crate::{
    detect::{check, rule::Rule},
    finding::Evidence,
};
use std::{collections::HashMap, ops::Range, sync::LazyLock};

/// Why a number is none that a person or a company goes by. A word that says what it is outweighs its looks.
pub(super) fn number_reason(seen: &Seen<'_>, around: Token<'_>) -> Option<Reason> {
    if is_in_uuid(around) {
        return Some(Reason::Uuid);
    }
    let joined = |byte: &u8| byte.is_ascii_hexdigit();
    let before = around.before().iter().rev().take_while(|byte| joined(byte)).count();
    let after = around.after().iter().take_while(|byte| joined(byte)).count();
    let hex = around.text.get(around.start - before..around.end + after).unwrap_or_default();
    if before + after > 0 && hex.len() >= 32 && hex.iter().all(joined) {
        return Some(Reason::Hash);
    }
    // What stands right before a number names it, whatever is said farther off.
    if seen.rule.evidence != Evidence::Context && is_about_people(seen.rule) && is_order(before_value(seen)) {
        return Some(Reason::OrderNumber);
    }
    if is_grouped_otherwise(seen) {
        return Some(Reason::Grouping);
    }
    if is_in_base64(around) {
        return Some(Reason::Encoded);
    }
    if seen.context || seen.rule.evidence == Evidence::Context {
        return None;
    }
    if is_in_series(seen) || (seen.rule.label.is_under("finance.card") && is_in_table(seen)) {
        return Some(Reason::Table);
    }
    // A rule with keywords has a telling word in its match.
    if seen.rule.keywords.is_empty() {
        if is_timestamp(seen.value) {
            return Some(Reason::Timestamp);
        }
        let behind_v = matches!(around.before(), [.., b'v' | b'V']) || around.before().ends_with(b"version/");
        if behind_v && seen.value.contains('.') {
            return Some(Reason::Version);
        }
    }
    if !is_about_people(seen.rule) {
        return None;
    }
    let link = around.before().windows(3).any(|window| window == b"://");
    let piece = around.before().ends_with(b"/") && matches!(around.after().first(), None | Some(b'/' | b'?' | b'#' | b'.'));
    (link || piece).then_some(Reason::UrlPath)
}

/// Whether a rule finds numbers that people and companies go by.
fn is_about_people(rule: &Rule) -> bool {
    ["id", "org", "finance", "personal.phone", "personal.plate"].iter().any(|prefix| rule.label.is_under(prefix))
}

/// Words for the number of an order, a parcel or an article, by their last letters.
static ORDERS: LazyLock<HashMap<char, Vec<&str>>> = LazyLock::new(|| {
    const ENGLISH: &str = "order|order no|order nr|order number|order id|orderid|orderno|order num|tracking|tracking no|tracking number|\
        tracking id|trackingnumber|waybill|waybill no|shipment|shipment id|parcel|parcel id|sku|barcode|ean|upc|isbn|issn|asin|product id|\
        item id|item no|item number|article no|batch no|lot no|serial no|serial number|commit|build|revision|job id|trace id|request id";
    const CHINESE: &str = "订单|订单号|订单编号|订单号码|订单id|运单号|运单编号|快递单号|快递号|物流单号|物流号|单号|流水号|条形码|条码|货号|\
        商品编号|商品编码|商品id|批号|批次号|工单号|序列号|取件码|提货码|券码|會员单号|訂單編號|訂單號|運單號|單號";
    let mut words: HashMap<char, Vec<&str>> = HashMap::new();
    for word in ENGLISH.split('|').chain(CHINESE.split('|')) {
        words.entry(word.chars().next_back().unwrap_or_default()).or_default().push(word);
    }
    words
});

/// Whether the words before a number say that it is an order's, a parcel's or an article's.
fn is_order(before: &str) -> bool {
    let lower = before.to_lowercase().replace(['_', '-'], " ");
    let is_word = |word: &&str| {
        lower.strip_suffix(*word).is_some_and(|rest| !word.is_ascii() || !rest.ends_with(|char: char| char.is_ascii_alphanumeric()))
    };
    lower.chars().next_back().and_then(|last| ORDERS.get(&last)).is_some_and(|words| words.iter().any(is_word))
}

/// Whether the digits are grouped as nobody groups such a number: 1-345-678-9012 is none of China's, 2.718281828 a fraction, 1.3.6.1.4.1 an
/// object identifier, and what has commas a list.
fn is_grouped_otherwise(seen: &Seen<'_>) -> bool {
    let written = seen.text.get(seen.range.clone()).unwrap_or_default();
    let groups: Vec<usize> = written.split(|char: char| !char.is_ascii_digit()).filter(|group| !group.is_empty()).map(str::len).collect();
    let put_together = written != seen.value;
    let phone = seen.rule.label.is_under("personal.phone");
    if put_together && (written.contains(',') || (phone && groups == [1, 3, 3, 4])) {
        return true;
    }
    let even = || match groups.as_slice() {
        [_first, middle @ .., _last] => middle.windows(2).all(|pair| matches!(pair, [a, b] if a == b)),
        _ => true,
    };
    let dotted = written.contains('.') && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b' '));
    let dialled = phone && written.starts_with(['+', '0']);
    dotted
        && !dialled
        && match groups.as_slice() {
            [whole, fraction] => !phone && *whole <= 3 && *fraction >= 6,
            [] | [_] | [_, _, _] => false,
            _more => !even(),
        }
}

/// Whether the match stands inside of a long run of base64, whose signs cut words out of it.
fn is_in_base64(around: Token<'_>) -> bool {
    /// Paths and names are shorter.
    const LONG: usize = 40;
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'/');
    let before = around.before().iter().rev().take_while(in_run);
    let after = around.after().iter().take_while(in_run);
    let (small, large) = before.clone().chain(after.clone()).fold((0, 0), |(small, large), byte| {
        (small + usize::from(byte.is_ascii_lowercase()), large + usize::from(byte.is_ascii_uppercase()))
    });
    before.count() + after.count() >= LONG && small >= 8 && large >= 8
}

/// Whether the number is some of a longer series of groups: four of `52BB 5352 5354 5353 5351 5366`, or a part of `[.4300.0020.0011.0002]`.
fn is_in_series(seen: &Seen<'_>) -> bool {
    let written = seen.text.get(seen.range.clone()).unwrap_or_default();
    let groups = || written.split([' ', '.']).map(str::len);
    let Some(len) = groups().next().filter(|len| groups().count() >= 3 && *len >= 4) else { return false };
    let before = seen.text.get(..seen.range.start).unwrap_or_default();
    let after = seen.text.get(seen.range.end..).unwrap_or_default();
    let is_group = |group: &str| group.len() == len && group.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_lowercase());
    let last = before.strip_suffix(' ').and_then(|before| before.rsplit(' ').next());
    let next = after.strip_prefix(' ').and_then(|after| after.split(|char: char| !char.is_ascii_alphanumeric()).next());
    let dotted = written.contains('.')
        && (before.ends_with('.') || after.strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit())));
    dotted || last.is_some_and(is_group) || next.is_some_and(is_group)
}

/// Whether a number right before or after it is as long and no card's: then all are some table's.
fn is_in_table(seen: &Seen<'_>) -> bool {
    let between = |char: char| char.is_ascii_whitespace() || matches!(char, ',' | ';' | '(' | ')' | '{' | '}' | '[' | ']');
    let is_other = |digits: &str| (13..=20).contains(&digits.len()) && !check::named("luhn").is_some_and(|luhn| luhn(digits));
    let before = seen.text.get(..seen.range.start).unwrap_or_default().trim_end_matches(between);
    let after = seen.text.get(seen.range.end..).unwrap_or_default().trim_start_matches(between);
    let last = before.len() - before.bytes().rev().take(21).take_while(u8::is_ascii_digit).count();
    let first = after.bytes().take(21).take_while(u8::is_ascii_digit).count();
    is_other(before.get(last..).unwrap_or_default()) || is_other(after.get(..first).unwrap_or_default())
}

/// Whether the match is a part of, or reaches into, 8-4-4-4-12 hexadecimal digits (RFC 9562).
fn is_in_uuid(token: Token<'_>) -> bool {
    const LEN: usize = 36;
    let from = token.start.saturating_sub(LEN - 1);
    let near = token.text.get(from..(token.end + LEN).min(token.text.len())).unwrap_or_default();
    near.windows(LEN).enumerate().any(|(at, window)| {
        let touches = from + at < token.end && token.start < from + at + LEN;
        let whole = token.start <= from + at && from + at + LEN <= token.end;
        let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        touches && !whole && window.iter().enumerate().all(|(at, byte)| if dash(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    })
}

/// Seconds or milliseconds since 1970, or year to second, of our times.
fn is_timestamp(value: &str) -> bool {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let number = |range: Range<usize>| value.get(range).and_then(|digits| digits.parse::<u64>().ok());
    let within = |range: Range<usize>, low: u64, high: u64| number(range).is_some_and(|value| (low..=high).contains(&value));
    match value.len() {
        10 | 13 | 16 => within(0..10, 1_200_000_000, 2_100_000_000),
        14 | 17 => {
            let date = within(0..4, 1990, 2050) && within(4..6, 1, 12) && within(6..8, 1, 31);
            date && within(8..10, 0, 23) && within(10..12, 0, 59) && within(12..14, 0, 59)
        }
        _ => false,
    }
}

/// Whether the digits are one repeated, a short pattern repeated, or counted up or down; a check digit at the end may differ.
pub(super) fn is_sequence(value: &str) -> bool {
    let mut digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
    if digits.len() >= 9 {
        digits.pop();
    }
    let pairs = digits.len().saturating_sub(1).max(1);
    let mostly = |count: usize| count * 10 >= pairs * 9;
    let steps = |step: u8| digits.windows(2).filter(|pair| matches!(pair, [a, b] if (*b + 10 - *a) % 10 == step)).count();
    let periodic = (1..=3).any(|period| digits.iter().zip(digits.iter().skip(period)).all(|(a, b)| a == b));
    let uniform = || {
        let groups = value.split(|char: char| !char.is_ascii_digit()).filter(|group| !group.is_empty());
        groups.clone().count() >= 3
            && groups.into_iter().all(|group| group.len() > 1 && group.bytes().all(|byte| group.as_bytes().first() == Some(&byte)))
    };
    mostly(steps(0)) || mostly(steps(1)) || mostly(steps(9)) || periodic || uniform()
}

#[cfg(test)]
mod tests {
    use super::{super::token, *};

    #[test]
    fn repeated_and_counted_digits_are_sequences() {
        for text in [
            "11111111111",
            "1234567890",
            "9876543210",
            "123123123123",
            "4444 4444 4444 4448",
            "0000-0000-0001",
            "12345678901",
            "111-22-3333",
        ] {
            assert!(is_sequence(text), "{text}");
        }
        for text in ["13800138000", "4111111144441111", "11010119900307213", "GB29 NWBK 6016 1331 9268 19", "123-45-6719"] {
            assert!(!is_sequence(text), "{text}");
        }
    }

    #[test]
    fn times_in_digits_are_told() {
        for text in ["1700000000", "1700000000123", "20240131235959"] {
            assert!(is_timestamp(text), "{text}");
        }
        for text in ["13800138000", "20241331235959", "4111111111111111"] {
            assert!(!is_timestamp(text), "{text}");
        }
    }

    #[test]
    fn a_uuid_holds_its_digits() {
        let text = "id 12345678-1234-4123-8123-123456789012.";
        let at = |value: &str| text.find(value).map(|start| start..start + value.len()).expect("value");
        assert!(is_in_uuid(token(text, &at("123456789012"))));
        assert!(is_in_uuid(token(text, &at("12345678-1234"))));
        assert!(!is_in_uuid(token("id 12345678-1234-4123-8123", &(3..11))));
    }

    #[test]
    fn orders_parcels_and_articles_are_told_by_the_word_before() {
        for before in ["order no", "Order Number", "your order", "order_id", "运单号", "订单编号", "快递单号"] {
            assert!(is_order(before), "{before}");
        }
        for before in ["in order to call", "border", "电话", "phone number"] {
            assert!(!is_order(before), "{before}");
        }
    }

    #[test]
    fn numbers_are_grouped_as_their_kind_is() {
        let of = |text: &str, label: &str| {
            let found = crate::detect::Detectors::embedded().expect("rules").scan(text).findings;
            found.iter().any(|finding| finding.label.is_under(label))
        };
        for (text, label) in [
            ("OBJECT IDENTIFIER 1.3.187.25204.5", "personal.phone"),
            ("1.2.112.0.2.0.34.101.31.113", "org"),
            ("(718, 5, 13, 4, 17, 58, 222)", "finance"),
            ("e = 2.718281828459045", "finance"),
            ("1994165897297032, 2245000007398739, 1994165897297033", "finance.card"),
            ("toll-free 1-800-345-5588", "personal.phone"),
            ("52BB 5352 5354 5353 5351 5366 5377", "finance.card"),
            ("8691 869E 8687 8697 8686 868B 869A", "personal.phone"),
            ("[.4300.0020.0011.0002]", "finance.card"),
            ("new URL('https://abc:xyz@example.com')", "secret"),
        ] {
            assert!(!of(text, label), "{text}");
        }
        for (text, label) in [
            ("card 4539.5787.6362.1486", "finance.card"),
            ("手机 138.1647.2093", "personal.phone"),
            ("tél +33.6.48.17.26.35", "personal.phone"),
            ("4539 5787 6362 1486 09/29", "finance.card"),
        ] {
            assert!(of(text, label), "{text}");
        }
    }
}
