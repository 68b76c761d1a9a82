//! One audit event: who sent what kind of data where, and what was done about it. Never the data.

use crate::{
    finding::Gap,
    inspect::{Found, Inspection, Message},
    policy::Action,
    redact::DigestKey,
};
use rustls::crypto::SecureRandom;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    net::IpAddr,
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use time::OffsetDateTime;

/// An exchange with a finding, a gap or a refusal, as it is stored and as the API returns it (DESIGN section 4).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Record {
    /// The value of `X-Exeat-Request`.
    pub id: Id,
    /// When the exchange began; UTC, to the millisecond, the same instant that the id holds.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// Who sent it.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<String>,
    /// The request method; `CONNECT` for a tunnel.
    pub method: String,
    /// The destination's first name, without port.
    pub host: String,
    /// The other names that it goes by, where tunnel, ClientHello and `Host` differ: policy was evaluated on all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Keyed digest of the path, without the query.
    pub path_digest: Option<String>,
    /// What was done.
    pub action: Outcome,
    /// The policy rule, or the gap, that decided.
    pub policy: Option<String>,
    /// What was found.
    pub findings: Vec<Entry>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Length of the body as sent.
    pub bytes: u64,
    /// Time that inspection took, in milliseconds.
    pub duration_ms: f64,
    /// Findings beyond [`Record::MOST_FINDINGS`], which are only counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub findings_omitted: usize,
}

/// What was done with a recorded exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It passed as it was.
    Log,
    /// It passed with the finds replaced.
    Redact,
    /// It was refused.
    Block,
    /// It passed unread, as the `bypass` list says.
    Bypass,
}

/// One finding of a record.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Entry {
    /// What it is.
    pub label: String,
    /// Which rule, index or model found it.
    pub detector: String,
    /// Calibrated probability in `[0, 1]`.
    pub confidence: f32,
    /// Where in the message.
    pub place: String,
    /// Keyed digest of the text found.
    pub digest: String,
    /// What it met of a company's pack, [sealed](super::trace); for the next lesson, if a reviewer calls it false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Record {
    /// Most findings that one record lists.
    pub const MOST_FINDINGS: usize = 500;
    /// Most bytes of all its traces together; findings beyond have none.
    const TRACES: usize = 64 << 10;

    /// Whether an inspection has to be recorded: a finding that policy minds, a gap or a refusal. All else is only counted.
    pub fn is_due(inspection: &Inspection) -> bool {
        inspection.findings.iter().any(|found| found.action != Action::Allow)
            || !inspection.gaps.is_empty()
            || inspection.verdict.action != Action::Allow
    }

    /// The record of an inspected message; `duration` is the time that inspection took.
    pub fn of(id: Id, message: &Message<'_>, inspection: &Inspection, duration: Duration, key: &DigestKey) -> Self {
        let path = message.target.split(['?', '#']).next().unwrap_or_default();
        let mut room = Self::TRACES;
        Self {
            also: Self::names(message.hosts.get(1..).unwrap_or_default()),
            path_digest: Some(key.digest(path)),
            action: Outcome::of(inspection.verdict.action),
            policy: inspection.verdict.rule.as_ref().map(|rule| clip(rule, 200)),
            findings: inspection.findings.iter().take(Self::MOST_FINDINGS).map(|found| Entry::of(found, key, &mut room)).collect(),
            gaps: inspection.gaps.clone(),
            bytes: u64::try_from(message.body.len()).unwrap_or(u64::MAX),
            duration_ms: milliseconds(duration),
            findings_omitted: inspection.findings.len().saturating_sub(Self::MOST_FINDINGS),
            ..Self::unread(
                id,
                message.client,
                message.user,
                message.method.as_str(),
                message.hosts.first().map_or("", String::as_str),
                Outcome::Log,
            )
        }
    }

    /// The record of an exchange that passed or was refused without being read: a bypassed tunnel, a forbidden
    /// destination. Fill in `policy`, `gaps` and `bytes` where they are known.
    pub fn unread(id: Id, client: IpAddr, user: Option<&str>, method: &str, host: &str, action: Outcome) -> Self {
        Self {
            id,
            time: id.time(),
            client: client.to_canonical(),
            user: user.map(|user| clip(user, 256)),
            method: clip(method, 32),
            host: clip(host, 255),
            also: Vec::new(),
            path_digest: None,
            action,
            policy: None,
            findings: Vec::new(),
            gaps: Vec::new(),
            bytes: 0,
            duration_ms: 0.0,
            findings_omitted: 0,
        }
    }

    /// Names as a record holds them.
    pub fn names(hosts: &[String]) -> Vec<String> {
        hosts.iter().map(|host| clip(host, 255)).collect()
    }

    /// The record's one text form: what is stored, chained and returned.
    ///
    /// # Errors
    /// Those of `serde_json`: a duration that is not a number.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Outcome {
    /// Every outcome, mildest first.
    pub const ALL: [Self; 4] = [Self::Log, Self::Redact, Self::Block, Self::Bypass];

    /// What a verdict comes to once it is recorded: an allowed finding is a logged one.
    pub fn of(action: Action) -> Self {
        match action {
            Action::Allow | Action::Log => Self::Log,
            Action::Redact => Self::Redact,
            Action::Block => Self::Block,
        }
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Redact => "redact",
            Self::Block => "block",
            Self::Bypass => "bypass",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl Entry {
    fn of(found: &Found, key: &DigestKey, room: &mut usize) -> Self {
        let trace = found.trace.as_ref().and_then(|trace| super::trace::seal(key, &found.digest, trace));
        let trace = trace.filter(|trace| trace.len() <= *room);
        *room -= trace.as_ref().map_or(0, String::len);
        Self {
            label: found.finding.label.as_str().to_owned(),
            detector: clip(&found.finding.detector, 120),
            confidence: found.finding.confidence.value(),
            place: clip(&found.place, 240),
            digest: found.digest.clone(),
            trace,
        }
    }
}

/// Names an exchange: a UUID of version 7 (RFC 9562). Ids of one process sort in the order they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// A new id, of now.
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        Self::assemble(next_tick(), random())
    }

    /// The lowest id of a millisecond since 1970: the border for ranges of time.
    pub fn floor(milliseconds: u64) -> Self {
        Self(u128::from(milliseconds.min((1 << 48) - 1)) << 80)
    }

    /// When it was made, to the millisecond.
    pub fn time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.milliseconds()) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// When it was made, in milliseconds since 1970.
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(0)
    }

    /// The 16 bytes, which sort as the ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id of these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// `tick` counts 4096ths of a millisecond since 1970.
    fn assemble(tick: u64, random: u64) -> Self {
        let (milliseconds, fraction) = (u128::from(tick >> 12), u128::from(tick & 0xfff));
        Self(milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | u128::from(random >> 2))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            n >> 96,
            n >> 80 & 0xffff,
            n >> 64 & 0xffff,
            n >> 48 & 0xffff,
            n & 0xffff_ffff_ffff
        )
    }
}

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 hexadecimal digits in five groups, like 0198c2f0-1111-7222-8333-444455556666")]
pub struct BadId;

