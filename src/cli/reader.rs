//! Texts to findings and to what the policy would do if somebody posted them.

use super::Problems;
use exeat::{
    budget::Budget,
    config::Config,
    content::Document,
    detect::{Detection, Detectors, Suppressed},
    finding::{Carried, Confidence, Finding, Gap},
    inspect::{Detail, Readers},
    policy::{Facts, Policy, Verdict, Whereabouts},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Rules, model and policy.
#[derive(Debug)]
pub(super) struct Reader {
    readers: Readers,
    policy: Policy,
    detail: Detail,
    tokens: usize,
    /// A host that no list names.
    hosts: [String; 1],
}

/// What came of a text.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressed: Vec<Suppressed>,
    /// For each finding, the words that carried it, where reasons are asked for.
    pub(super) carried: Vec<Vec<Carried>>,
    /// What was not read.
    pub(super) gap: Option<Gap>,
    /// On a POST of it to an unlisted host.
    pub(super) verdict: Verdict,
}

impl Reader {
    pub(super) fn of(config: &Config) -> Result<Self, Problems> {
        match (config.detectors(), config.policy(), config.model()) {
            (Ok(detectors), Ok(policy), Ok(model)) => Ok(Self {
                readers: Readers::new(Arc::new(detectors)).with_model(model),
                policy,
                detail: Detail::Findings,
                tokens: config.inspect.model_max_tokens,
                hosts: ["unlisted.invalid".to_owned()],
            }),
            (detectors, policy, model) => {
                Err(Problems(detectors.err().into_iter().chain(policy.err()).chain(model.err()).flatten().collect()))
            }
        }
    }

    /// The same, and tells what rules refused by a check and why, and what carried the model's decisions.
    pub(super) fn explaining(self) -> Self {
        Self { detail: Detail::Reasons, ..self }
    }

    /// The rules.
    pub(super) fn detectors(&self) -> &Detectors {
        self.readers.detectors()
    }

    /// How sure the model is that some passage is business content; `None` without a model or a passage.
    pub(super) fn surest_passage(&self, document: &Document<'_>, findings: &[Finding]) -> Option<Confidence> {
        let mut budget = Budget::new(usize::MAX, None).with_tokens(self.tokens);
        self.readers.model()?.surest_passage(document, findings, &mut budget)
    }

    /// Reads a document that had `gaps`.
    pub(super) fn read(&self, document: &Document<'_>, at: Whereabouts<'_>, gaps: &[Gap]) -> Reading {
        let size = document.segments().iter().map(|segment| segment.text.len()).sum();
        let mut budget = Budget::new(size, None).with_tokens(self.tokens);
        let (detection, carried) = match self.detail {
            Detail::Findings => (self.readers.read(document, at, &self.policy, &self.hosts, &mut budget), Vec::new()),
            Detail::Reasons => self.readers.explain(document, at, &self.policy, &self.hosts, &mut budget),
        };
        let Detection { findings, suppressed, gap } = detection;
        let facts = Facts { client: IpAddr::V4(Ipv4Addr::LOCALHOST), user: None, hosts: &self.hosts, method: "POST" };
        let gaps: Vec<Gap> = gaps.iter().copied().chain(gap).collect();
        let verdict = self.policy.decide(&facts, document, &findings, &gaps);
        Reading { findings, suppressed, carried, gap, verdict }
    }
}
