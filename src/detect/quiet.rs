//! What looks like a finding and is none: samples, placeholders, hashes and dates.

use super::{
    Options, check,
    own_traffic::own_traffic,
    random::random,
    rule::{Form, Rule},
};
use crate::{
    content::Document,
    finding::{Confidence, Evidence},
    text::Span,
};
use std::ops::Range;

/// What to do with published sample values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestValues {
    /// They are no findings.
    #[default]
    Ignore,
    /// They count like any other.
    Report,
}

/// Why a match does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A published sample.
    TestValue,
    /// `changeme`, `<your key>`, `${TOKEN}`.
    Placeholder,
    /// 11111111, 12345678.
    Sequence,
    /// Part of a UUID.
    Uuid,
    /// Part of a hash.
    Hash,
    /// A time in digits.
    Timestamp,
    /// A version.
    Version,
    /// The number of an order, a parcel, an article.
    OrderNumber,
    /// Digits that are grouped like another kind of number.
    Grouping,
    /// One of a table of numbers.
    Table,
    /// Inside of base64.
    Encoded,
    /// A key that is meant to be seen.
    PublicKey,
    /// Part of a URL.
    UrlPath,
    /// User and host of a URL.
    UrlUser,
    /// The site's own password or session, in its own field.
    SignIn,
    /// The signature or key of a signed link.
    SignedLink,
    /// A check of the rule refuses it: a check digit, a date, the looks of a token.
    Check,
    /// No word near it says what it is, and its rule wants one.
    NoContext,
}

impl Reason {
    /// Its name in explanations.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TestValue => "test_value",
            Self::Placeholder => "placeholder",
            Self::Sequence => "repeated_or_sequential_digits",
            Self::Uuid => "uuid",
            Self::Hash => "hash",
            Self::Timestamp => "timestamp",
            Self::Version => "version",
            Self::OrderNumber => "order_number",
            Self::Grouping => "grouped_otherwise",
            Self::Table => "table",
            Self::Encoded => "encoded",
            Self::PublicKey => "public_key",
            Self::UrlPath => "url_path",
            Self::UrlUser => "url_user",
            Self::SignIn => "sign_in",
            Self::SignedLink => "signed_link",
            Self::Check => "check",
            Self::NoContext => "no_context",
        }
    }

    pub(super) fn is_own_traffic(self) -> bool {
        matches!(self, Self::SignIn | Self::SignedLink)
    }
}

/// A match and what stands around it.
pub(super) struct Seen<'s> {
    pub(super) rule: &'s Rule,
    /// What matched.
    pub(super) value: &'s str,
    /// The text it stands in, as it reads,
    pub(super) text: &'s str,
    /// and where.
    pub(super) range: Range<usize>,
    /// Whether a word near it says what it is.
    pub(super) context: bool,
}

/// Why the match, at `span` of the segment, does not count, if it does not.
pub(super) fn reason(seen: &Seen<'_>, document: &Document<'_>, segment: usize, span: Span, options: &Options) -> Option<Reason> {
    let rule = seen.rule;
    if rule.is_sample(seen.value) {
        return match options.test_values {
            TestValues::Ignore => Some(Reason::TestValue),
            // Samples look like samples; who asks for them wants them all the same.
            TestValues::Report => own_traffic(seen, document, segment, span),
        };
    }
    let secret = rule.label.is_under("secret");
    if secret && (is_placeholder(seen.value) || (is_made_up(seen.value) && !is_weak(rule, seen.value))) {
        return Some(Reason::Placeholder);
    }
    let unnamed = ["secret.api_key", "secret.password", "secret.bearer"].contains(&rule.label.as_str());
    if unnamed && rule.evidence == Evidence::Context && is_public(named(seen)) {
        return Some(Reason::PublicKey);
    }
    if rule.label.is_under("network.private_ip") && is_version(seen) {
        return Some(Reason::Version);
    }
    if rule.label.is_under("personal.email") && is_user_of_url(token(seen.text, &seen.range)) {
        return Some(Reason::UrlUser);
    }
    let number = !secret && !rule.label.is_under("network") && seen.value.bytes().filter(u8::is_ascii_digit).count() >= 6;
    if number {
        if is_sequence(seen.value) {
            return Some(Reason::Sequence);
        }
        let around = token(seen.text, &seen.range);
        if let Some(reason) = number_reason(seen, around) {
            return Some(reason);
        }
    }
    own_traffic(seen, document, segment, span)
}

