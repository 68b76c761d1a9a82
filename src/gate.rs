//! The async door that every request takes: a permit, inspection within its deadline, and the audit record on the disk.

use crate::{
    audit::{Id, Metrics, Outcome, Record, Store, Unrecorded},
    finding::Gap,
    inspect::{
        Inspection, Inspector, Message,
        stream::{Framing, Head, StreamInspector},
    },
    policy::Action,
    redact::DigestKey,
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Bodies up to this size in which the model has nothing new to read are inspected where they are: it takes less time than handing
/// them to another thread.
const INLINE: usize = 64 << 10;

/// The longer a message has waited for its turn, the less of it the model reads; after so long, rules alone do. So a burst of long
/// texts makes nobody wait for seconds. Of one larger than [`INLINE`], which takes the model as long as a hundred questions to an
/// assistant, it reads something only if nobody waits.
const PATIENCE: Duration = Duration::from_millis(250);

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

/// The one record of a streamed exchange, which grows with what is found.
#[derive(Debug)]
pub struct StreamRecord {
    /// Its id, for `X-Exeat-Request`.
    pub id: Id,
    /// All that was found so far.
    all: Option<Inspection>,
    /// Length of the body so far.
    bytes: u64,
    /// Time that inspection has taken so far.
    took: Duration,
    /// What is on the disk.
    written: Option<Written>,
}

/// What of a record can have changed since it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    findings: usize,
    bytes: u64,
    action: Action,
}

/// When a record is written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The stream goes on.
    Steady,
    /// It has ended.
    Last,
}

/// So many findings of a stream are on the disk each before its bytes go out.
const MOST_STEADILY: usize = 100;

impl StreamRecord {
    /// Begins one; nothing is written yet.
    #[expect(clippy::new_without_default, reason = "each has an id of its own")]
    pub fn new() -> Self {
        Self { id: Id::new(), all: None, bytes: 0, took: Duration::ZERO, written: None }
    }

    /// `bytes` more came in and took `took` to inspect.
    pub fn grow(&mut self, bytes: usize, took: Duration) {
        self.bytes += bytes as u64;
        self.took += took;
    }

    /// The refusal, if there is one.
    pub fn refusal(&self) -> Option<&Inspection> {
        self.all.as_ref().filter(|all| all.verdict.action == Action::Block)
    }
}

