//! The command line: parse it, run the command, turn its outcome into an exit status.
//!
//! Exit status: 0 clean, 1 something was found, 2 an error. Results go to stdout, everything else to stderr.

mod audit;
mod ca;
mod check;
mod evaluate;
mod language;
mod learn;
mod ordered;
mod reader;
mod redact;
mod run;
mod scan;

use clap::{Parser, Subcommand};
use exeat::{
    config::{Config, Overrides},
    problem::Problem,
};
use std::{path::PathBuf, process::ExitCode};

/// A forward HTTP(S) proxy that opens the web and reads what goes out.
#[derive(Debug, Parser)]
#[command(name = "exeat", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve: the proxy, and the admin port with set-up help, API and console
    Run(run::Args),
    /// Search files, folders, stdin, records or git history for confidential content
    Scan(scan::Args),
    /// Copy stdin to stdout with confidential values replaced
    Redact(redact::Args),
    /// Validate configuration, policy and rules, and list every problem
    Check(check::Args),
    /// Teach the company's own data: tables, word lists, documents
    Learn(learn::Args),
    /// Measure precision and recall on labelled data
    Evaluate(evaluate::Args),
    /// Print the root certificate that clients have to trust
    Ca(ca::Args),
    /// Check or export the audit
    Audit(audit::Args),
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    Found,
}

/// Runs the command that the process was started with.
pub(crate) fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Learn(args) => learn::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Ca(args) => ca::run(&args),
        Command::Audit(args) => audit::run(&args),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        // Whoever reads us has read enough: `exeat scan | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref::<Problems>() {
                Some(problems) => eprint!("{problems}"),
                None => eprintln!("exeat: {error:#}"),
            }
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigArgs {
    /// Configuration file [default: none, every key has a working default]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(self.config.as_deref(), &Overrides::default()).map_err(Problems)?)
    }
}

/// What is wrong with the operator's files, one problem a line.
#[derive(Debug)]
struct Problems(Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