/// Why a number is none that a person or a company goes by. A word that says what it is outweighs its looks.
fn number_reason(seen: &Seen<'_>, around: Token<'_>) -> Option<Reason> {
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
    if seen.rule.label.is_under("finance.card") && is_in_table(seen) {
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

/// How far before a value its name begins, bytes.
const NAME: usize = 64;

/// The line before the value without the signs that lead up to it: `order no` of `order no: "123"`.
fn before_value<'s>(seen: &Seen<'s>) -> &'s str {
    let from = (seen.range.start.saturating_sub(NAME)..=seen.range.start).find(|at| seen.text.is_char_boundary(*at)).unwrap_or_default();
    let before = seen.text.get(from..seen.range.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim_end_matches(|char: char| !char.is_alphanumeric() || matches!(char, '为' | '是'))
}

/// The name that the value is given: `publicToken` of `const publicToken = "...`.
fn named<'s>(seen: &Seen<'s>) -> &'s str {
    let before = before_value(seen);
    before.rsplit(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'))).next().unwrap_or_default()
}

/// Whether a key of this name is shown to everybody, or protects a form and not a door.
fn is_public(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["public", "csrf", "xsrf", "publishable"].iter().any(|word| name.contains(word))
}

/// Whether the words before a number say that it is an order's, a parcel's or an article's.
fn is_order(before: &str) -> bool {
    const ENGLISH: &str = "order|order no|order nr|order number|order id|orderid|orderno|order num|tracking|tracking no|tracking number|\
        tracking id|trackingnumber|waybill|waybill no|shipment|shipment id|parcel|parcel id|sku|barcode|ean|upc|isbn|issn|asin|product id|\
        item id|item no|item number|article no|batch no|lot no|serial no|serial number|commit|build|revision|job id|trace id|request id";
    const CHINESE: &str = "订单|订单号|订单编号|订单号码|订单id|运单号|运单编号|快递单号|快递号|物流单号|物流号|单号|流水号|条形码|条码|货号|\
        商品编号|商品编码|商品id|批号|批次号|工单号|序列号|取件码|提货码|券码|會员单号|訂單編號|訂單號|運單號|單號";
    let lower = before.to_lowercase().replace(['_', '-'], " ");
    let is_word = |word: &str| {
        lower.strip_suffix(word).is_some_and(|rest| !word.is_ascii() || !rest.ends_with(|char: char| char.is_ascii_alphanumeric()))
    };
    ENGLISH.split('|').chain(CHINESE.split('|')).map(str::trim).any(is_word)
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
    dotted
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
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'/' | b'=');
    let before = around.before().iter().rev().take_while(in_run);
    let after = around.after().iter().take_while(in_run);
    let (small, large) = before.clone().chain(after.clone()).fold((0, 0), |(small, large), byte| {
        (small + usize::from(byte.is_ascii_lowercase()), large + usize::from(byte.is_ascii_uppercase()))
    });
    before.count() + after.count() >= LONG && small >= 8 && large >= 8
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

/// Whether four numbers with dots are a version's and no address: `v10.1.2.3`, `version 10.1.2.3`, `"version": "10.1.2.3"`.
fn is_version(seen: &Seen<'_>) -> bool {
    let lower = before_value(seen).to_lowercase();
    let short = lower.strip_suffix('v').is_some_and(|rest| !rest.ends_with(|char: char| char.is_ascii_alphanumeric()));
    short
        || ["version", "ver", "release", "section", "clause", "chapter", "版本", "版本号", "版", "章节"]
            .iter()
            .any(|word| lower.ends_with(word))
}