impl FromStr for Id {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let shaped = text.len() == 36
            && text.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
        if !shaped {
            return Err(BadId);
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self).map_err(|_| BadId)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The present in 4096ths of a millisecond, later than every tick before: it runs ahead of a clock that is set back.
fn next_tick() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = u64::from(since.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
    let now = u64::try_from(since.as_millis()).unwrap_or(0) << 12 | fraction;
    let advance = |last: u64| Some(now.max(last + 1));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).map_or(now, |last| now.max(last + 1))
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Fills `bytes` from the cryptographic generator that TLS uses.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    static RANDOM: LazyLock<&'static dyn SecureRandom> = LazyLock::new(|| rustls::crypto::aws_lc_rs::default_provider().secure_random);
    #[expect(clippy::expect_used, reason = "without randomness there is no key, token or session worth going on with")]
    RANDOM.fill(bytes).expect("the operating system gives random bytes");
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// At most `most` characters of `text`, without control characters.
fn clip(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_sort_in_the_order_they_are_made() {
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| (0..5000).map(|_| Id::new()).collect::<Vec<_>>())).collect();
        let made: Vec<Vec<Id>> = threads.into_iter().map(|thread| thread.join().expect("thread")).collect();
        assert!(made.iter().all(|ids| ids.is_sorted()));
        assert_eq!(made.iter().flatten().collect::<BTreeSet<_>>().len(), 20_000);
    }

    #[test]
    fn an_id_is_a_uuid_of_version_seven_and_reads_back() {
        let id = Id::new();
        let text = id.to_string();
        assert_eq!(text.as_bytes()[14], b'7');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(Id::from_bytes(id.to_bytes()), id);
        assert!((OffsetDateTime::now_utc() - id.time()).abs() < time::Duration::seconds(5));
        for bad in
            ["", "x", "0198c2f0-1111-7222-8333-44445555666", "0198c2f0+1111-7222-8333-444455556666", "+198c2f0-1111-7222-8333-444455556666"]
        {
            assert_eq!(bad.parse::<Id>(), Err(BadId), "{bad}");
        }
    }

    #[test]
    fn a_floor_parts_the_ids_before_from_those_after() {
        let id = Id::new();
        assert!(Id::floor(id.milliseconds()) <= id && id < Id::floor(id.milliseconds() + 1));
    }

    #[test]
    fn a_record_has_the_documented_shape() {
        let id = Id::assemble(1_760_000_000_123 << 12, 0);
        let mut record =
            Record::unread(id, "::ffff:10.0.0.7".parse().expect("ip"), Some("li.wei"), "POST", "chat.example.com", Outcome::Redact);
        record.path_digest = Some("00ff".repeat(8));
        record.policy = Some("no secrets to ai assistants".to_owned());
        record.findings = vec![Entry {
            label: "secret.aws".to_owned(),
            detector: "aws-access-key".to_owned(),
            confidence: 0.98,
            place: "$.messages[0].content".to_owned(),
            digest: "ab".repeat(16),
            trace: None,
        }];
        record.gaps = vec![Gap::ModelSkipped];
        (record.bytes, record.duration_ms) = (2048, 0.731);
        insta::assert_snapshot!(serde_json::to_string_pretty(&record).expect("json"));
        assert_eq!(serde_json::from_str::<Record>(&record.to_json().expect("json")).expect("record"), record);
    }

    #[test]
    fn names_are_cut_to_a_length_and_carry_no_control_characters() {
        let record = Record::unread(Id::new(), IpAddr::from([127, 0, 0, 1]), Some("a\nb"), "GET", &"h".repeat(9000), Outcome::Block);
        assert_eq!((record.user.as_deref(), record.host.len()), (Some("ab"), 255));
    }
}
