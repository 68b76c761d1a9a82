//! Accepts connections and speaks the outer HTTP/1.1: plain requests, `CONNECT`, and proxy authentication.

use super::{
    Proxy,
    auth::Access,
    body::ReplyBody,
    exchange::{self, Origin, Route},
    headers,
    hygiene::{Interim, MAX_BUFFER, guard},
    in_turn,
    refuse::Refuser,
    reply::Fault,
    tunnelled::{self, Connect},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often idle connections to origins are looked over.
const SWEEP: Duration = Duration::from_secs(15);

/// Serves until `stop`, then gives running exchanges the time of `drain` to end.
pub async fn serve(proxy: Arc<Proxy>, listener: TcpListener, stop: CancellationToken, drain: Duration) {
    let tasks = TaskTracker::new();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => {
                proxy.upstream.sweep();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                let from = from.ip().to_canonical();
                tasks.spawn(connection(Arc::clone(&proxy), stream, from, stop.clone(), tasks.clone()));
            }
            // Out of file descriptors, most likely: those of others have to be closed first.
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "stopping with connections still open");
    }
}

async fn connection(proxy: Arc<Proxy>, stream: TcpStream, client: IpAddr, stop: CancellationToken, tasks: TaskTracker) {
    let Ok(_permit) = Arc::clone(&proxy.shared.connections).try_acquire_owned() else {
        tracing::warn!(%client, "too many connections; raise proxy.max_connections");
        return;
    };
    // A small answer must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let _counted = proxy.gate.metrics().connected();
    let (guarded, control) = guard(stream, proxy.limits.guard());
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(proxy.limits.idle)
        .max_buf_size(MAX_BUFFER)
        .pipeline_flush(true)
        .serve_connection(
            TokioIo::new(guarded),
            service_fn(|request| {
                let outer = Outer { proxy: Arc::clone(&proxy), client, stop: stop.clone(), tasks: tasks.clone() };
                let serve = move |request, interim| outer.serve(request, interim);
                let response = in_turn::serve(Arc::clone(&proxy), control.clone(), request, serve);
                async move { Ok::<_, Infallible>(response.await) }
            }),
        )
        .with_upgrades();
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %client, "a connection ended early");
    }
}

/// One request of the outer connection.
struct Outer {
    proxy: Arc<Proxy>,
    client: IpAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Outer {
    async fn serve(self, request: Request<Incoming>, interim: Interim) -> Response<ReplyBody> {
        let Self { proxy, client, stop, tasks } = self;
        if !proxy.allow_clients.iter().any(|network| network.contains(&client)) {
            let (parts, _) = request.into_parts();
            return Refuser::new(&proxy, &parts).fault(&Fault::ClientNotAllowed);
        }
        let user = match &proxy.users {
            None => None,
            Some(users) => match users.check(request.headers()).await {
                Access::Granted(user) => Some(user),
                Access::Denied => {
                    let (parts, _) = request.into_parts();
                    return Refuser::new(&proxy, &parts).fault(&Fault::ProxyAuthentication);
                }
            },
        };
        if request.method() != Method::CONNECT {
            let origin = Origin { client, user, route: Route::Named, interim: Some(interim) };
            return exchange::serve(proxy, origin, request).await;
        }
        let target = request.uri().authority().and_then(|authority| Some((headers::host_of(authority.as_str())?, authority.port_u16()?)));
        let Some((host, port)) = target else {
            let (parts, _) = request.into_parts();
            return Refuser::new(&proxy, &parts).bad_request("CONNECT needs a host and a port, like \"example.com:443\"");
        };
        // Accepted whatever comes: clients hide the body of a refused CONNECT, so what there is to say is said inside.
        let connect = Connect { client, user, host, port };
        tasks.spawn(async move {
            match hyper::upgrade::on(request).await {
                Ok(upgraded) => tunnelled::serve(proxy, connect, upgraded, stop).await,
                Err(error) => tracing::debug!(%error, "a tunnel was not taken up"),
            }
        });
        let mut response = Response::new(ReplyBody::whole(Bytes::new()));
        *response.status_mut() = StatusCode::OK;
        response
    }
}
