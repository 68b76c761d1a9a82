//! What has been seen of a streamed body so far, and what of it is news.

use super::{Inspection, Inspector, stream::Head};
use crate::{
    budget::Budget,
    content::{self, Batch, Document},
    detect::Detection,
    finding::{Finding, Gap},
    policy::{Action, Facts, Policy, Verdict},
};
use bytes::Bytes;
use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

/// Reads batch after batch and tells each find once.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) inspector: Arc<Inspector>,
    pub(super) head: Head,
    /// Digests of what was found.
    seen: HashSet<String>,
    /// Gaps that were told.
    told: Vec<Gap>,
    /// Tokens that the model may still read.
    tokens: usize,
    /// What came up since somebody asked.
    news: Option<Inspection>,
}

impl Watch {
    /// More different finds than anybody reads; those beyond are told again and again.
    const MOST_SEEN: usize = 100_000;

    pub(super) fn new(inspector: Arc<Inspector>, head: Head) -> Self {
        let tokens = inspector.limits.tokens;
        Self { inspector, head, seen: HashSet::new(), told: Vec::new(), tokens, news: None }
    }

    /// What is new since the last time.
    pub(super) fn take_news(&mut self) -> Option<Inspection> {
        self.news.take()
    }

    /// Whether nothing more may go.
    pub(super) fn is_refused(&self) -> bool {
        self.news.as_ref().is_some_and(|news| news.verdict.action == Action::Block)
    }

    /// Reads a batch of the body.
    pub(super) fn read(&mut self, mut batch: Batch) {
        let mut gaps = batch.take_gaps();
        self.guarded(|watch| {
            let inspector = Arc::clone(&watch.inspector);
            let mut budget = inspector.limits.budget().with_tokens(watch.tokens);
            let headers = watch.head.headers.clone();
            let document = content::extract_batch(&batch, &headers, &mut budget, &mut gaps);
            watch.look(&document, gaps, &mut budget);
        });
    }

    /// Reads text of no known format.
    pub(super) fn text(&mut self, bytes: &[u8]) {
        self.guarded(|watch| {
            let text = String::from_utf8_lossy(bytes);
            let deadline = Instant::now() + watch.inspector.limits.deadline;
            let mut budget = Budget::new(usize::MAX, Some(deadline)).with_tokens(watch.tokens);
            watch.look(&Document::plain(&text), Vec::new(), &mut budget);
        });
    }

    /// Something could not be read.
    pub(super) fn gap(&mut self, gap: Gap) {
        if self.is_refused() || self.told.contains(&gap) {
            return;
        }
        self.told.push(gap);
        let news = self.inspector.unread(&self.head.message(&Bytes::new()), gap);
        self.tell(news);
    }

    /// A bug of ours on the way is a gap, as in [`Inspector::inspect`].
    fn guarded(&mut self, look: impl FnOnce(&mut Self)) {
        if !self.is_refused() && catch_unwind(AssertUnwindSafe(|| look(self))).is_err() {
            self.gap(Gap::Panicked);
        }
    }

    fn look(&mut self, document: &Document<'_>, mut gaps: Vec<Gap>, budget: &mut Budget) {
        let body = Bytes::new();
        let at = self.head.message(&body).whereabouts();
        let detection = self.inspector.readers.read(document, at, &self.inspector.policy, &self.head.hosts, budget);
        self.tokens = budget.tokens_left();
        let Detection { findings, suppressed, gap } = detection;
        gaps.extend(gap);
        gaps.retain(|gap| !self.told.contains(gap));
        self.told.extend(&gaps);
        let verdict = without_redaction(&self.inspector.policy, &Facts::of(&self.head.message(&body)), document, &findings, &gaps);
        let mut found = self.inspector.describe(document, findings, &verdict);
        if self.seen.len() < Self::MOST_SEEN {
            found.retain(|found| self.seen.insert(found.digest.clone()));
        }
        if !found.is_empty() || !gaps.is_empty() || verdict.action == Action::Block {
            self.tell(Inspection { verdict, findings: found, suppressed, gaps, rewritten: None });
        }
    }

    fn tell(&mut self, news: Inspection) {
        match &mut self.news {
            Some(before) => before.add(news),
            none => *none = Some(news),
        }
    }
}

fn without_redaction(policy: &Policy, facts: &Facts<'_>, document: &Document<'_>, findings: &[Finding], gaps: &[Gap]) -> Verdict {
    let mut verdict = policy.decide(facts, document, findings, gaps);
    if verdict.action == Action::Redact {
        verdict.block_instead(content::RewriteError::Unsupported);
    }
    verdict
}
