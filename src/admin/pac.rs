//! `/proxy.pac` and `/wpad.dat`: the script that sends a browser through the proxy.

use super::{Admin, access};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use std::{net::SocketAddr, sync::Arc};

/// The addresses of proxy and admin server as this client can reach them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reachable {
    /// `host:port` of the proxy.
    pub(super) proxy: String,
    /// `host:port` of the admin server.
    pub(super) admin: String,
}

impl Reachable {
    /// A listener on an unspecified address is reached by the name that the client used to get here.
    pub(super) fn by(headers: &HeaderMap, proxy: SocketAddr, admin: SocketAddr) -> Self {
        let asked = access::host_header(headers).filter(|host| is_plain(host));
        let name = |listener: SocketAddr| match &asked {
            Some(host) if listener.ip().is_unspecified() => format!("{host}:{}", listener.port()),
            None if listener.ip().is_unspecified() => format!("127.0.0.1:{}", listener.port()),
            Some(_) | None => listener.to_string(),
        };
        Self { proxy: name(proxy), admin: name(admin) }
    }
}

/// Whether a host can stand in a script or a page as it is: it came from the client.
fn is_plain(host: &str) -> bool {
    host.len() <= 255 && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

/// The script.
pub(super) async fn file(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let script = script(&Reachable::by(&headers, admin.state.proxy, admin.state.admin));
    let headers =
        [(header::CONTENT_TYPE, "application/x-ns-proxy-autoconfig"), (header::CACHE_CONTROL, "max-age=300"), (header::VARY, "Host")];
    (headers, script).into_response()
}

fn script(reachable: &Reachable) -> String {
    let Reachable { proxy, admin } = reachable;
    format!(
        r#"// Exeat: everything goes through the proxy. There is no DIRECT fallback: what it cannot read does not leave.
// The exceptions are this machine itself and the help page at http://{admin}/
function FindProxyForURL(url, host) {{
  if (host === "localhost" || host === "::1" || host === "[::1]" ||
      /\.localhost$/.test(host) || /^127(\.\d{{1,3}}){{3}}$/.test(host) ||
      url.indexOf("http://{admin}/") === 0) {{
    return "DIRECT";
  }}
  return "PROXY {proxy}";
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn reach(host: &'static str, proxy: &str, admin: &str) -> Reachable {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        Reachable::by(&headers, proxy.parse().expect("address"), admin.parse().expect("address"))
    }

    #[test]
    fn an_open_listener_goes_by_the_name_that_the_client_used() {
        let reachable = reach("proxy.corp.example:8081", "0.0.0.0:8080", "[::]:8081");
        assert_eq!((reachable.proxy.as_str(), reachable.admin.as_str()), ("proxy.corp.example:8080", "proxy.corp.example:8081"));
        assert_eq!(reach("[fd00::1]:8081", "[::]:8080", "[::]:8081").proxy, "[fd00::1]:8080");
        assert_eq!(reach("proxy.corp.example:8081", "10.0.0.5:8080", "0.0.0.0:8081").proxy, "10.0.0.5:8080");
        assert_eq!(reach("127.0.0.1", "127.0.0.1:8080", "127.0.0.1:8081").proxy, "127.0.0.1:8080");
    }

    #[test]
    fn a_host_that_would_break_out_of_the_script_is_not_used() {
        for host in ["\"evil", "a'b", "a b", "a;b", "a\\b", "user@evil"] {
            let proxy = reach(host, "0.0.0.0:8080", "0.0.0.0:8081").proxy;
            assert!(matches!(proxy.as_str(), "127.0.0.1:8080" | "evil:8080"), "{host}: {proxy}");
        }
    }

    #[test]
    fn the_script_has_no_way_around_the_proxy() {
        insta::assert_snapshot!(script(&reach("127.0.0.1", "127.0.0.1:8080", "127.0.0.1:8081")));
    }
}
