//! `exeat run`: serve, and say where.

use exeat::{
    app::{self, Running, StartError},
    config::{Config, LogFormat},
};
use std::io::{self, IsTerminal as _, Write as _};
use tracing_subscriber::EnvFilter;

/// Serves until told to stop.
///
/// # Errors
/// [`StartError`].
pub fn run(config: Config) -> Result<(), StartError> {
    log_to_stderr(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(app::run(config, |running| {
        // Nobody may be reading; the server serves all the same.
        let _ = io::stdout().lock().write_all(banner(running).as_bytes());
        let _ = io::stdout().flush();
    }))
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
  curl -x http://{proxy} --cacert {ca} https://example.com/ -d 'my card is 4012 0000 3333 0026'

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
