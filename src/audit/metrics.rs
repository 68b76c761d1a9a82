//! Counters of everything that goes through, for Prometheus: no host, no user, no content.

use crate::{
    detect::model::Readings,
    finding::{Gap, Label},
    inspect::Inspection,
    policy::Action,
};
use std::{
    array,
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Counters that only grow, and a gauge of open connections. Cheap enough for every request.
#[derive(Debug)]
pub struct Metrics {
    exchanges: [AtomicU64; 4],
    bypassed: AtomicU64,
    refused: AtomicU64,
    gaps: [AtomicU64; Gap::ALL.len()],
    findings: Mutex<BTreeMap<Label, u64>>,
    body_bytes: AtomicU64,
    inspection: Histogram,
    connections: AtomicU64,
    open_connections: AtomicU64,
    upstream_failures: AtomicU64,
}

/// Counts an open connection for as long as it lives.
#[derive(Debug)]
pub struct OpenConnection<'a>(&'a AtomicU64);

impl Default for Metrics {
    fn default() -> Self {
        let counters = || AtomicU64::new(0);
        Self {
            exchanges: array::from_fn(|_| counters()),
            bypassed: counters(),
            refused: counters(),
            gaps: array::from_fn(|_| counters()),
            findings: Mutex::default(),
            body_bytes: counters(),
            inspection: Histogram::default(),
            connections: counters(),
            open_connections: counters(),
            upstream_failures: counters(),
        }
    }
}

impl Metrics {
    /// Labels told apart; a company can teach as many as it likes.
    const MOST_LABELS: usize = 1000;

    /// Counts an inspected message of `bytes` bytes.
    pub fn inspected(&self, inspection: &Inspection, bytes: u64, duration: Duration) {
        add(self.exchanges.get(action_index(inspection.verdict.action)), 1);
        add(Some(&self.body_bytes), bytes);
        self.inspection.observe(duration);
        for gap in &inspection.gaps {
            self.gap(*gap);
        }
        if !inspection.findings.is_empty() {
            let mut counts = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
            for found in &inspection.findings {
                let full = counts.len() >= Self::MOST_LABELS;
                match counts.get_mut(&found.finding.label) {
                    Some(count) => *count += 1,
                    None if full => {}
                    None => drop(counts.insert(found.finding.label.clone(), 1)),
                }
            }
        }
    }

    /// Counts a gap outside of an inspection: an opaque tunnel, a record that could not be stored.
    pub fn gap(&self, gap: Gap) {
        let index = Gap::ALL.iter().position(|known| *known == gap);
        add(index.and_then(|index| self.gaps.get(index)), 1);
    }

    /// Counts a tunnel that passed unread by the `bypass` list.
    pub fn bypassed(&self) {
        add(Some(&self.bypassed), 1);
    }

    /// Counts a request that was refused before any inspection: bad syntax, a forbidden destination, a missing password.
    pub fn refused(&self) {
        add(Some(&self.refused), 1);
    }

    /// Counts an origin that could not be reached or failed its certificate.
    pub fn upstream_failed(&self) {
        add(Some(&self.upstream_failures), 1);
    }

    /// Counts a client's connection, open until the value is dropped.
    pub fn connected(&self) -> OpenConnection<'_> {
        add(Some(&self.connections), 1);
        add(Some(&self.open_connections), 1);
        OpenConnection(&self.open_connections)
    }

    /// The text that Prometheus reads (exposition format 0.0.4); `waiting`, `stored` and `unstored` are the store's, `model` is the
    /// model's, if there is one.
    pub fn render(&self, waiting: usize, stored: u64, unstored: u64, model: Option<&Readings>) -> String {
        let mut out = String::with_capacity(4096);
        // Writing to a string cannot fail.
        let _ = self.write(&mut out, waiting, stored, unstored);
        let _ = model.map_or(Ok(()), |model| write_model(&mut out, model));
        out
    }

    fn write(&self, out: &mut String, waiting: usize, stored: u64, unstored: u64) -> fmt::Result {
        head(out, "exeat_exchanges_total", "counter", "Inspected requests and messages by what was done.")?;
        for action in ACTIONS {
            writeln!(
                out,
                "exeat_exchanges_total{{action=\"{}\"}} {}",
                action_name(action),
                read(self.exchanges.get(action_index(action)))
            )?;
        }
        writeln!(out, "exeat_exchanges_total{{action=\"bypass\"}} {}", read(Some(&self.bypassed)))?;
        head(out, "exeat_refused_total", "counter", "Requests refused before inspection.")?;
        writeln!(out, "exeat_refused_total {}", read(Some(&self.refused)))?;
        head(out, "exeat_findings_total", "counter", "Findings by label.")?;
        for (label, count) in &*self.findings.lock().unwrap_or_else(PoisonError::into_inner) {
            writeln!(out, "exeat_findings_total{{label=\"{label}\"}} {count}")?;
        }
        head(out, "exeat_gaps_total", "counter", "What could not be inspected, by reason.")?;
        for (gap, count) in Gap::ALL.iter().zip(&self.gaps) {
            writeln!(out, "exeat_gaps_total{{gap=\"{gap}\"}} {}", read(Some(count)))?;
        }
        head(out, "exeat_inspected_bytes_total", "counter", "Bytes of inspected bodies.")?;
        writeln!(out, "exeat_inspected_bytes_total {}", read(Some(&self.body_bytes)))?;
        head(out, "exeat_inspection_seconds", "histogram", "Time that inspections took.")?;
        self.inspection.write(out, "exeat_inspection_seconds")?;
        head(out, "exeat_connections_total", "counter", "Connections that clients opened.")?;
        writeln!(out, "exeat_connections_total {}", read(Some(&self.connections)))?;
        head(out, "exeat_open_connections", "gauge", "Connections of clients that are open.")?;
        writeln!(out, "exeat_open_connections {}", read(Some(&self.open_connections)))?;
        head(out, "exeat_upstream_failures_total", "counter", "Origins that could not be reached or trusted.")?;
        writeln!(out, "exeat_upstream_failures_total {}", read(Some(&self.upstream_failures)))?;
        head(out, "exeat_audit_queue", "gauge", "Audit records that wait for the disk.")?;
        writeln!(out, "exeat_audit_queue {waiting}")?;
        head(out, "exeat_audit_records_total", "counter", "Audit records by whether they could be stored.")?;
        writeln!(out, "exeat_audit_records_total{{result=\"stored\"}} {stored}")?;
        writeln!(out, "exeat_audit_records_total{{result=\"refused\"}} {unstored}")
    }
}

