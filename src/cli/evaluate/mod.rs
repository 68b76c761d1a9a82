//! `exeat evaluate`: precision and recall of rules and model on labelled data.

mod data;
mod kinds;
mod knowledge;
mod rank;
mod score;

use super::{ConfigArgs, Outcome, ordered, reader::Reader};
use data::{Gold, Record};
use exeat::{
    content::Document,
    finding::{Confidence, Finding},
    policy::{Action, Whereabouts},
};
use kinds::Kind;
use rank::Ranked;
use score::{Counts, Table};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

/// Measure precision and recall on labelled data
///
/// Data are JSON lines (.jsonl or .jsonl.gz) of one of three kinds, told apart by their keys:
///   spans    {"id","text","spans":[{"start","end","label"}]}   offsets count Unicode code points, end exclusive
///   secrets  {"id","text","label":"secret"|"benign","kind"}     found if any finding lies under secret
///   classes  {"id","text","label","category"}                   found if any finding but a personal.name is in it
///
/// Per label: precision, recall, F1, and 95 % Wilson intervals; leak recall, the share of spans of which at least 80 % of the letters
/// and digits are covered by findings of their label; and the share of records that the policy would redact or block ("acted on").
/// For confidential and public records, how well the model's surest passage tells them apart. A finding counts as right if it overlaps a span of its
/// label. Labels that a file never uses are not judged by it, since it may simply not mark them.
///
/// With --knowledge, a pack is tried instead: on excerpts of --documents that are in it, as they are and edited, and on
/// --public ones, which must raise no alarm; its head on --unseen ones.
///
/// Labels of the data and ours:
#[doc = include_str!("kinds.txt")]
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Data files
    #[arg(value_name = "DATA", required_unless_present = "knowledge", conflicts_with = "knowledge")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    pack: knowledge::PackArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Findings below this confidence do not count
    #[arg(long, default_value_t = 0.5, value_name = "NUMBER")]
    confidence: f32,
    /// List what is wrong instead: false positives or false negatives, with the text around them
    #[arg(long, value_enum)]
    show: Option<Show>,
    /// How to print the figures
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    Fp,
    Fn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Jsonl,
    /// Tables for docs/quality.md
    Markdown,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    if let Some(pack) = &args.pack.knowledge {
        return knowledge::run(pack, &args.pack, args.config.load()?);
    }
    let reader = Reader::of(&args.config.load()?)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for path in &args.data {
        let judged = judged(path)?;
        let mut table = Table::default();
        let work = |record: anyhow::Result<Record>| record.map(|record| judge(&reader, &record, &judged, args.confidence));
        ordered::map(data::read(path)?, work, |judgement| {
            let judgement = judgement?;
            let wrong = match args.show {
                None => &[][..],
                Some(Show::Fp) => &judgement.false_positives,
                Some(Show::Fn) => &judgement.false_negatives,
            };
            wrong.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            table.add(&judgement.counts);
            judgement.ranked.into_iter().for_each(|ranked| table.rank(ranked));
            anyhow::Ok(())
        })?;
        if args.show.is_none() {
            match args.format {
                Format::Text => table.text(&path.display().to_string(), &mut out)?,
                Format::Jsonl => table.jsonl(&path.display().to_string(), &mut out)?,
                Format::Markdown => table.markdown(&name(path), &mut out)?,
            }
        }
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

/// The file's name without folders and endings: where the data lies is no figure.
fn name(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The kinds that the spans of a file use.
fn judged(path: &std::path::Path) -> anyhow::Result<BTreeSet<Kind>> {
    let mut kinds = BTreeSet::new();
    for record in data::read(path)? {
        if let Gold::Spans(spans) = record?.gold {
            kinds.extend(spans.iter().filter_map(|span| Kind::of_data(&span.label)));
        }
    }
    Ok(kinds)
}

/// What one record adds to the figures.
struct Judgement {
    counts: Vec<(String, Counts)>,
    ranked: Option<Ranked>,
    false_positives: Vec<String>,
    false_negatives: Vec<String>,
}

fn judge(reader: &Reader, record: &Record, judged: &BTreeSet<Kind>, confidence: f32) -> Judgement {
    let document = Document::plain(&record.text);
    let reading = reader.read(&document, Whereabouts::Unknown, &[]);
    let is_acted = reading.verdict.action >= Action::Redact;
    let found: Vec<_> = reading.findings.into_iter().filter(|finding| finding.confidence.value() >= confidence).collect();
    let mut judgement = Judgement { counts: Vec::new(), ranked: None, false_positives: Vec::new(), false_negatives: Vec::new() };
    let excerpt = |start: usize, end: usize| around(&record.text, start, end);
    match &record.gold {
        Gold::Spans(spans) => {
            let spans: Vec<_> = spans.iter().filter_map(|span| Some((Kind::of_data(&span.label)?, span))).collect();
            for (kind, span) in &spans {
                let is_found = found
                    .iter()
                    .any(|finding| kind.holds(&finding.label) && finding.span.start() < span.end && span.start < finding.span.end());
                if !is_found {
                    let instead = found.iter().find(|finding| finding.span.start() < span.end && span.start < finding.span.end());
                    let instead = instead.map_or(String::new(), |finding| format!(" (found as {})", finding.label));
                    judgement.false_negatives.push(format!("{}\t{}{instead}\t{}", record.id, kind.name(), excerpt(span.start, span.end)));
                }
                let covered = covered(&record.text, span, found.iter().filter(|finding| kind.holds(&finding.label)));
                judgement.counts.push((kind.name().to_owned(), Counts::gold(is_found, covered >= COVERED)));
            }
            for finding in &found {
                let Some(kind) = judged.iter().find(|kind| kind.holds(&finding.label)) else { continue };
                let overlaps = |span: &data::Span| finding.span.start() < span.end && span.start < finding.span.end();
                let is_right = spans.iter().any(|(gold, span)| gold.holds(&finding.label) && overlaps(span));
                if !is_right {
                    let place = excerpt(finding.span.start(), finding.span.end());
                    judgement.false_positives.push(format!("{}\t{}\t{}\t{place}", record.id, finding.label, finding.detector));
                }
                judgement.counts.push((kind.name().to_owned(), Counts::finding(is_right)));
            }
        }
        Gold::Secret { is_secret, kind } => {
            let secret = found.iter().find(|finding| finding.label.is_under("secret"));
            judgement.counts.push(("secret".to_owned(), Counts::whole(*is_secret, secret.is_some(), is_acted)));
            match secret {
                Some(finding) if !is_secret => {
                    let place = excerpt(finding.span.start(), finding.span.end());
                    judgement.false_positives.push(format!("{}\t{kind}\t{}\t{place}", record.id, finding.detector));
                }
                None if *is_secret => judgement.false_negatives.push(format!("{}\t{kind}\t{}", record.id, excerpt(0, 200))),
                Some(_) | None => {}
            }
        }
        Gold::Class { label, category } => {
            let alarm = found.iter().find(|finding| !finding.label.is_under("personal.name"));
            let is_confidential = label == "confidential";
            // Harmless posts are no counterpart of business papers.
            if is_confidential || label == "public" {
                let score = reader.surest_passage(&document, &found).map_or(0.0, Confidence::value);
                judgement.ranked = Some(Ranked { category: category.clone(), is_confidential, score });
            }
            judgement.counts.push((format!("{label}/{category}"), Counts::whole(is_confidential, alarm.is_some(), is_acted)));
            judgement.counts.push((format!("{label}/*"), Counts::whole(is_confidential, alarm.is_some(), is_acted)));
            match alarm {
                Some(finding) if !is_confidential => {
                    let place = excerpt(finding.span.start(), finding.span.end());
                    judgement.false_positives.push(format!("{}\t{}\t{}\t{place}", record.id, finding.label, finding.detector));
                }
                None if is_confidential => judgement.false_negatives.push(format!("{}\t{category}\t{}", record.id, excerpt(0, 100))),
                Some(_) | None => {}
            }
        }
    }
    judgement
}

/// A span does not leak if so much of it is covered.
const COVERED: f64 = 0.8;

/// How much of a span's letters and digits `findings` cover.
fn covered<'f>(text: &str, span: &data::Span, findings: impl Iterator<Item = &'f Finding>) -> f64 {
    let findings: Vec<&Finding> = findings.collect();
    let letters = text.get(span.start..span.end).unwrap_or_default().char_indices().filter(|(_, char)| char.is_alphanumeric());
    let (mut all, mut inside) = (0_u32, 0_u32);
    for (at, _) in letters {
        let at = span.start + at;
        all += 1;
        inside += u32::from(findings.iter().any(|finding| finding.span.start() <= at && at < finding.span.end()));
    }
    if all == 0 { 1.0 } else { f64::from(inside) / f64::from(all) }
}

/// The text of `start..end` in brackets, with a little of both sides, on one line.
fn around(text: &str, start: usize, end: usize) -> String {
    let side = 30;
    let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
    let (inside, after) = rest.split_at_checked(end.saturating_sub(start)).unwrap_or((rest, ""));
    let before: Vec<char> = before.chars().rev().take(side).collect();
    let line: String =
        before.iter().rev().chain(&['[']).copied().chain(inside.chars()).chain([']']).chain(after.chars().take(side)).collect();
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::config::{Config, Overrides};

    fn judged_record(line: &str) -> Judgement {
        let mut config = Config::load(None, &Overrides::default()).expect("defaults");
        config.inspect.model = exeat::policy::ModelUse::Off;
        let reader = Reader::of(&config).expect("shipped rules");
        let record = data::parse(line.as_bytes()).expect("record");
        let kinds = [Kind::of_data("EMAIL").expect("kind")].into();
        judge(&reader, &record, &kinds, 0.5)
    }

    #[test]
    fn code_points_are_counted_and_overlap_counts_as_right() {
        let judgement = judged_record(r#"{"id":1,"text":"联系 jane.roe@corp-mail.com","spans":[{"start":3,"end":25,"label":"EMAIL"}]}"#);
        assert!(judgement.false_positives.is_empty() && judgement.false_negatives.is_empty());
        assert_eq!(judgement.counts.len(), 2);
        let judgement = judged_record(r#"{"id":1,"text":"jane.roe@corp-mail.com","spans":[]}"#);
        assert_eq!(judgement.false_positives.len(), 1);
        let judgement = judged_record(r#"{"id":1,"text":"jane at corp","spans":[{"start":0,"end":4,"label":"EMAIL"}]}"#);
        assert_eq!(judgement.false_negatives, ["1\tEMAIL\t[jane] at corp"]);
    }

    #[test]
    fn a_harmless_record_with_a_finding_is_a_false_alarm() {
        let judgement = judged_record(r#"{"id":"h","text":"jane.roe@corp-mail.com","label":"harmless","category":"prompt"}"#);
        assert_eq!(judgement.false_positives.len(), 1);
    }
}
