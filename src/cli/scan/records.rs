//! Records `{"id","text"}`, one a line.

use super::{
    Detail,
    examine::{self, Report, Source},
};
use crate::cli::{
    Outcome, ordered,
    reader::{Reader, Reading},
};
use anyhow::Context;
use exeat::{
    content::Document,
    detect::Suppressed,
    finding::{Carried, Finding},
    policy::{Action, Decision, Whereabouts},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A record as read; other keys are left alone.
#[derive(Deserialize)]
struct Fields {
    id: serde_json::Value,
    text: String,
}

/// A record with its place.
pub(super) struct Record {
    file: Arc<str>,
    fields: Fields,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a serde_json::Value,
    findings: Vec<Found<'a>>,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Vec<Passed<'a>>>,
}

/// Offsets count UTF-8 bytes of the record's text.
#[derive(Serialize)]
struct Found<'a> {
    start: usize,
    end: usize,
    label: &'a str,
    detector: &'a str,
    confidence: exeat::finding::Confidence,
    #[serde(flatten)]
    reasons: Option<Reasons<'a>>,
}

#[derive(Serialize)]
struct Reasons<'a> {
    evidence: exeat::finding::Evidence,
    action: Action,
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    carried: Vec<Word>,
}

/// A word that carried a finding of the model's.
#[derive(Serialize)]
struct Word {
    start: usize,
    end: usize,
    share: f32,
}

#[derive(Serialize)]
struct Passed<'a> {
    start: usize,
    end: usize,
    detector: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// Answers every record with a line, in order.
pub(super) fn answer(reader: &Reader, paths: &[PathBuf], detail: Detail, mut out: impl Write) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Clean;
    for path in paths {
        let work = |record: anyhow::Result<Record>| line(reader, &record?.fields, detail);
        let written = ordered::map(read(path)?, work, |line| {
            let (line, action) = line?;
            if action > Action::Allow {
                outcome = Outcome::Found;
            }
            out.write_all(&line).context("stdout")
        });
        // What came before a bad record has been answered.
        out.flush().context("stdout")?;
        written?;
    }
    Ok(outcome)
}

fn line(reader: &Reader, record: &Fields, detail: Detail) -> anyhow::Result<(Vec<u8>, Action)> {
    let document = Document::plain(&record.text);
    let Reading { findings, suppressed, carried, verdict, .. } = reader.read(&document, Whereabouts::Unknown, &[]);
    let word = |carried: &Carried| Word { start: carried.span.start(), end: carried.span.end(), share: carried.share };
    let reasons = |index: usize, finding: &Finding, decision| {
        let Decision { action, rule, .. }: &Decision = decision;
        let carried = carried.get(index).into_iter().flatten().map(word).collect();
        Reasons { evidence: finding.evidence, action: *action, rule: rule.as_deref(), carried }
    };
    let found = findings.iter().zip(&verdict.decisions).enumerate().map(|(index, (finding, decision))| Found {
        start: finding.span.start(),
        end: finding.span.end(),
        label: finding.label.as_str(),
        detector: &finding.detector,
        confidence: finding.confidence,
        reasons: match detail {
            Detail::Findings => None,
            Detail::Reasons => Some(reasons(index, finding, decision)),
        },
    });
    fn passed(one: &Suppressed) -> Passed<'_> {
        let (start, end) = (one.span.start(), one.span.end());
        Passed { start, end, detector: &one.detector, reason: one.reason, detail: one.detail.as_deref() }
    }
    let suppressed = match detail {
        Detail::Findings => None,
        Detail::Reasons => Some(suppressed.iter().map(passed).collect()),
    };
    let answer = Answer { id: &record.id, findings: found.collect(), action: verdict.action, suppressed };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    Ok((line, verdict.action))
}

/// Reads a record as a source of its own, named after the file and its id.
pub(super) fn examine(reader: &Reader, record: &Record) -> Report {
    let id = match &record.fields.id {
        serde_json::Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    examine::text(reader, &Source::named(format!("{}#{id}", record.file)), &record.fields.text)
}

/// The records of a file, or of stdin for `-`. Blank lines are no records.
pub(super) fn read(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Record>> + Send + use<>> {
    let input: Box<dyn Read + Send> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        Some(_) | None => Box::new(File::open(path).with_context(|| path.display().to_string())?),
    };
    Ok(records(BufReader::with_capacity(1 << 16, input), path.display().to_string().into()))
}

fn records(mut input: impl BufRead + Send, file: Arc<str>) -> impl Iterator<Item = anyhow::Result<Record>> + Send {
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            number += 1;
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Err(error) => return Some(Err(error).with_context(|| file.to_string())),
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let fields =
                        serde_json::from_slice(&line).with_context(|| format!("{file}:{number}: not a record {{\"id\",\"text\"}}"));
                    return Some(fields.map(|fields| Record { file: Arc::clone(&file), fields }));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::config::{Config, Overrides};

    fn reader() -> Reader {
        Reader::of(&Config::load(None, &Overrides::default()).expect("defaults")).expect("shipped rules")
    }

    #[test]
    fn offsets_count_bytes_and_ids_come_back_as_they_were() {
        let record = Fields { id: serde_json::json!(7), text: "联系人 jane.roe@corp-mail.com".to_owned() };
        let (answer, action) = line(&reader(), &record, Detail::Findings).expect("answer");
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("json");
        assert_eq!(action, Action::Log);
        assert_eq!((&answer["id"], &answer["action"]), (&serde_json::json!(7), &serde_json::json!("log")));
        let found = &answer["findings"][0];
        assert_eq!((found["start"].as_u64(), found["end"].as_u64(), found["label"].as_str()), (Some(10), Some(32), Some("personal.email")));
        let keys: Vec<_> = found.as_object().expect("object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["start", "end", "label", "detector", "confidence"]);
    }

    #[test]
    fn a_bad_record_is_an_error_with_its_line() {
        let mut all = records(&b"{\"id\":1,\"text\":\"a\"}\n\n{\"id\":2}\n"[..], "x.jsonl".into());
        assert!(all.next().is_some_and(|record| record.is_ok()));
        let error = all.next().and_then(Result::err).expect("bad");
        assert!(format!("{error:#}").starts_with("x.jsonl:3: not a record"), "{error:#}");
    }
}
