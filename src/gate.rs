//! The async door that every request takes: a permit, inspection within its deadline, and the audit record on the disk.

use crate::{
    audit::{Id, Metrics, Outcome, Record, Store},
    finding::Gap,
    inspect::{
        Inspection, Inspector, Message,
        stream::{Framing, Head, StreamInspector},
    },
    redact::DigestKey,
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Bodies up to this size that hold nothing for the model are inspected where they are read: it takes less time than handing them to
/// another thread.
const INLINE: usize = 64 << 10;

/// Inspects and records. Shared by the proxy and the adapters.
#[derive(Debug)]
pub struct Gate {
    inspector: Arc<ArcSwap<Inspector>>,
    store: Store,
    metrics: Arc<Metrics>,
    key: DigestKey,
    /// One for each core: more would only make each of them slower.
    permits: Arc<Semaphore>,
    wait: Duration,
}

/// A message that came back from the gate.
#[derive(Debug)]
pub struct Passed {
    /// The record's id, for `X-Exeat-Request`.
    pub id: Id,
    /// What came of it.
    pub inspection: Inspection,
}

impl Gate {
    /// A gate of these parts; `cores` inspections run at one time, others wait for `wait` at most.
    pub fn new(
        inspector: Arc<ArcSwap<Inspector>>,
        store: Store,
        metrics: Arc<Metrics>,
        key: DigestKey,
        cores: usize,
        wait: Duration,
    ) -> Self {
        Self { inspector, store, metrics, key, permits: Arc::new(Semaphore::new(cores)), wait }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The inspector in force.
    pub fn inspector(&self) -> Arc<Inspector> {
        self.inspector.load_full()
    }

    /// Inspects one complete message. When this returns, what has to be recorded is on the disk.
    pub async fn pass(&self, head: Head, body: Bytes) -> (Head, Passed) {
        let started = Instant::now();
        let is_quick = body.len() <= INLINE && !self.inspector.load().is_slow(&head.message(&body));
        let (head, mut inspection) = if is_quick {
            let inspection = self.inspector.load().inspect(&head.message(&body));
            (head, inspection)
        } else {
            self.inspect_aside(head, body.clone()).await
        };
        let message = head.message(&body);
        let id = self.record(&message, &mut inspection, started.elapsed()).await;
        (head, Passed { id, inspection })
    }

    async fn inspect_aside(&self, head: Head, body: Bytes) -> (Head, Inspection) {
        let inspector = self.inspector.load_full();
        let permit = match tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => {
                let inspection = inspector.unread(&head.message(&body), Gap::Overloaded);
                return (head, inspection);
            }
        };
        let spare = head.clone();
        let work = tokio::task::spawn_blocking(move || {
            let inspection = inspector.inspect(&head.message(&body));
            drop(permit);
            (head, inspection)
        });
        match work.await {
            Ok(done) => done,
            // Only a runtime that shuts down gets here: the inspector catches its own panics.
            Err(_) => {
                let inspection = self.inspector.load().unread(&spare.message(&Bytes::new()), Gap::Panicked);
                (spare, inspection)
            }
        }
    }

    /// Begins a body that is inspected as it comes.
    pub fn stream(&self, head: Head, framing: Framing) -> StreamInspector {
        StreamInspector::new(self.inspector.load_full(), head, framing)
    }

    /// Records `inspection` if it is due. A record that cannot be stored is a gap like any other, and policy decides again.
    pub async fn record(&self, message: &Message<'_>, inspection: &mut Inspection, took: Duration) -> Id {
        let id = Id::new();
        if Record::is_due(inspection) {
            let record = Record::of(id, message, inspection, took, &self.key);
            if let Err(error) = self.store.append(&record).await {
                tracing::error!(%error, request = %id, "an audit record could not be stored");
                inspection.gaps.push(Gap::Unrecorded);
                let verdict = self.inspector.load().unread(message, Gap::Unrecorded).verdict;
                if verdict.action > inspection.verdict.action {
                    inspection.verdict = verdict;
                    inspection.rewritten = None;
                }
            }
        } else {
            self.store.count_clean(message.body.len() as u64);
        }
        self.metrics.inspected(inspection, message.body.len() as u64, took);
        id
    }

    /// Records an exchange that was not read: a bypassed tunnel, a forbidden destination.
    pub async fn record_unread(&self, head: &Head, action: Outcome, why: &str) -> Id {
        let id = Id::new();
        let host = head.hosts.first().map_or("", String::as_str);
        let mut record = Record::unread(id, head.client, head.user.as_deref(), head.method.as_str(), host, action);
        record.policy = Some(why.to_owned());
        if let Err(error) = self.store.append(&record).await {
            tracing::error!(%error, request = %id, "an audit record could not be stored");
        }
        id
    }
}
