//! `exeat run`: serve, and say where.

use super::Outcome;
use exeat::{
    app::{self, Running},
    config::{Config, LogFormat, Overrides},
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
};
use tracing_subscriber::EnvFilter;

/// Serve: the proxy, and the admin port with set-up help, API and console
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file [default: none, every key has a working default]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// State directory [default: exeat-state]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where the proxy listens; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    proxy: Option<SocketAddr>,
    /// Where the admin server listens [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let overrides = Overrides { state: args.state.clone(), proxy: args.proxy, admin: args.admin };
    let config = Config::load(args.config.as_deref(), &overrides).map_err(super::Problems)?;
    log_to_stderr(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(app::run(config, |running| {
        // Nobody may be reading; the server serves all the same.
        let _ = io::stdout().lock().write_all(banner(running).as_bytes());
        let _ = io::stdout().flush();
    }))?;
    Ok(Outcome::Clean)
}

fn banner(running: &Running) -> String {
    let Running { proxy, admin, ca, token, rules } = running;
    let (ca, token) = (ca.display(), token.display());
    format!(
        "Exeat {version}: open everything, and read what goes out. {rules} rules.

  proxy    http://{proxy}
  set-up   http://{admin}/            browsers, systems and tools, step by step 逐步设置说明
  PAC      http://{admin}/proxy.pac
  CA       http://{admin}/ca.crt      ({ca})
  console  http://{admin}/console     sign in with the token in {token}

Try it in another shell:

  curl -x http://{proxy} --cacert {ca} https://example.com/
  curl -x http://{proxy} --cacert {ca} https://example.com/ -d 'my card is 4539 5787 6362 1486'

Stop with Ctrl-C.
",
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn log_to_stderr(config: &Config) {
    let filter = EnvFilter::builder().parse_lossy(format!("{level},h2=warn,hyper=warn,rustls=warn", level = config.log.level.name()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // Only the first of a process counts, and there is only one outside of tests.
    let _ = match config.log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
