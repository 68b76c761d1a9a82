//! Health, readiness, metrics, and the description of the API.

use super::{Admin, Problem};
use crate::detect::model::Model;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::{Arc, atomic::Ordering};

/// The API, described by hand in OpenAPI 3.1; a test holds it against the routes.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// The process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// The proxy takes connections and the audit can be written.
pub(super) async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    if !admin.state.ready.load(Ordering::Relaxed) {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the proxy does not take connections: it is starting or draining")
            .into_response();
    }
    if admin.state.store.is_failing() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the audit cannot be written; free disk space and check the disk")
            .into_response();
    }
    "ready\n".into_response()
}

/// Counters for Prometheus.
pub(super) async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let (stored, refused) = admin.state.store.counts();
    let model = admin.state.inspector.load().model().map(Model::readings);
    let text = admin.state.metrics.render(admin.state.store.waiting(), stored, refused, model.as_ref());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The API's description.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