/// What stands around a match without a space.
#[derive(Clone, Copy)]
struct Token<'t> {
    text: &'t [u8],
    start: usize,
    end: usize,
}

/// Farther off, nothing tells what a number is.
const FARTHEST: usize = 200;

fn token<'t>(text: &'t str, range: &Range<usize>) -> Token<'t> {
    let bytes = text.as_bytes();
    let inside = |byte: &&u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b',' | b';' | b'(' | b')');
    let before = bytes.get(..range.start).unwrap_or_default().iter().rev().take(FARTHEST).take_while(inside).count();
    let after = bytes.get(range.end..).unwrap_or_default().iter().take(FARTHEST).take_while(inside).count();
    let text = bytes.get(range.start - before..(range.end + after).min(bytes.len())).unwrap_or_default();
    Token { text, start: before, end: before + range.len() }
}

impl<'t> Token<'t> {
    fn before(self) -> &'t [u8] {
        self.text.get(..self.start).unwrap_or_default()
    }

    fn after(self) -> &'t [u8] {
        self.text.get(self.end..).unwrap_or_default()
    }
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

/// Whether the match is `user@host` or the end of `user:password@host` in front of a URL's path.
fn is_user_of_url(token: Token<'_>) -> bool {
    let before = token.before();
    let scheme = before.windows(3).rposition(|window| window == b"://");
    scheme.is_some_and(|at| before.get(at + 3..).is_some_and(|rest| !rest.iter().any(|byte| matches!(byte, b'/' | b'?' | b'#'))))
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

/// Parts of values that say that they are none.
const PLACEHOLDERS: &str = "changeme change_me change-me change_this change-this replace_me replaceme replace_with replace-with your_ your- \
     yourpassword yourkey yourtoken yoursecret youraccess yourapi xxxx **** .... example placeholder redacted dummy insert_ \
     insert- _here -here goes_here process.env os.environ getenv undefined todo fixme sample not-a-real not_a_real notreal \
     lorem [your <your fakekey faketoken fake_ fake-";

/// Fillers: a value that is mostly one of them is none; in a longer one it may be chance, or a bad choice.
const FILLERS: [&str; 6] = ["1234567890", "0123456789", "abcdefghij", "deadbeef", "foobar", "abcdef"];

/// Whether a secret is only the place for one: it says so, or it is masked.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    if is_blotted(bytes) {
        return true;
    }
    let inside = lower.get(1..lower.len().saturating_sub(1)).unwrap_or_default();
    let bracketed = matches!(bytes, [b'<', .., b'>'] | [b'[', .., b']'] | [b'%', .., b'%'])
        || matches!(bytes, [b'{', .., b'}'] if !random(value.get(1..=inside.len()).unwrap_or_default()))
        || matches!(bytes, [b'$', name @ ..] if name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'));
    // In a long value a short word may stand by chance, or by a bad choice.
    let says = |part: &str| match bytes.len() {
        0..=60 => lower.contains(part),
        61..=LONG => part.len() > 5 && lower.contains(part),
        _ => lower.matches(part).count() * part.len() * 8 > bytes.len(),
    };
    (bytes.len() <= LONG && (bracketed || check::is_template(value))) || lower.ends_with("...") || PLACEHOLDERS.split(' ').any(says)
}

