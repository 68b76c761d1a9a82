//! Header fields that end here, and those that a hop may change.

use super::upstream::{Destination, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority};
use std::net::IpAddr;

/// Fields of one hop (RFC 9110 section 7.6.1), and what proxies are told.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Makes a client's fields fit for the origin: `Host` is there, the hop's own fields are not.
pub fn for_origin(headers: &mut HeaderMap, to: &Destination) {
    let wants_trailers = headers.get(header::TE).is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
    strip_hop(headers);
    // We answered it already.
    headers.remove(header::EXPECT);
    if wants_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers")); // gRPC servers insist; RFC 9113 section 8.2.2
    }
    if !headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(&authority(to))
    {
        headers.insert(header::HOST, host);
    }
    // h2 clients may split cookies into several fields, HTTP/1 servers expect one (RFC 9113 section 8.2.3).
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// Puts the authority of the target into `Host`, which it overrides (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1).
pub fn host_from_target(headers: &mut HeaderMap, target: &Uri) {
    let Some(authority) = target.authority() else { return };
    let host = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_user, host)| host);
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(header::HOST, host);
    }
}

/// Makes an origin's fields fit for the client. `Alt-Svc` goes: it would lead browsers to QUIC, where nobody reads.
pub fn for_client(headers: &mut HeaderMap) {
    strip_hop(headers);
    headers.remove(header::ALT_SVC);
}

/// The fields of an interim answer (103 Early Hints) that may be passed on.
pub fn of_interim(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for_client(&mut headers);
    headers
}

fn strip_hop(headers: &mut HeaderMap) {
    // Most messages name nothing; those that do name their own fields.
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        if !headers.is_empty() && *name != header::HOST && *name != header::CONTENT_LENGTH {
            headers.remove(name);
        }
    }
}

/// `host` or `host:port`, the port left out where it is the scheme's own.
pub fn authority(to: &Destination) -> String {
    let host = if to.host.contains(':') { format!("[{}]", to.host) } else { to.host.clone() };
    match (to.scheme, to.port) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

/// The host of an authority or `Host` value: lower case, without user, port, brackets and final dot. `None` if it is not valid.
pub fn host_of(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if host.is_empty() {
        return None;
    }
    // One spelling for an address: 0:0:0:0:0:0:0:1 is ::1.
    Some(host.parse::<IpAddr>().map_or(host, |ip| ip.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_brought_to_one_form() {
        for (given, host) in [
            ("Example.COM", Some("example.com")),
            ("example.com.:8443", Some("example.com")),
            ("user:pw@example.com:80", Some("example.com")),
            ("[0:0:0:0:0:0:0:1]:443", Some("::1")),
            ("", None),
            (":80", None),
        ] {
            assert_eq!(host_of(given).as_deref(), host, "{given}");
        }
    }

    #[test]
    fn fields_of_the_hop_and_those_it_names_end_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Secret-Hop, host"),
            ("x-secret-hop", "1"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("host", "example.com"),
            ("expect", "100-continue"),
            ("accept", "*/*"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.append(header::COOKIE, HeaderValue::from_static("a=1"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
        let to = Destination { scheme: Scheme::Https, host: "example.com".into(), port: 443, tls_name: "example.com".into() };
        for_origin(&mut headers, &to);
        let mut left: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        left.sort();
        assert_eq!(left, ["accept: */*", "cookie: a=1; b=2", "host: example.com", "te: trailers"]);
    }

    #[test]
    fn browsers_are_not_led_away_to_quic() {
        let mut headers = HeaderMap::from_iter([(header::ALT_SVC, HeaderValue::from_static("h3=\":443\""))]);
        for_client(&mut headers);
        assert!(headers.is_empty());
    }
}
