//! Texts to findings and to what the policy would do if somebody posted them.

use super::Problems;
use exeat::{
    budget::Budget,
    config::Config,
    content::Document,
    detect::{Detection, Detectors, Suppressed},
    finding::{Finding, Gap},
    inspect::{self, Detect},
    policy::{Facts, Policy, Verdict, Whereabouts},
};
use std::net::{IpAddr, Ipv4Addr};

/// Rules and policy.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) detectors: Detectors,
    policy: Policy,
    detect: Detect,
    /// A host that no list names.
    hosts: [String; 1],
}

/// What came of a text.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressed: Vec<Suppressed>,
    /// On a POST of it to an unlisted host.
    pub(super) verdict: Verdict,
}

impl Reader {
    pub(super) fn of(config: &Config) -> Result<Self, Problems> {
        match (config.detectors(), config.policy()) {
            (Ok(detectors), Ok(policy)) => Ok(Self { detectors, policy, detect: Detectors::run, hosts: ["unlisted.invalid".to_owned()] }),
            (detectors, policy) => Err(Problems(detectors.err().into_iter().chain(policy.err()).flatten().collect())),
        }
    }

    /// The same, and tells what rules refused by a check and why.
    pub(super) fn explaining(self) -> Self {
        Self { detect: Detectors::explain, ..self }
    }

    /// Reads a document that had `gaps`.
    pub(super) fn read(&self, document: &Document<'_>, at: Whereabouts<'_>, gaps: &[Gap]) -> Reading {
        let size = document.segments().iter().map(|segment| segment.text.len()).sum();
        let mut detection = (self.detect)(&self.detectors, document, &Budget::new(size, None));
        inspect::spare(&self.policy, document, at, &mut detection);
        let Detection { findings, suppressed, .. } = detection;
        let facts = Facts { client: IpAddr::V4(Ipv4Addr::LOCALHOST), user: None, hosts: &self.hosts, method: "POST" };
        let verdict = self.policy.decide(&facts, document, &findings, gaps);
        Reading { findings, suppressed, verdict }
    }
}
