//! What looks like a finding and is none: samples, placeholders, hashes and dates.

mod filler;
mod number;

pub(super) use filler::is_weak;

use super::{Options, own_traffic::own_traffic, rule::Rule};
use crate::{
    content::Document,
    finding::{Confidence, Evidence},
    text::Span,
};
use filler::{is_made_up, is_of_documentation, is_placeholder};
use number::{is_sequence, number_reason};
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
    if secret && is_of_documentation(seen) {
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

/// Whether the match is `user@host` or the end of `user:password@host` in front of a URL's path.
fn is_user_of_url(token: Token<'_>) -> bool {
    let before = token.before();
    let scheme = before.windows(3).rposition(|window| window == b"://");
    scheme.is_some_and(|at| before.get(at + 3..).is_some_and(|rest| !rest.iter().any(|byte| matches!(byte, b'/' | b'?' | b'#'))))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_is_nobody() {
        assert!(is_of_an_office("Support@qiming.cn") && is_of_an_office("info+web@qiming.cn"));
        assert!(!is_of_an_office("li.support@qiming.cn") && !is_of_an_office("informatik.meyer@qiming.cn"));
    }
}
