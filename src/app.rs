//! A configuration to a running server, its reloads and its end.

use crate::{
    admin::{self, AdminState, Desk},
    audit::{Metrics, Store, StoreError, TokenError, Tokens},
    config::{self, Config},
    gate::Gate,
    inspect::Inspector,
    problem::Problem,
    proxy::{
        self, Limits, Proxy, Shared,
        auth::Users,
        authority::{Authority, AuthorityError},
        upstream::{NoRoots, Parent, Upstream, UpstreamOptions},
    },
    redact::DigestKey,
    state::State,
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{
    collections::HashMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// How often the files of policy, rules and packs are looked at for changes.
const WATCH: Duration = Duration::from_secs(2);

/// Where a running server can be reached.
#[derive(Clone, Debug)]
pub struct Running {
    /// The proxy.
    pub proxy: SocketAddr,
    /// The admin server.
    pub admin: SocketAddr,
    /// The root certificate.
    pub ca: PathBuf,
    /// The first admin's token.
    pub token: PathBuf,
    /// Rules in force.
    pub rules: usize,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory cannot be used.
    #[error("{}: {source}; choose another one with --state", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A port cannot be had.
    #[error("cannot listen on {address}: {source}; choose another port with {flag}, or 0 for any")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// A file that the configuration names cannot be read.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why, and what to do.
        cause: String,
    },
    /// Rules or policy have problems.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    /// The certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Trust in origins.
    #[error(transparent)]
    Roots(#[from] NoRoots),
    /// The audit store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tokens.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT; `started` is told where, once connections are taken.
///
/// # Errors
/// [`StartError`].
pub async fn run(config: Config, started: impl FnOnce(&Running)) -> Result<(), StartError> {
    // First of all, so that a signal at any time finds somebody who listens.
    let signals = Signals::listen()?;
    let state_error = |source| StartError::State { path: config.state.directory.clone(), source };
    let state = State::open(&config.state.directory).map_err(state_error)?;
    let secret = state.digest_key().map_err(state_error)?;
    let key = DigestKey::new(secret);

    let model = config.model().map_err(StartError::Problems)?;
    if let Some(model) = &model {
        tracing::info!(version = model.version(), "the model has passed its self-test");
    }
    let desk = Arc::new(Desk::open(state.path(Desk::FILE))?);
    let dismissed = desk.dismissed();
    let build = || Ok(config.inspector(key.clone(), model.clone())?.without(Arc::clone(&dismissed)));
    let inspector = build().map_err(StartError::Problems)?;
    warn_of_stale_heads(&inspector);
    let rules = inspector.detectors().rules().count();
    let inspector = Arc::new(ArcSwap::from_pointee(inspector));
    let retention = Some(Duration::from_secs(u64::from(config.audit.retention_days) * 24 * 3600)).filter(|age| !age.is_zero());
    let store = Store::open(&config.audit.path, &secret, retention)?;
    let token = state.path("admin.token");
    let tokens = Tokens::open(&token, store.clone())?;
    let authority = Authority::open(state.directory(), config.tls.leaf_days.into())?;

    let listener = listen(config.proxy.listen, "--proxy").await?;
    let admin_listener = listen(config.admin.listen, "--admin").await?;
    let (proxy_address, admin_address) = (listener.local_addr()?, admin_listener.local_addr()?);

    let metrics = Arc::new(Metrics::default());
    let ready = Arc::new(AtomicBool::new(false));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let gate = Gate::new(Arc::clone(&inspector), store.clone(), Arc::clone(&metrics), key.clone(), cores, config.inspect.queue_timeout);
    let upstream = Upstream::new(UpstreamOptions {
        extra_roots: extra_roots(&config.upstream.extra_roots)?,
        allow_private: config.upstream.allow_private.clone(),
        parent: config.upstream.parent.as_ref().map(|parent| Parent { host: parent.host.clone(), port: parent.port }),
        parent_exceptions: config.upstream.parent_exceptions.clone(),
        own: vec![admin_address, proxy_address],
        connect_timeout: config.upstream.connect_timeout,
        response_timeout: config.upstream.response_timeout,
    })?;
    let admin_state = AdminState {
        store: store.clone(),
        tokens,
        inspector: Arc::clone(&inspector),
        metrics: Arc::clone(&metrics),
        ready: Arc::clone(&ready),
        ca_pem: Bytes::from(fs::read(state.path(proxy::authority::ROOT_FILE))?),
        ca_der: Bytes::copy_from_slice(authority.root()),
        ca_fingerprint: authority.fingerprint(),
        proxy: proxy_address,
        admin: admin_address,
        names: config.admin.names.clone(),
        shelf: config.shelf(),
        keyring: {
            let config = config.clone();
            Box::new(move || config.keyring())
        },
        desk,
    };
    let limits = limits(&config);
    let proxy = Arc::new(Proxy {
        gate: Arc::new(gate),
        authority,
        upstream,
        bypass: config.tls.bypass.clone(),
        allow_clients: config.proxy.allow_clients.clone(),
        users: config.proxy.auth_file.as_deref().map(users).transpose()?,
        contact: config.reply.contact.clone(),
        access_log: match config.log.access {
            config::AccessLog::Off => proxy::AccessLog::Off,
            config::AccessLog::On => proxy::AccessLog::On,
        },
        shared: Shared::of(&limits),
        limits,
    });

    let stop = CancellationToken::new();
    let serving = tokio::spawn(proxy::serve(proxy, listener, stop.clone(), config.proxy.drain_timeout));
    let administering = tokio::spawn(admin::serve(admin_listener, admin::router(admin_state), stop.clone().cancelled_owned()));
    ready.store(true, Ordering::Release);
    state.announce(proxy_address, admin_address)?;
    started(&Running { proxy: proxy_address, admin: admin_address, ca: state.path(proxy::authority::ROOT_FILE), token, rules });

    until_told(signals, &config, &build, &inspector).await;
    tracing::info!("stopping; running exchanges may end");
    ready.store(false, Ordering::Release);
    state.retract();
    stop.cancel();
    // Both end by themselves when told; a panic in one must not keep the records of the other from the disk.
    let _ = serving.await;
    let _ = administering.await;
    store.close().await;
    Ok(())
}

/// What an operator tells the process by signals.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Builds an inspector from the files as they are now.
type Build<'b> = dyn Fn() -> Result<Inspector, Vec<Problem>> + Sync + 'b;

/// Waits for the signal to end, and meanwhile reloads rules and policy when told by SIGHUP or when their files change.
async fn until_told(mut signals: Signals, config: &Config, build: &Build<'_>, inspector: &ArcSwap<Inspector>) {
    let mut watch = tokio::time::interval(WATCH);
    let mut seen = stamps(config);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            _ = signals.hangup.recv() => reload(build, inspector),
            _ = watch.tick() => {
                let now = stamps(config);
                if now != seen {
                    seen = now;
                    reload(build, inspector);
                }
            }
        }
    }
}

/// Puts new rules and policy in force, or keeps the old ones when the new are wrong.
fn reload(build: &Build<'_>, inspector: &ArcSwap<Inspector>) {
    match build() {
        Ok(new) => {
            tracing::info!(rules = new.detectors().rules().count(), "rules and policy reloaded");
            warn_of_stale_heads(&new);
            inspector.store(Arc::new(new));
        }
        Err(problems) => {
            for problem in problems {
                tracing::error!(%problem, "not reloaded; the old rules and policy stay in force");
            }
        }
    }
}

fn warn_of_stale_heads(inspector: &Inspector) {
    for pack in inspector.stale_heads() {
        tracing::warn!(pack, "its head was trained with another model and finds nothing; run \"exeat learn --update\" with its documents");
    }
}

/// When the files of policy, allow-list, rules and packs were last written.
fn stamps(config: &Config) -> HashMap<PathBuf, SystemTime> {
    let stamp = |path: &Path| Some((path.to_owned(), fs::metadata(path).ok()?.modified().ok()?));
    let rules = config.rules.directories.iter().flat_map(|directory| fs::read_dir(directory).into_iter().flatten().flatten());
    let packs = config.pack_files();
    let own = config.policy.file.iter().chain(&config.policy.allow).chain(&packs).chain([&config.knowledge.key_file]);
    rules.filter_map(|entry| stamp(&entry.path())).chain(own.filter_map(|path| stamp(path))).collect()
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source, flag })
}

fn extra_roots(paths: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let mut roots = Vec::new();
    for path in paths {
        let error =
            |cause: String| StartError::File { path: path.clone(), cause: format!("{cause}; upstream.extra_roots takes PEM certificates") };
        let pem = fs::read(path).map_err(|source| error(source.to_string()))?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.push(certificate.map_err(|source| error(source.to_string()))?);
        }
        if roots.len() == before {
            return Err(error("there is no certificate in it".to_owned()));
        }
    }
    Ok(roots)
}

fn users(path: &Path) -> Result<Users, StartError> {
    let error = |cause| StartError::File { path: path.to_owned(), cause };
    let text = fs::read_to_string(path).map_err(|source| error(source.to_string()))?;
    Users::parse(&text).map_err(|problems| error(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_memory_bytes: config.inspect.max_memory_bytes,
        body_memory_bytes: config.proxy.max_body_memory_bytes,
        max_connections: config.proxy.max_connections,
        head: config.proxy.header_timeout,
        body_idle: config.proxy.idle_timeout,
        body_min_rate: config.proxy.body_min_bytes_per_second,
        idle: config.proxy.idle_timeout,
    }
}
