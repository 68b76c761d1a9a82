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
mod watch;

use crate::{
    budget::Budget,
    content::{self, Document, Rewritten},
    detect::{Detection, Detectors, Suppressed},
    finding::{Carried, Finding, Gap, Label},
    policy::{Action, Dismissed, Facts, ModelUse, Policy, Verdict, Whereabouts},
    redact::{self, DigestKey},
    words::Language,
};
#[cfg(feature = "model")]
use crate::{detect::model::Model, knowledge::Pack};
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

impl Inspection {
    /// Adds what came of a later piece of the same message: the stricter verdict stands, of equally strict ones the first.
    pub fn add(&mut self, later: Self) {
        self.findings.extend(later.findings);
        self.suppressed.extend(later.suppressed);
        self.gaps.extend(later.gaps.into_iter().filter(|gap| !self.gaps.contains(gap)).collect::<Vec<_>>());
        if later.verdict.action > self.verdict.action {
            self.verdict = later.verdict;
            self.rewritten = later.rewritten;
        }
    }
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
    /// The words that carried it, if it is the model's and reasons were asked for.
    pub carried: Vec<Carried>,
}

/// Bounds on one inspection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of a message as it is sent.
    pub max_bytes: usize,
    /// Most time it may take.
    pub deadline: Duration,
    /// Most tokens that the model may read.
    pub tokens: usize,
}

impl Limits {
    /// An everyday spreadsheet holds eight times its size; what a bomb is, the budget's ratio says.
    const EXPANSION: usize = 8;

    /// The purse of one inspection that begins now.
    fn budget(&self) -> Budget {
        Budget::new(self.max_bytes.saturating_mul(Self::EXPANSION), Some(Instant::now() + self.deadline)).with_tokens(self.tokens)
    }
}

/// How much an inspection tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What was found.
    Findings,
    /// And what rules refused by a check, and which words carried what the model found. Takes longer.
    Reasons,
}

/// What reads a document: the rules, and after them the model if there is one.
#[derive(Clone, Debug)]
pub struct Readers {
    detectors: Arc<Detectors>,
    /// What reviewers called false, with the key that its digests were made under.
    dismissed: Option<(Arc<Dismissed>, DigestKey)>,
    #[cfg(feature = "model")]
    model: Option<Arc<Model>>,
}

impl Readers {
    /// The rules alone.
    pub fn new(detectors: Arc<Detectors>) -> Self {
        Self {
            detectors,
            dismissed: None,
            #[cfg(feature = "model")]
            model: None,
        }
    }

    /// The same, and then `model`.
    #[cfg(feature = "model")]
    #[must_use]
    pub fn with_model(self, model: Option<Arc<Model>>) -> Self {
        Self { model, ..self }
    }

    /// The rules.
    pub fn detectors(&self) -> &Detectors {
        &self.detectors
    }

    /// The model, if there is one.
    #[cfg(feature = "model")]
    pub fn model(&self) -> Option<&Model> {
        self.model.as_deref()
    }

    /// The names of packs whose heads are for another model: they say nothing until they are trained again.
    #[cfg(feature = "model")]
    pub fn stale_heads(&self) -> Vec<&str> {
        let (Some(model), Some(knowledge)) = (&self.model, self.detectors.knowledge()) else { return Vec::new() };
        knowledge.stale_heads(model.id()).map(Pack::name).collect()
    }

    /// What is in a document on its way to `hosts`, without what the company allows.
    pub fn read(&self, document: &Document<'_>, at: Whereabouts<'_>, policy: &Policy, hosts: &[String], budget: &mut Budget) -> Detection {
        let mut detection = self.detectors.run(document, budget);
        self.go_on(document, at, policy, hosts, budget, &mut detection);
        detection
    }

    /// The same with reasons: for each finding, the words that carried it.
    pub fn explain(
        &self,
        document: &Document<'_>,
        at: Whereabouts<'_>,
        policy: &Policy,
        hosts: &[String],
        budget: &mut Budget,
    ) -> (Detection, Vec<Vec<Carried>>) {
        let mut detection = self.detectors.explain(document, budget);
        self.go_on(document, at, policy, hosts, budget, &mut detection);
        #[cfg(feature = "model")]
        if let Some(model) = &self.model {
            let findings = &detection.findings;
            let carried =
                findings.iter().map(|finding| model.explain(document, self.detectors.knowledge(), findings, finding, budget)).collect();
            return (detection, carried);
        }
        (detection, Vec::new())
    }

    fn go_on(
        &self,
        document: &Document<'_>,
        at: Whereabouts<'_>,
        policy: &Policy,
        hosts: &[String],
        budget: &mut Budget,
        detection: &mut Detection,
    ) {
        #[cfg(feature = "model")]
        if let Some(model) = self.model.as_ref().filter(|_| policy.model_use(hosts) > ModelUse::Off) {
            model.read(document, self.detectors.knowledge(), detection, budget);
        }
        #[cfg(not(feature = "model"))]
        let _ = (hosts, budget, ModelUse::Off);
        spare(policy, document, at, detection);
        if let Some((dismissed, key)) = &self.dismissed {
            dismiss(dismissed, key, document, detection);
        }
    }
}