fn write_model(out: &mut String, model: &Readings) -> fmt::Result {
    head(out, "exeat_model_tokens_total", "counter", "Tokens that the model read.")?;
    writeln!(out, "exeat_model_tokens_total {}", model.tokens)?;
    head(out, "exeat_model_windows_total", "counter", "Windows of text by whether the model read them or knew them already.")?;
    writeln!(out, "exeat_model_windows_total{{result=\"read\"}} {}", model.windows)?;
    writeln!(out, "exeat_model_windows_total{{result=\"known\"}} {}", model.known)?;
    head(out, "exeat_model_batch_seconds", "summary", "Time that the model took for each batch of windows.")?;
    writeln!(out, "exeat_model_batch_seconds_sum {}", model.busy.as_secs_f64())?;
    writeln!(out, "exeat_model_batch_seconds_count {}", model.batches)?;
    head(out, "exeat_model_skipped_total", "counter", "Messages that the model did not read in full.")?;
    writeln!(out, "exeat_model_skipped_total {}", model.skipped)?;
    head(out, "exeat_model_queue", "gauge", "Messages that wait for the model.")?;
    writeln!(out, "exeat_model_queue {}", model.waiting)
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

const ACTIONS: [Action; 4] = [Action::Allow, Action::Log, Action::Redact, Action::Block];

fn action_index(action: Action) -> usize {
    match action {
        Action::Allow => 0,
        Action::Log => 1,
        Action::Redact => 2,
        Action::Block => 3,
    }
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Log => "log",
        Action::Redact => "redact",
        Action::Block => "block",
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn add(counter: Option<&AtomicU64>, number: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(number, Ordering::Relaxed);
    }
}

fn read(counter: Option<&AtomicU64>) -> u64 {
    counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
}

/// Counts of durations below fixed borders.
#[derive(Debug, Default)]
struct Histogram {
    counts: [AtomicU64; Histogram::BORDERS.len()],
    total: AtomicU64,
    microseconds: AtomicU64,
}

impl Histogram {
    /// In microseconds, with their names in seconds.
    const BORDERS: [(u64, &'static str); 12] = [
        (50, "0.00005"),
        (100, "0.0001"),
        (250, "0.00025"),
        (500, "0.0005"),
        (1_000, "0.001"),
        (2_500, "0.0025"),
        (10_000, "0.01"),
        (50_000, "0.05"),
        (100_000, "0.1"),
        (500_000, "0.5"),
        (1_000_000, "1"),
        (2_500_000, "2.5"),
    ];

    fn observe(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        add(Self::BORDERS.iter().position(|(border, _)| microseconds <= *border).and_then(|index| self.counts.get(index)), 1);
        add(Some(&self.total), 1);
        add(Some(&self.microseconds), microseconds);
    }

    fn write(&self, out: &mut String, name: &str) -> fmt::Result {
        let mut below = 0;
        for ((_, border), count) in Self::BORDERS.iter().zip(&self.counts) {
            below += read(Some(count));
            writeln!(out, "{name}_bucket{{le=\"{border}\"}} {below}")?;
        }
        // Another thread may have counted since: the last bucket must not be smaller than those before.
        let total = read(Some(&self.total)).max(below);
        writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {total}")?;
        let seconds = Duration::from_micros(read(Some(&self.microseconds))).as_secs_f64();
        writeln!(out, "{name}_sum {seconds}\n{name}_count {total}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.gap(Gap::OpaqueTunnel);
        metrics.bypassed();
        metrics.inspection.observe(Duration::from_micros(70));
        metrics.inspection.observe(Duration::from_secs(9));
        let open = metrics.connected();
        drop(metrics.connected());
        let model = Readings { tokens: 900, windows: 9, known: 4, batches: 2, busy: Duration::from_millis(60), skipped: 1, waiting: 3 };
        assert!(!metrics.render(3, 5, 1, None).contains("exeat_model"));
        insta::assert_snapshot!(metrics.render(3, 5, 1, Some(&model)));
        drop(open);
    }
}
