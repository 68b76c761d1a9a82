//! Events as text for other tools: one JSON object or one CSV row each.

use super::{
    query::{Event, Review},
    record::Record,
};
use serde_json::json;
use std::fmt::Write as _;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How events are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// RFC 4180, one row an event, labels joined by spaces.
    Csv,
}

impl Format {
    const COLUMNS: &'static str =
        "id,time,client,user,method,host,also,path_digest,action,policy,labels,findings,gaps,bytes,duration_ms,review,reviewer,note\r\n";

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ndjson" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// What stands before the first event.
    pub fn head(self) -> &'static str {
        match self {
            Self::Ndjson => "",
            Self::Csv => Self::COLUMNS,
        }
    }

    /// The line of one event, with its end.
    pub fn line(self, event: &Event) -> String {
        match self {
            Self::Ndjson => to_json(event) + "\n",
            Self::Csv => to_csv(event),
        }
    }
}

/// An event as the API returns it: the record, and `review` where there is one.
pub(crate) fn to_json(event: &Event) -> String {
    match (&event.review, event.json.strip_suffix('}')) {
        (Some(review), Some(open)) => format!("{open},\"review\":{}}}", review_json(review)),
        (Some(_) | None, _) => event.json.clone(),
    }
}

fn review_json(review: &Review) -> serde_json::Value {
    json!({"verdict": review.verdict, "note": review.note, "reviewer": review.reviewer, "time": rfc3339(review.time)})
}

/// A time in milliseconds since 1970, as RFC 3339 in UTC.
pub(crate) fn rfc3339(milliseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

fn to_csv(event: &Event) -> String {
    let mut row = String::new();
    let Ok(record) = serde_json::from_str::<Record>(&event.json) else {
        // Only tampering makes such a row; `verify` reports it, and the export still names it.
        return format!("{}{}\r\n", event.id, ",".repeat(Format::COLUMNS.matches(',').count()));
    };
    let mut labels: Vec<&str> = record.findings.iter().map(|entry| entry.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    let gaps: Vec<&str> = record.gaps.iter().map(|gap| gap.name()).collect();
    let review = event.review.as_ref();
    let text = |value: Option<&str>| cell(value.unwrap_or_default());
    let _ = write!(
        row,
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
        record.id,
        record.time.format(&Rfc3339).unwrap_or_default(),
        record.client,
        text(record.user.as_deref()),
        cell(&record.method),
        cell(&record.host),
        cell(&record.also.join(" ")),
        text(record.path_digest.as_deref()),
        record.action.name(),
        text(record.policy.as_deref()),
        cell(&labels.join(" ")),
        record.findings.len() + record.findings_omitted,
        gaps.join(" "),
        record.bytes,
        record.duration_ms,
        text(review.map(|review| review.verdict.as_str())),
        text(review.map(|review| review.reviewer.as_str())),
        text(review.map(|review| review.note.as_str())),
    );
    row
}

/// A CSV cell. What a spreadsheet would run as a formula gets an apostrophe before it: names come from clients.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { format!("{guard}{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Id, Outcome};

    fn event() -> Event {
        let id = Id::floor(1_760_000_000_000);
        let record = Record::unread(id, [127, 0, 0, 1].into(), Some("=cmd(\"x\")"), "POST", "a.example", Outcome::Block);
        let review = Review {
            verdict: "confirmed".to_owned(),
            note: "told, twice".to_owned(),
            reviewer: "wang".to_owned(),
            time: 1_760_000_100_000,
        };
        Event { seq: 1, id, json: record.to_json().expect("json"), review: Some(review) }
    }

    #[test]
    fn a_formula_in_a_name_stays_text() {
        let line = Format::Csv.line(&event());
        assert!(line.contains(",\"'=cmd(\"\"x\"\")\",POST,"), "{line}");
        assert!(line.ends_with(",confirmed,wang,\"told, twice\"\r\n"), "{line}");
    }

    #[test]
    fn a_review_is_part_of_the_event() {
        let value: serde_json::Value = serde_json::from_str(&Format::Ndjson.line(&event())).expect("json");
        assert_eq!(value["review"]["verdict"], "confirmed");
        assert_eq!(value["review"]["time"], "2025-10-09T08:55:00Z");
        assert_eq!(value["action"], "block");
    }
}
