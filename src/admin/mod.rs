//! The admin server: help to set up a client, the API and console of the audit, health and metrics.
//!
//! `routes` is one table: each path with who may use it. The guard, the router and the test against
//! `openapi.json` all read it, so none can forget a route.

mod access;
mod console;
mod dismissed;
mod dry_run;
mod events;
mod knowledge;
mod pac;
mod problem;
mod serve;
mod setup;
mod status;
#[cfg(test)]
mod tests;
mod token_routes;

use crate::{
    audit::{Metrics, Store, Tokens},
    inspect::Inspector,
    knowledge::{seal::Keyring, shelf::Shelf},
    problem::Problem as FileProblem,
};
use access::{Access, Failures};
use arc_swap::ArcSwap;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode},
    middleware,
    routing::{MethodRouter, delete, get, post, put},
};
use bytes::Bytes;
use problem::Problem;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::Semaphore;

pub use dismissed::Desk;
pub use serve::serve;

/// Reads what packs are opened with; the key may come after the start.
pub type ReadKeyring = Box<dyn Fn() -> Result<Keyring, FileProblem> + Send + Sync>;

/// What the admin server works with.
pub struct AdminState {
    /// The audit.
    pub store: Store,
    /// Who may look.
    pub tokens: Tokens,
    /// The inspector that the proxy uses; a reload swaps it.
    pub inspector: Arc<ArcSwap<Inspector>>,
    /// The proxy's counters.
    pub metrics: Arc<Metrics>,
    /// Whether the proxy takes connections: what `/readyz` says.
    pub ready: Arc<AtomicBool>,
    /// The root certificate, as PEM.
    pub ca_pem: Bytes,
    /// The root certificate, as DER.
    pub ca_der: Bytes,
    /// Its SHA-256, as systems show it: `AB:CD:…`.
    pub ca_fingerprint: String,
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// Where this server listens.
    pub admin: SocketAddr,
    /// DNS names under which the console and the API may be used. Addresses and `localhost` always may.
    pub names: Vec<String>,
    /// The packs that may be replaced.
    pub shelf: Shelf,
    /// What they are opened with.
    pub keyring: ReadKeyring,
    /// What reviewers called false.
    pub desk: Arc<Desk>,
}

/// The state with what the server itself remembers.
struct Admin {
    state: AdminState,
    failures: Failures,
    dry_runs: Semaphore,
    streams: Arc<Semaphore>,
}

/// The admin server's routes over `state`.
pub fn router(state: AdminState) -> Router {
    let admin =
        Arc::new(Admin { state, failures: Failures::default(), dry_runs: Semaphore::new(2), streams: Arc::new(Semaphore::new(32)) });
    let mut router = Router::new();
    for route in routes() {
        let guard = middleware::from_fn_with_state((Arc::clone(&admin), route.access), access::guard);
        router = router.route(route.path, route.handler.route_layer(guard));
    }
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing here; /openapi.json lists what there is"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this method does not work here; see /openapi.json")
        })
        .layer(middleware::map_response(access::harden))
        .with_state(admin)
}

struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "the handler knows it too; the test of openapi.json reads it here"))]
    method: Method,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Arc<Admin>>,
}

/// Most bytes of a dry run's JSON: a body of `inspect.max_memory_bytes` in base64, and some.
const DRY_RUN_BYTES: usize = 24 << 20;

/// Most bytes of a pack: that of some hundred million cells, or of a million documents.
const PACK_BYTES: usize = 2 << 30;

/// Every route.
fn routes() -> Vec<Route> {
    use Access::{Admin, Metrics, Page, Public, Viewer};
    let on = |method, access, path, handler| Route { method, path, access, handler };
    let read = |access, path, handler| on(Method::GET, access, path, handler);
    vec![
        read(Public, "/", get(setup::page)),
        read(Public, "/assets/setup.css", get(setup::style)),
        read(Public, "/assets/setup.js", get(setup::script)),
        read(Public, "/proxy.pac", get(pac::file)),
        read(Public, "/wpad.dat", get(pac::file)),
        read(Public, "/ca.crt", get(setup::ca_der)),
        read(Public, "/ca.pem", get(setup::ca_pem)),
        read(Public, "/healthz", get(status::health)),
        read(Public, "/readyz", get(status::ready)),
        read(Public, "/openapi.json", get(status::openapi)),
        read(Metrics, "/metrics", get(status::metrics)),
        read(Page, "/console", get(console::page)),
        read(Page, "/assets/console.css", get(console::style)),
        read(Page, "/assets/console.js", get(console::script)),
        read(Viewer, "/api/v1/audit/events", get(events::list)),
        read(Viewer, "/api/v1/audit/events/{id}", get(events::one)),
        on(Method::POST, Admin, "/api/v1/audit/events/{id}/review", post(events::review)),
        read(Viewer, "/api/v1/audit/dismissed", get(dismissed::list)),
        on(Method::DELETE, Admin, "/api/v1/audit/dismissed/{digest}", delete(dismissed::revoke)),
        read(Viewer, "/api/v1/audit/summary", get(events::summary)),
        read(Viewer, "/api/v1/audit/export", get(events::export)),
        read(Viewer, "/api/v1/audit/stream", get(events::stream)),
        read(Viewer, "/api/v1/audit/verify", get(events::verify)),
        on(Method::POST, Viewer, "/api/v1/inspect", post(dry_run::inspect).layer(DefaultBodyLimit::max(DRY_RUN_BYTES))),
        read(Viewer, "/api/v1/rules", get(dry_run::rules)),
        read(Viewer, "/api/v1/knowledge", get(knowledge::list)),
        on(Method::PUT, Admin, "/api/v1/knowledge/{name}", put(knowledge::put).layer(DefaultBodyLimit::max(PACK_BYTES))),
        on(Method::DELETE, Admin, "/api/v1/knowledge/{name}", delete(knowledge::remove)),
        on(Method::POST, Admin, "/api/v1/knowledge/{name}/rollback", post(knowledge::roll_back)),
        read(Viewer, "/api/v1/whoami", get(token_routes::whoami)),
        read(Admin, "/api/v1/tokens", get(token_routes::list)),
        on(Method::POST, Admin, "/api/v1/tokens", post(token_routes::create)),
        on(Method::DELETE, Admin, "/api/v1/tokens/{id}", delete(token_routes::revoke)),
    ]
}
