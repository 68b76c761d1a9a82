//! `exeat audit`: check and export the records, also while the server runs.

use super::Outcome;
use anyhow::Context as _;
use exeat::{
    audit::{Chain, ChainKey, Filter, Format, ReadError, Reader},
    config::{Config, Overrides},
    state::State,
};
use std::{
    io::{self, BufWriter, Write as _},
    path::PathBuf,
};

/// Check or export the audit
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// Configuration file
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// State directory [default: as configured]
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Walk the hash chain: exit status 1 if a record was changed or removed from outside
    Verify,
    /// Write every event to stdout, oldest first
    Export {
        /// One JSON object a line, or a table
        #[arg(long, value_enum, default_value_t = ExportFormat::Ndjson)]
        format: ExportFormat,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ExportFormat {
    Ndjson,
    Csv,
}

/// What can go wrong while events are written out.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let overrides = Overrides { state: args.state.clone(), ..Overrides::default() };
    let config = Config::load(args.config.as_deref(), &overrides).map_err(super::Problems)?;
    let path = &config.audit.path;
    anyhow::ensure!(path.exists(), "{}: there is no audit here; name the state directory with --state", path.display());
    let state = State::open(&config.state.directory).with_context(|| config.state.directory.display().to_string())?;
    let key = state.digest_key().context("digest.key")?;
    let reader = Reader::open(path, ChainKey::new(&key))?;
    match &args.command {
        Command::Verify => verify(&reader),
        Command::Export { format } => {
            let format = match format {
                ExportFormat::Ndjson => Format::Ndjson,
                ExportFormat::Csv => Format::Csv,
            };
            let mut out = BufWriter::new(io::stdout().lock());
            out.write_all(format.head().as_bytes())?;
            reader.export_here(&Filter::default(), |event| out.write_all(format.line(event).as_bytes()).map_err(ExportError::from))?;
            out.flush()?;
            Ok(Outcome::Clean)
        }
    }
}

fn verify(reader: &Reader) -> anyhow::Result<Outcome> {
    match reader.verify_here()? {
        Chain::Intact { events, notes, removed, head } => {
            println!("intact: {events} events and {notes} notes ({removed} older ones removed by retention), head {head}");
            Ok(Outcome::Clean)
        }
        Chain::Broken { sound, seq, id, cause } => {
            let id = id.map_or_else(|| "no row".to_owned(), |id| id.to_string());
            println!("broken at number {seq} ({id}): {cause}; {sound} records are sound");
            Ok(Outcome::Found)
        }
    }
}