/// Takes what the company allows out of the findings, and says so.
fn spare(policy: &Policy, document: &Document<'_>, at: Whereabouts<'_>, detection: &mut Detection) {
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

/// Takes out what a reviewer called false, and says so.
fn dismiss(dismissed: &Dismissed, key: &DigestKey, document: &Document<'_>, detection: &mut Detection) {
    if dismissed.is_empty() {
        return;
    }
    let Detection { findings, suppressed, .. } = detection;
    findings.retain(|finding| {
        let digest = key.digest(document.text(finding.segment, finding.span));
        let Some(event) = dismissed.event_of(&digest, &finding.label) else { return true };
        let (segment, span, detector) = (finding.segment, finding.span, Arc::clone(&finding.detector));
        suppressed.push(Suppressed { segment, span, detector, reason: "dismissed", detail: Some(event) });
        false
    });
}

/// Rules, policy and limits, ready to inspect. Immutable; a reload builds a new one.
#[derive(Debug)]
pub struct Inspector {
    readers: Readers,
    policy: Policy,
    key: DigestKey,
    limits: Limits,
}

impl<'a> Message<'a> {
    fn whereabouts(&self) -> Whereabouts<'a> {
        Whereabouts::Request { hosts: self.hosts, target: self.target }
    }
}

impl Inspector {
    /// An inspector of these parts.
    pub fn new(readers: Readers, policy: Policy, key: DigestKey, limits: Limits) -> Self {
        Self { readers, policy, key, limits }
    }

    /// The same, without what reviewers called false; that may change at any time.
    #[must_use]
    pub fn without(mut self, dismissed: Arc<Dismissed>) -> Self {
        self.readers.dismissed = Some((dismissed, self.key.clone()));
        self
    }

    /// The rules that it runs.
    pub fn detectors(&self) -> &Detectors {
        self.readers.detectors()
    }

    /// The model that it runs, if any.
    #[cfg(feature = "model")]
    pub fn model(&self) -> Option<&Model> {
        self.readers.model()
    }

    /// The packs whose heads say nothing here: [`Readers::stale_heads`].
    #[cfg(feature = "model")]
    pub fn stale_heads(&self) -> Vec<&str> {
        self.readers.stale_heads()
    }

    /// Whether the model reads what goes to `hosts`.
    #[cfg(feature = "model")]
    fn may_be_slow(&self, hosts: &[String]) -> bool {
        self.readers.model.is_some() && self.policy.model_use(hosts) > ModelUse::Off
    }

    /// Reads `message` and decides on it.
    pub fn inspect(&self, message: &Message<'_>) -> Inspection {
        self.contained(message, Detail::Findings, self.limits)
    }

    /// The same, while the model reads no more than `share` (0 to 1) of the tokens that it may: what it knows already it says also
    /// at 0, in microseconds. What is left unread for that is [`Gap::ModelSkipped`].
    pub fn inspect_within(&self, message: &Message<'_>, share: f64) -> Inspection {
        let tokens = (self.limits.tokens as f64 * share.clamp(0.0, 1.0)) as usize;
        self.contained(message, Detail::Findings, Limits { tokens, ..self.limits })
    }

    /// Like [`inspect`](Self::inspect), and tells reasons as well.
    pub fn explain(&self, message: &Message<'_>) -> Inspection {
        self.contained(message, Detail::Reasons, self.limits)
    }

    fn contained(&self, message: &Message<'_>, detail: Detail, limits: Limits) -> Inspection {
        // A bug of ours in one decoder must neither let a message through unread nor take the proxy down.
        catch_unwind(AssertUnwindSafe(|| self.pipeline(message, detail, limits))).unwrap_or_else(|_| self.unread(message, Gap::Panicked))
    }

    fn pipeline(&self, message: &Message<'_>, detail: Detail, limits: Limits) -> Inspection {
        let mut budget = limits.budget();
        let mut gaps = Vec::new();

        let body = content::decode(message.headers, message.body, &mut budget).unwrap_or_else(|gap| {
            gaps.push(gap);
            message.body.clone() // still worth a look as it is
        });
        let document = content::extract(message.target, message.headers, &body, &mut budget, &mut gaps);
        let (at, policy, hosts) = (message.whereabouts(), &self.policy, message.hosts);
        let (detection, carried) = match detail {
            Detail::Findings => (self.readers.read(&document, at, policy, hosts, &mut budget), Vec::new()),
            Detail::Reasons => self.readers.explain(&document, at, policy, hosts, &mut budget),
        };
        let Detection { findings, suppressed, gap } = detection;
        gaps.extend(gap);

        let mut verdict = self.policy.decide(&Facts::of(message), &document, &findings, &gaps);
        let rewritten = match verdict.action {
            Action::Redact => self.rewrite(message, &document, &findings, &mut verdict),
            Action::Allow | Action::Log | Action::Block => None,
        };
        let mut findings = self.describe(&document, findings, &verdict);
        findings.iter_mut().zip(carried).for_each(|(found, carried)| found.carried = carried);
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
        self.detectors().name_of(label, language).unwrap_or_else(|| label.as_str())
    }

    /// The verdict on a message of which nothing could be read.
    pub fn unread(&self, message: &Message<'_>, gap: Gap) -> Inspection {
        let gaps = vec![gap];
        let verdict = self.policy.decide(&Facts::of(message), &Document::plain(""), &[], &gaps);
        Inspection { verdict, findings: Vec::new(), suppressed: Vec::new(), gaps, rewritten: None }
    }

    /// What comes of a message in which there is nothing.
    pub fn clean(&self, message: &Message<'_>) -> Inspection {
        let verdict = self.policy.decide(&Facts::of(message), &Document::plain(""), &[], &[]);
        Inspection { verdict, findings: Vec::new(), suppressed: Vec::new(), gaps: Vec::new(), rewritten: None }
    }

    fn describe(&self, document: &Document<'_>, findings: Vec<Finding>, verdict: &Verdict) -> Vec<Found> {
        findings
            .into_iter()
            .zip(&verdict.decisions)
            .map(|(finding, decision)| Found {
                place: document.place(finding.segment, finding.span),
                digest: self.key.digest(document.text(finding.segment, finding.span)),
                action: decision.action,
                carried: Vec::new(),
                finding,
            })
            .collect()
    }
}