/// Whether a value (in lower case) is mostly blotted out: `xxxx`, `****`, zeros, or the As that zero bytes are in base64.
fn is_blotted(bytes: &[u8]) -> bool {
    /// What people blot out with.
    const MASKS: &[u8] = b"x*.0-_#?";
    /// So many As in a row stand for nothing.
    const ZEROS: usize = 28;
    let longest = |is: &dyn Fn(u8) -> bool| {
        let runs = bytes.chunk_by(|a, b| a == b).filter(|run| run.first().is_some_and(|byte| is(*byte)));
        runs.map(<[u8]>::len).max().unwrap_or(0)
    };
    let run = longest(&|byte| MASKS.contains(&byte));
    let masks = bytes.iter().filter(|byte| MASKS.contains(byte)).count();
    (run >= 5 && run * 3 >= bytes.len()) || (run >= 4 && masks * 3 >= bytes.len() * 2) || longest(&|byte| byte == b'a') >= ZEROS
}

/// Whether a secret is made of fillers: one letter repeated, counted letters or digits.
pub(super) fn is_made_up(value: &str) -> bool {
    if value.len() > LONG {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let longest_run = bytes.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0);
    let rising = bytes.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_alphanumeric() && *b == *a + 1)).count();
    FILLERS.iter().any(|filler| lower.matches(filler).count() * filler.len() * 2 > bytes.len())
        || (longest_run >= 5 && longest_run * 3 >= bytes.len())
        || (bytes.len() >= 8 && rising * 10 >= bytes.len() * 6)
}

/// Whether a value is made of fillers and yet has the issuer's own prefix and length: somebody may have been given it, but hardly.
/// Where only the words around it tell whose it is, one letter repeated is a stand-in.
pub(super) fn is_weak(rule: &Rule, value: &str) -> bool {
    let masked = || check::is_masked(value);
    let filler = || if rule.evidence == Evidence::Context { is_made_up(value) && !masked() } else { is_made_up(value) || masked() };
    rule.form == Form::Exact && filler() && !is_placeholder(value)
}

/// How sure a finding is. Fillers in an issuer's form are worth a record and no more; an office's address is nobody's own.
pub(super) fn confidence(seen: &Seen<'_>) -> Confidence {
    /// Just above what the shipped policy records,
    const WEAK: f32 = 0.55;
    /// and below it.
    const PUBLIC: f32 = 0.4;
    let rule = seen.rule;
    let sure = if seen.context { rule.confidence_in_context } else { rule.confidence };
    let most = |limit: f32| Confidence::new(sure.value().min(limit));
    if is_weak(rule, seen.value) {
        most(WEAK)
    } else if rule.label.is_under("personal.email") && is_of_an_office(seen.value) {
        most(PUBLIC)
    } else {
        sure
    }
}

/// Whether a mail address is a company's that everybody may know: its part before the `@` names an office or a service (RFC 2142, and use).
fn is_of_an_office(address: &str) -> bool {
    const OFFICES: &str = "abuse accounts admissions advertising alerts billing bugs business careers complaints contact contactus customercare \
        customer-care customerservice customer-service customer.service customersupport editor editors enquiries enquiry events faq feedback \
        fuwu hello help helpdesk hostmaster hr info information inquiries inquiry investors ir jobs kefu legal mail marketing media news \
        newsletter noc notifications notification office orders partners press privacy pr public recruitment registrar reservations \
        returns sales security service services shop studio subscribe support team tech techsupport unsubscribe web webmaster welcome zhaopin";
    let local = address.split('@').next().unwrap_or_default();
    let local = local.split('+').next().unwrap_or_default();
    OFFICES.split_ascii_whitespace().any(|office| office.eq_ignore_ascii_case(local))
}

/// Longer values are no placeholders.
const LONG: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_office_is_nobody() {
        assert!(is_of_an_office("Support@qiming.cn") && is_of_an_office("info+web@qiming.cn"));
        assert!(!is_of_an_office("li.support@qiming.cn") && !is_of_an_office("informatik.meyer@qiming.cn"));
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
        ] {
            assert!(!of(text, label), "{text}");
        }
        for (text, label) in [("card 4539.5787.6362.1486", "finance.card"), ("手机 138.1647.2093", "personal.phone")] {
            assert!(of(text, label), "{text}");
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
}
