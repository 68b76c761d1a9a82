//! Who may use a route: bearer tokens with roles, the `Host` check, and a limit on wrong tokens.

use super::{Admin, Problem};
use crate::audit::{Identity, Role};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody, by whatever name: what a client needs to be set up, and nothing else.
    Public,
    /// Everybody, but by a name of ours only: the console's own files.
    Page,
    /// Programs on this machine, and every token: Prometheus scrapes without one where it runs beside.
    Metrics,
    /// Every token.
    Viewer,
    /// An admin's token.
    Admin,
}

/// Lets a request through to its route, or answers it.
pub(super) async fn guard(State((admin, access)): State<(Arc<Admin>, Access)>, mut request: Request, next: Next) -> Response {
    match admit(&admin, access, &request) {
        Ok(identity) => {
            if let Some(identity) = identity {
                request.extensions_mut().insert(identity);
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn admit(admin: &Admin, access: Access, request: &Request) -> Result<Option<Identity>, Problem> {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let needed = match access {
        Access::Public => return Ok(None),
        Access::Page | Access::Metrics => None,
        Access::Viewer => Some(Role::Viewer),
        Access::Admin => Some(Role::Admin),
    };
    if !is_our_name(host(request).as_deref(), &admin.state.names) {
        let detail = "this server does not answer to that host name; use its address, or add the name to admin.names";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }
    let needed = match (access, needed) {
        (Access::Metrics, _) if client.is_some_and(|client| client.is_loopback()) => return Ok(None),
        (Access::Metrics, _) => Role::Viewer,
        (Access::Page, _) | (_, None) => return Ok(None),
        (Access::Public | Access::Viewer | Access::Admin, Some(role)) => role,
    };
    let Some(token) = bearer(request.headers()) else {
        let detail = "send a token: \"Authorization: Bearer …\"; the first one is in the file admin.token of the state directory";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    };
    let client = client.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    if let Some(wait) = admin.failures.wait(client, Instant::now()) {
        let detail = "too many wrong tokens from this address; wait, then try again";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait.as_secs() + 1));
    }
    let Some(identity) = admin.state.tokens.check(token) else {
        admin.failures.add(client, Instant::now());
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "this token is not valid, or not any more"));
    };
    if identity.role < needed {
        return Err(Problem::new(StatusCode::FORBIDDEN, "this needs the token of an admin"));
    }
    Ok(Some(identity))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The host, without port, that the client asked for.
pub(super) fn host(request: &Request) -> Option<String> {
    request.uri().host().map(str::to_owned).or_else(|| host_header(request.headers()))
}

/// The host of a `Host` header, without port; IPv6 addresses keep their brackets.
pub(super) fn host_header(headers: &HeaderMap) -> Option<String> {
    let authority: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    Some(authority.host().to_ascii_lowercase()).filter(|host| !host.is_empty())
}

/// Whether a page of that host may use the API. A page elsewhere can have its own name point here (DNS rebinding), but it
/// cannot have an address, `localhost` or a name of ours.
fn is_our_name(host: Option<&str>, names: &[String]) -> bool {
    let Some(host) = host else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    bare.parse::<IpAddr>().is_ok() || bare == "localhost" || names.iter().any(|name| name.eq_ignore_ascii_case(bare))
}

/// Headers that every answer carries: nothing of it is run, framed, guessed at or read by another site.
pub(super) async fn harden(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                          form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Wrong tokens by address, forgiven with time.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_client: Mutex<HashMap<IpAddr, Debt>>,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    /// Failures that are not yet forgiven.
    failures: u32,
    /// When the last change was.
    since: Instant,
}

impl Failures {
    /// Failures at once that are still answered.
    const BURST: u32 = 10;
    /// One is forgiven in this time.
    const FORGIVEN_EVERY: Duration = Duration::from_secs(6);
    /// Addresses remembered.
    const MOST: usize = 4096;

    /// How long `client` has to wait before its tokens are looked at again.
    fn wait(&self, client: IpAddr, now: Instant) -> Option<Duration> {
        let by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        let debt = by_client.get(&network(client))?.at(now);
        (debt.failures >= Self::BURST).then(|| Self::FORGIVEN_EVERY.saturating_sub(now.saturating_duration_since(debt.since)))
    }

    fn add(&self, client: IpAddr, now: Instant) {
        let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        if by_client.len() >= Self::MOST {
            by_client.retain(|_, debt| debt.at(now).failures > 0);
        }
        if by_client.len() >= Self::MOST {
            by_client.clear(); // an attacker with that many addresses is not held up by any of them
        }
        let debt = by_client.entry(network(client)).or_insert(Debt { failures: 0, since: now });
        *debt = debt.at(now);
        debt.failures += 1;
    }
}

impl Debt {
    /// What is left of it `now`.
    fn at(self, now: Instant) -> Self {
        let periods = now.saturating_duration_since(self.since).as_secs() / Failures::FORGIVEN_EVERY.as_secs();
        let forgiven = u32::try_from(periods).unwrap_or(u32::MAX).min(self.failures);
        let failures = self.failures - forgiven;
        let since = if failures == 0 { now } else { self.since + Failures::FORGIVEN_EVERY * forgiven };
        Self { failures, since }
    }
}

/// The address, or the /64 network of an IPv6 one: a host has all of that.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_ours() {
        let ours = |host| is_our_name(Some(host), &["exeat.corp.example".to_owned()]);
        assert!(ours("127.0.0.1") && ours("[::1]") && ours("localhost") && ours("exeat.corp.example") && ours("10.1.2.3"));
        assert!(!ours("evil.example") && !ours("127.0.0.1.evil.example") && !ours("localhost.evil.example") && !is_our_name(None, &[]));
    }

    #[test]
    fn wrong_tokens_are_forgiven_with_time() {
        let (failures, client, now) = (Failures::default(), IpAddr::from([10, 0, 0, 1]), Instant::now());
        (0..Failures::BURST).for_each(|_| failures.add(client, now));
        assert_eq!(failures.wait(client, now), Some(Failures::FORGIVEN_EVERY));
        assert_eq!(failures.wait(IpAddr::from([10, 0, 0, 2]), now), None);
        let later = now + Failures::FORGIVEN_EVERY;
        assert_eq!(failures.wait(client, later), None);
        failures.add(client, later);
        assert!(failures.wait(client, later).is_some(), "one was forgiven, not all");
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let (failures, now) = (Failures::default(), Instant::now());
        (0..10_000_u32).for_each(|n| failures.add(IpAddr::V4(n.into()), now));
        assert!(failures.by_client.lock().expect("lock").len() <= Failures::MOST);
    }

    #[test]
    fn a_scheme_is_read_in_any_case_and_an_empty_token_is_none() {
        let read = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("bearer  abc"), Some("abc".to_owned()));
        assert_eq!(read("Bearer "), None);
        assert_eq!(read("Basic abc"), None);
    }
}
