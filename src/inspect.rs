//! The whole product on one screen: a message goes in, a verdict comes out.
//!
//! ```text
//! Message -decode-> plain body -extract-> Document -detect-> findings -decide-> Verdict -edits-> rewritten message
//!             |                      |                |
//!             +------- gaps ---------+----------------+
//! ```
//!
//! The proxy, ICAP, Envoy, `exeat scan` and `POST /api/v1/inspect` all build a [`Message`] and call
//! [`Inspector::inspect`], so they cannot disagree. It is synchronous and does no I/O.

pub mod stream;

use crate::{
    budget::Budget,
    content::{self, Document, Rewritten},
    detect::{Detection, Detectors, Suppressed},
    finding::{Finding, Gap, Label},
    policy::{Action, Facts, Policy, Verdict, Whereabouts},
    redact::{self, DigestKey},
    words::Language,
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use std::{
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

/// One outgoing request (or WebSocket message, or piece of a file), complete.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who sends it.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<&'a str>,
    /// Every name the destination goes by (tunnel authority, SNI, `Host`), without port, lower case.
    pub hosts: &'a [String],
    /// The request method.
    pub method: &'a Method,
    /// Path and query.
    pub target: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body as sent.
    pub body: &'a Bytes,
}

/// What came of a message.
#[derive(Debug)]
pub struct Inspection {
    /// What to do with it.
    pub verdict: Verdict,
    /// What was found, by segment and offset.
    pub findings: Vec<Found>,
    /// What was seen and left alone, with the reason.
    pub suppressed: Vec<Suppressed>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// The parts to send in place of the original ones; set exactly when the action is [`Action::Redact`].
    pub rewritten: Option<Rewritten>,
}

/// Takes what the company allows out of the findings, and says so.
pub fn spare(policy: &Policy, document: &Document<'_>, at: Whereabouts<'_>, detection: &mut Detection) {
    let allow = policy.allow_list();
    if allow.is_empty() {
        return;
    }
    let Detection { findings, suppressed, .. } = detection;
    findings.retain(|finding| {
        let Some(entry) = allow.entry_for(&finding.label, document.text(finding.segment, finding.span), at) else { return true };
        let (segment, span, detector) = (finding.segment, finding.span, Arc::clone(&finding.detector));
        suppressed.push(Suppressed { segment, span, detector, reason: "allowed", detail: Some(Arc::clone(entry)) });
        false
    });
}

/// A finding with what can be told about it without its text.
#[derive(Clone, Debug)]
pub struct Found {
    /// The finding.
    pub finding: Finding,
    /// Where, for people: `$.messages[0].content`, `url`, `part "cv.txt"`.
    pub place: String,
    /// Keyed digest of the text found: equal for equal text, worthless without the key.
    pub digest: String,
    /// What policy does about this one.
    pub action: Action,
}

/// Bounds on one inspection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes that decoding may produce.
    pub max_bytes: usize,
    /// Most time it may take.
    pub deadline: Duration,
}

/// Rules, policy and limits, ready to inspect. Immutable; a reload builds a new one.
#[derive(Debug)]
pub struct Inspector {
    detectors: Arc<Detectors>,
    policy: Policy,
    key: DigestKey,
    limits: Limits,
}

/// How detectors read a document.
pub type Detect = fn(&Detectors, &Document<'_>, &Budget) -> Detection;

impl Message<'_> {
    fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts::Request { hosts: self.hosts, target: self.target }
    }
}

impl Inspector {
    /// An inspector of these parts.
    pub fn new(detectors: Arc<Detectors>, policy: Policy, key: DigestKey, limits: Limits) -> Self {
        Self { detectors, policy, key, limits }
    }

    /// The rules that it runs.
    pub fn detectors(&self) -> &Detectors {
        &self.detectors
    }

    /// Reads `message` and decides on it.
    pub fn inspect(&self, message: &Message<'_>) -> Inspection {
        self.contained(message, Detectors::run)
    }

    /// Like [`inspect`](Self::inspect), and tells as well what rules refused by a check and why ([`Detectors::explain`]).
    pub fn explain(&self, message: &Message<'_>) -> Inspection {
        self.contained(message, Detectors::explain)
    }

    fn contained(&self, message: &Message<'_>, detect: Detect) -> Inspection {
        // A bug of ours in one decoder must neither let a message through unread nor take the proxy down.
        catch_unwind(AssertUnwindSafe(|| self.pipeline(message, detect))).unwrap_or_else(|_| self.unread(message, Gap::Panicked))
    }

    fn pipeline(&self, message: &Message<'_>, detect: Detect) -> Inspection {
        let mut budget = Budget::new(self.limits.max_bytes, Some(Instant::now() + self.limits.deadline));
        let mut gaps = Vec::new();

        let body = content::decode(message.headers, message.body, &mut budget).unwrap_or_else(|gap| {
            gaps.push(gap);
            message.body.clone() // still worth a look as it is
        });
        let document = content::extract(message.target, message.headers, &body, &mut budget, &mut gaps);
        let mut detection = detect(&self.detectors, &document, &budget);
        spare(&self.policy, &document, message.whereabouts(), &mut detection);
        let Detection { findings, suppressed, gap } = detection;
        gaps.extend(gap);

        let mut verdict = self.policy.decide(&Facts::of(message), &document, &findings, &gaps);
        let rewritten = match verdict.action {
            Action::Redact => self.rewrite(message, &document, &findings, &mut verdict),
            Action::Allow | Action::Log | Action::Block => None,
        };
        let findings = self.describe(&document, findings, &verdict);
        Inspection { verdict, findings, suppressed, gaps, rewritten }
    }

    /// The redacted message; where that cannot be had, the verdict becomes a block that says why.
    fn rewrite(&self, message: &Message<'_>, document: &Document<'_>, findings: &[Finding], verdict: &mut Verdict) -> Option<Rewritten> {
        let edits = redact::edits(document, findings, verdict, &self.key);
        match document.rewrite(&edits).and_then(|rewritten| content::encode(message.headers, rewritten)) {
            Ok(rewritten) => Some(rewritten),
            Err(error) => {
                verdict.block_instead(error);
                None
            }
        }
    }

    /// The name of a kind of data, for people.
    pub fn name_of<'a>(&'a self, label: &'a Label, language: Language) -> &'a str {
        self.detectors.name_of(label, language).unwrap_or_else(|| label.as_str())
    }

    /// The verdict on a message of which nothing could be read.
    pub fn unread(&self, message: &Message<'_>, gap: Gap) -> Inspection {
        let gaps = vec![gap];
        let verdict = self.policy.decide(&Facts::of(message), &Document::plain(""), &[], &gaps);
        Inspection { verdict, findings: Vec::new(), suppressed: Vec::new(), gaps, rewritten: None }
    }

    fn describe(&self, document: &Document<'_>, findings: Vec<Finding>, verdict: &Verdict) -> Vec<Found> {
        findings
            .into_iter()
            .zip(&verdict.decisions)
            .map(|(finding, decision)| Found {
                place: document.place(finding.segment, finding.span),
                digest: self.key.digest(document.text(finding.segment, finding.span)),
                action: decision.action,
                finding,
            })
            .collect()
    }
}
