//! `exeat scan`: files, folders, stdin, records and git history to findings.

mod baseline;
mod examine;
mod files;
mod git;
mod records;
mod report;
mod sarif;

use super::{
    ConfigArgs, Outcome,
    language::{self, choose, counted},
    ordered,
    reader::Reader,
};
use anyhow::{Context, bail};
use baseline::Baseline;
use indicatif::{ProgressBar, ProgressStyle};
use report::Reporter;
use std::{
    io::{self, BufWriter, IsTerminal, Read},
    path::PathBuf,
    time::Duration,
};

/// Search files, folders, stdin, records or git history for confidential content
///
/// Nothing found is printed in clear: excerpts are masked. Ignore files (.gitignore, .ignore, .exeatignore) are respected;
/// hidden files are read, .git is not. A finding is whatever the policy would not simply allow in a post to an unlisted
/// site.
///
/// Exit status: 0 nothing found, 1 something found, 2 an error.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Files and folders; - is stdin [default: with --input jsonl stdin, with --git the current folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// What the input is: text of any kind, or records {"id","text"}, one a line
    #[arg(long, value_enum, default_value = "text")]
    input: Input,
    /// How to print what is found
    ///
    /// With --input jsonl --format jsonl, every record gives one line, in order:
    /// {"id","findings":[{"start","end","label","detector","confidence"}],"action"}; offsets count UTF-8 bytes of "text".
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Say why each finding is one, and what was seen and is none, with the check, the word or the allow-list entry in its way
    #[arg(long)]
    explain: bool,
    /// Leave out what this file lists, so that only new findings count
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what is found to the baseline file, and end with status 0
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    /// Search what the commits of a git repository added, of all branches or of REV (a branch, a range like main..dev)
    #[arg(long, value_name = "REV", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "input")]
    git: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Input {
    Text,
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Jsonl,
    Sarif,
}

/// How much is told about each finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Findings,
    Reasons,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let config = args.config.load()?;
    let reader = Reader::of(&config)?;
    let (reader, detail) = if args.explain { (reader.explaining(), Detail::Reasons) } else { (reader, Detail::Findings) };
    let out = BufWriter::new(io::stdout().lock());
    if args.input == Input::Jsonl && args.format == Format::Jsonl {
        if args.baseline.is_some() {
            bail!("a baseline is of files and commits; leave --baseline out with --input jsonl --format jsonl");
        }
        return records::answer(&reader, &inputs(args)?, detail, out);
    }
    let known = match &args.baseline {
        Some(path) if !args.write_baseline => Baseline::load(path)?,
        Some(_) | None => Baseline::default(),
    };
    let language = language::of_environment();
    let mut reporter = Reporter::new(reader.detectors(), args.format, detail, language, known, out);
    if let Some(revision) = &args.git {
        let folder = args.paths.first().map_or(".".into(), PathBuf::clone);
        let history = git::History::open(&folder, revision)?;
        let mut hunks = history.hunks;
        let progress = progress(None);
        ordered::map(
            &mut hunks,
            |hunk| hunk.map(|hunk| git::examine(&reader, &hunk)),
            |report| {
                progress.inc(1);
                progress.suspend(|| reporter.take(report?))
            },
        )?;
        progress.finish_and_clear();
        history.child.finish()?;
    } else if args.input == Input::Jsonl {
        for path in inputs(args)? {
            let records = records::read(&path)?;
            ordered::map(records, |record| record.map(|record| records::examine(&reader, &record)), |report| reporter.take(report?))?;
        }
    } else {
        let mut paths = Vec::new();
        for path in inputs(args)? {
            if path.as_os_str() == "-" {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).context("stdin")?;
                reporter.take(examine::bytes(&reader, &examine::Source::named("-"), bytes))?;
            } else {
                paths.extend(files::below(&path)?);
            }
        }
        let progress = progress(Some(paths.len()));
        ordered::map(
            paths.into_iter(),
            |path| examine::file(&reader, &path),
            |report| {
                progress.inc(1);
                progress.suspend(|| reporter.take(report?))
            },
        )?;
        progress.finish_and_clear();
    }
    let ended = reporter.finish()?;
    if let (Some(path), true) = (&args.baseline, args.write_baseline) {
        ended.baseline.store(path)?;
        let count = ended.baseline.len();
        eprintln!(
            "{}",
            choose(
                language,
                format!("{} written to {}", counted(count, "finding"), path.display()),
                format!("已将 {count} 项发现写入 {}", path.display())
            )
        );
        return Ok(Outcome::Clean);
    }
    Ok(ended.outcome)
}

/// The paths of the command line. Without any, records come from stdin; but nobody should believe a folder to be clean
/// because an empty stdin was.
fn inputs(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    match (args.paths.as_slice(), args.input) {
        ([], Input::Jsonl) => Ok(vec!["-".into()]),
        ([], Input::Text) => bail!("name what to scan: files, folders, or - for stdin"),
        (paths, Input::Jsonl | Input::Text) => Ok(paths.to_vec()),
    }
}

/// A bar on a terminal, nothing elsewhere; without a total, a counter.
fn progress(total: Option<usize>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX)), "{bar:40} {pos}/{len} {eta}"),
        None => (ProgressBar::new_spinner(), "{spinner} {pos}"),
    };
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