/// How much of what it may read the model reads of a body of `len` bytes that had to wait.
fn share(len: usize, waited: Option<Duration>) -> f64 {
    match waited {
        None => 1.0,
        Some(waited) if len <= INLINE => 1.0 - waited.as_secs_f64() / PATIENCE.as_secs_f64(),
        Some(_) => 0.0,
    }
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
        self.pass_with(head, body, None).await
    }

    /// The same, for a message of which `part` has been inspected before: one record tells of both.
    pub async fn pass_with(&self, head: Head, body: Bytes, part: Option<Inspection>) -> (Head, Passed) {
        let started = Instant::now();
        let (head, mut inspection) = self.inspect(head, body.clone()).await;
        if let Some(part) = part {
            inspection.add(part);
        }
        let message = head.message(&body);
        let id = self.record(&message, &mut inspection, started.elapsed()).await;
        (head, Passed { id, inspection })
    }

    /// Inspects a message, or a part of one, without a record; the caller sees to that.
    pub async fn inspect(&self, head: Head, body: Bytes) -> (Head, Inspection) {
        if body.len() > INLINE {
            return self.inspect_aside(head, body, None).await;
        }
        let quick = self.inspector.load().inspect_within(&head.message(&body), 0.0);
        if quick.gaps.contains(&Gap::ModelSkipped) { self.inspect_aside(head, body, Some(quick)).await } else { (head, quick) }
    }

    /// Inspects on a thread that may take its time. `quick` is what is known without the model: when all are busy, it has to do, for
    /// nobody should have to come again for that.
    async fn inspect_aside(&self, head: Head, body: Bytes, quick: Option<Inspection>) -> (Head, Inspection) {
        let inspector = self.inspector.load_full();
        let asked = (self.permits.available_permits() == 0).then(Instant::now);
        let permit = match tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => {
                let inspection = quick.unwrap_or_else(|| inspector.unread(&head.message(&body), Gap::Overloaded));
                return (head, inspection);
            }
        };
        let share = share(body.len(), asked.map(|asked| asked.elapsed()));
        let spare = head.clone();
        let work = tokio::task::spawn_blocking(move || {
            let inspection = inspector.inspect_within(&head.message(&body), share);
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
                self.unrecorded(id, &error, message, inspection);
            }
        } else {
            self.store.count_clean(message.body.len() as u64);
        }
        self.metrics.inspected(inspection, message.body.len() as u64, took);
        id
    }

    fn unrecorded(&self, id: Id, error: &Unrecorded, message: &Message<'_>, inspection: &mut Inspection) {
        tracing::error!(%error, request = %id, "an audit record could not be stored");
        inspection.add(self.inspector.load().unread(message, Gap::Unrecorded));
    }

    /// Takes `news` of a stream into its record. When this returns, what has to be recorded is on the disk.
    pub async fn note(&self, stream: &mut StreamRecord, head: &Head, news: Inspection) {
        match &mut stream.all {
            Some(all) => all.add(news),
            none => *none = Some(news),
        }
        self.write(stream, head, Pace::Steady).await;
    }

    /// The stream has ended: its record gets the length that it came to. One without findings is only counted.
    pub async fn conclude(&self, mut stream: StreamRecord, head: &Head) {
        self.write(&mut stream, head, Pace::Last).await;
        match stream.all {
            Some(all) if Record::is_due(&all) => self.metrics.inspected(&all, stream.bytes, stream.took),
            clean => {
                self.store.count_clean(stream.bytes);
                let clean = clean.unwrap_or_else(|| self.inspector.load().clean(&head.message(&Bytes::new())));
                self.metrics.inspected(&clean, stream.bytes, stream.took);
            }
        }
    }

    async fn write(&self, stream: &mut StreamRecord, head: &Head, pace: Pace) {
        let body = Bytes::new();
        let message = head.message(&body);
        let Some(all) = stream.all.as_mut().filter(|all| Record::is_due(all)) else { return };
        let now = Written { findings: all.findings.len(), bytes: stream.bytes, action: all.verdict.action };
        let is_due = match stream.written {
            None => true,
            Some(before) if before.action != now.action => true,
            // A stream full of findings must not be a record for each: the first hundred, then whenever they have doubled.
            Some(before) => match pace {
                Pace::Steady => now.findings < MOST_STEADILY || now.findings >= 2 * before.findings,
                Pace::Last => before != now,
            },
        };
        if !is_due {
            return;
        }
        let mut record = Record::of(stream.id, &message, all, stream.took, &self.key);
        record.bytes = stream.bytes;
        let stored = match stream.written {
            None => self.store.append(&record).await,
            Some(_) => self.store.amend(&record).await,
        };
        match stored {
            Ok(()) => stream.written = Some(now),
            Err(error) => self.unrecorded(stream.id, &error, &message, all),
        }
    }

    /// Records an exchange that was not read: a bypassed tunnel, a forbidden destination.
    pub async fn record_unread(&self, head: &Head, action: Outcome, why: &str) -> Id {
        let id = Id::new();
        let host = head.hosts.first().map_or("", String::as_str);
        let mut record = Record::unread(id, head.client, head.user.as_deref(), head.method.as_str(), host, action);
        record.also = Record::names(head.hosts.get(1..).unwrap_or_default());
        record.policy = Some(why.to_owned());
        if let Err(error) = self.store.append(&record).await {
            tracing::error!(%error, request = %id, "an audit record could not be stored");
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::{Detectors, model::Model},
        inspect::{Limits, Readers},
        policy::Policy,
    };
    use http::{HeaderMap, Method};

    fn head() -> Head {
        let hosts = vec!["notes.example".to_owned()];
        let (method, target, headers) = (Method::POST, "/".to_owned(), HeaderMap::new());
        Head { client: [127, 0, 0, 1].into(), user: None, hosts, method, target, headers }
    }

    #[test]
    fn whoever_waits_gets_less_of_the_model() {
        let waited = |millis| Some(Duration::from_millis(millis));
        assert_eq!((share(100, None), share(INLINE + 1, None)), (1.0, 1.0));
        assert!(share(100, waited(50)) > share(100, waited(100)));
        assert!(share(100, waited(260)) <= 0.0);
        assert_eq!(share(INLINE + 1, waited(0)), 0.0);
    }

    #[tokio::test]
    async fn when_all_are_busy_rules_read_small_messages_and_large_ones_wait_for_another_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("audit.db"), &[7; 32], None).expect("a store");
        let readers = Readers::new(Arc::new(Detectors::embedded().expect("rules")));
        let readers = readers.with_model(Some(Arc::new(Model::embedded(1).expect("the model"))));
        let limits = Limits { max_bytes: 1 << 20, deadline: Duration::from_secs(30), tokens: 8192 };
        let inspector = Inspector::new(readers, Policy::embedded(), DigestKey::new([9; 32]), limits);
        let inspector = Arc::new(ArcSwap::from_pointee(inspector));
        let gate = Gate::new(inspector, store, Arc::default(), DigestKey::new([9; 32]), 1, Duration::ZERO);
        let busy = Arc::clone(&gate.permits).acquire_owned().await.expect("a permit");

        let small = Bytes::from_static(b"Ask Margaret Okafor to charge my visa card 4539 5787 6362 1486 today.");
        let labels = |inspection: &Inspection| inspection.findings.iter().map(|found| found.finding.label.to_string()).collect::<Vec<_>>();
        let (_, inspection) = gate.inspect(head(), small.clone()).await;
        assert_eq!((labels(&inspection), inspection.gaps), (vec!["finance.card".to_owned()], vec![Gap::ModelSkipped]));
        assert_eq!(inspection.verdict.action, Action::Redact);
        let large = Bytes::from(vec![b' '; INLINE + 1]);
        assert_eq!(gate.inspect(head(), large).await.1.gaps, [Gap::Overloaded]);

        drop(busy);
        let (_, inspection) = gate.inspect(head(), small).await;
        assert_eq!(labels(&inspection), ["personal.name", "finance.card"]);
        assert_eq!(inspection.gaps, []);
    }
}
