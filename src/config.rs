//! The configuration: a TOML file, read into values that need no further checking.
//!
//! Every key has a default, the shipped `config/exeat.toml` shows them all, and a test holds the two to be equal. Whatever is
//! wrong with a file is reported at once, with place, cause and fix.

mod load;
mod packs;
mod read;

pub use packs::{KEY_VARIABLE, SIGNING_KEY_VARIABLE};

use crate::{
    detect::TestValues,
    knowledge::signer::Signers,
    policy::{Hosts, ModelUse},
    problem::Problem,
};
use ipnet::IpNet;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The shipped configuration file, every key commented.
pub const SHIPPED: &str = include_str!("../config/exeat.toml");

/// Everything an operator can set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The proxy's own port.
    pub proxy: Proxy,
    /// The admin port.
    pub admin: Admin,
    /// Where state is kept.
    pub state: State,
    /// The way to origins.
    pub upstream: Upstream,
    /// Interception.
    pub tls: Tls,
    /// Inspection.
    pub inspect: Inspect,
    /// Which policy.
    pub policy: PolicyFile,
    /// Which rules.
    pub rules: Rules,
    /// What the company taught.
    pub knowledge: Knowledge,
    /// What is recorded.
    pub audit: Audit,
    /// What block replies add.
    pub reply: Reply,
    /// What is logged.
    pub log: Log,
}

/// `[proxy]`
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Networks that may use the proxy.
    pub allow_clients: Vec<IpNet>,
    /// Users, one `user:hash` line each; `None` means no authentication.
    pub auth_file: Option<PathBuf>,
    /// Most open client connections.
    pub max_connections: usize,
    /// For a request head or a handshake to arrive.
    pub header_timeout: Duration,
    /// After which a silent connection is closed.
    pub idle_timeout: Duration,
    /// A slower upload is ended.
    pub body_min_bytes_per_second: u64,
    /// Most bytes of bodies held at the same time.
    pub max_body_memory_bytes: usize,
    /// How long a shutdown waits.
    pub drain_timeout: Duration,
}

/// `[admin]`
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Where to listen.
    pub listen: SocketAddr,
    /// DNS names that it answers to.
    pub names: Vec<String>,
}

/// `[state]`
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Directory of the CA, the admin token and the audit.
    pub directory: PathBuf,
}

/// `[upstream]`
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// PEM files of further CAs.
    pub extra_roots: Vec<PathBuf>,
    /// Private networks that may be reached.
    pub allow_private: Vec<IpNet>,
    /// The parent proxy.
    pub parent: Option<Parent>,
    /// Hosts reached without it.
    pub parent_exceptions: Hosts,
    /// For names, TCP and TLS to an origin.
    pub connect_timeout: Duration,
    /// For an origin to begin its answer.
    pub response_timeout: Duration,
}

/// A parent proxy: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// `[tls]`
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// Hosts whose tunnels are passed on unread.
    pub bypass: Hosts,
    /// Validity of leaf certificates, in days.
    pub leaf_days: u16,
}

/// `[inspect]`
#[derive(Clone, Debug, PartialEq)]
pub struct Inspect {
    /// Bodies up to here are read whole; larger ones stream.
    pub max_memory_bytes: usize,
    /// For the inspection of one message.
    pub deadline: Duration,
    /// For its turn to be inspected.
    pub queue_timeout: Duration,
    /// What the model's findings are good for.
    pub model: ModelUse,
    /// Where its files are; `None`: the embedded ones.
    pub model_directory: Option<PathBuf>,
    /// Batches that it reads at one time.
    pub model_threads: usize,
    /// Tokens that it reads of one message.
    pub model_max_tokens: usize,
}

/// `[policy]`
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyFile {
    /// `None`: the shipped one.
    pub file: Option<PathBuf>,
    /// The company's allow-list, if it has one.
    pub allow: Option<PathBuf>,
}

/// `[rules]`
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Directories of the operator's own rule files.
    pub directories: Vec<PathBuf>,
    /// Whether published sample values are findings.
    pub test_values: TestValues,
}

/// `[knowledge]`
#[derive(Clone, Debug, PartialEq)]
pub struct Knowledge {
    /// What was learnt from the company's own data: packs, or folders of them.
    pub packs: Vec<PathBuf>,
    /// The file of the key that opens them.
    pub key_file: PathBuf,
    /// Whose packs are taken.
    pub signers: Signers,
    /// Cells of one row of a table that must stand together.
    pub min_cells: usize,
    /// Characters of a document that must stand together.
    pub min_characters: usize,
}

/// `[audit]`
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The kind of store.
    pub store: Store,
    /// Its file.
    pub path: PathBuf,
    /// After which records are deleted, in days.
    pub retention_days: u32,
}

/// Where audit records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in the state directory.
    Sqlite,
}

/// `[reply]`
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Whom a blocked person may ask.
    pub contact: Option<String>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// In what form.
    pub format: LogFormat,
    /// Whether every request is logged.
    pub access: AccessLog,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What failed.
    Error,
    /// And what is odd.
    Warn,
    /// And what happens.
    Info,
    /// And how.
    Debug,
    /// And every step.
    Trace,
}

impl Level {
    /// Its name, as `tracing` filters spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Whether requests without findings leave a trace in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// No: nobody's browsing history is kept.
    Off,
    /// A line for each.
    On,
}

/// What the command line sets over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--state DIR`
    pub state: Option<PathBuf>,
    /// `--proxy ADDR`
    pub proxy: Option<SocketAddr>,
    /// `--admin ADDR`
    pub admin: Option<SocketAddr>,
}

impl Config {
    /// The configuration of the file at `path`, or the defaults, with `overrides` on top.
    ///
    /// # Errors
    /// Every problem of the file, or the one that it cannot be read.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Self, Vec<Problem>> {
        let Some(path) = path else { return Self::read("", "", Path::new(""), overrides) };
        let text = load::text(path, "--config").map_err(|problem| vec![problem])?;
        let directory = path.parent().unwrap_or(Path::new(""));
        Self::read(&path.display().to_string(), &text, directory, overrides)
    }

    /// The configuration that `text` describes; relative paths in it start at `directory`.
    ///
    /// # Errors
    /// Every problem of the text, under the file name `file`.
    pub fn read(file: &str, text: &str, directory: &Path, overrides: &Overrides) -> Result<Self, Vec<Problem>> {
        read::config(file, text, directory, overrides)
    }
}

#[cfg(test)]
mod tests;
