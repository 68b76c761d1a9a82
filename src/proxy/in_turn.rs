//! The requests of one HTTP/1 connection, each in its turn behind the guard.

use super::{
    Proxy,
    body::ReplyBody,
    hygiene::{Control, Interim},
    refuse::Refuser,
};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;

/// Serves `request` with `serve`, unless the guard has refused it.
pub async fn serve<F, R>(proxy: Arc<Proxy>, control: Control, request: Request<Incoming>, serve: F) -> Response<ReplyBody>
where
    F: FnOnce(Request<Incoming>, Interim) -> R,
    R: Future<Output = Response<ReplyBody>>,
{
    let turn = match control.begin(&request) {
        Ok(turn) => turn,
        Err(violation) => {
            tracing::info!(%violation, "a request was refused");
            let (parts, _) = request.into_parts();
            return Refuser::new(&proxy, &parts).fault(&violation.fault());
        }
    };
    let is_connect = request.method() == Method::CONNECT;
    let response = serve(request, turn.interim()).await;
    // From here on the connection is no longer HTTP, or the next request may be read.
    let is_switched = response.status() == StatusCode::SWITCHING_PROTOCOLS || (is_connect && response.status().is_success());
    if is_switched {
        turn.upgrade();
    }
    response
}
