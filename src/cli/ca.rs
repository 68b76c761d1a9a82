//! `exeat ca`: the root certificate, for people and devices to install.

use super::Outcome;
use anyhow::Context as _;
use exeat::{
    config::{Config, Overrides},
    proxy::authority::{Authority, ROOT_FILE},
    state::State,
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

/// Print the root certificate that clients have to trust; it is made if there is none yet
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// State directory [default: as configured]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Text, for Linux, curl, Python, Node.js
    Pem,
    /// Bytes, for Windows, macOS, iOS, Android
    Der,
    /// Its SHA-256, to compare with what a device shows
    Fingerprint,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let overrides = Overrides { state: args.state.clone(), ..Overrides::default() };
    let config = Config::load(args.config.as_deref(), &overrides).map_err(super::Problems)?;
    let state = State::open(&config.state.directory).with_context(|| config.state.directory.display().to_string())?;
    let authority = Authority::open(state.directory(), config.tls.leaf_days.into())?;
    let mut out = io::stdout().lock();
    match args.format {
        Format::Pem => out.write_all(&std::fs::read(state.path(ROOT_FILE))?)?,
        Format::Der if io::stdout().is_terminal() => anyhow::bail!("DER is bytes: redirect it, like `exeat ca --format der > exeat.crt`"),
        Format::Der => out.write_all(authority.root())?,
        Format::Fingerprint => writeln!(out, "{}", authority.fingerprint())?,
    }
    Ok(Outcome::Clean)
}
