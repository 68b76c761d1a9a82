//! Which addresses a request may go to, and how a connection to one of several is made.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use ipnet::IpNet;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpStream;

/// The next address is tried when the one before has not answered within this time (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Brings `ip` to the form that rules are written for: an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) becomes itself.
pub fn unmapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] => v4(g, h),                          // RFC 4291 section 2.5.5.2
        [0, 0, 0, 0, 0, 0] if (g, h) != (0, 1) && g != 0 => v4(g, h), // the deprecated compatible form
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),                       // RFC 6052
        [0x2002, high, low, ..] => v4(high, low),                     // RFC 3056
        _ => ip,
    }
}

/// Whether `ip` (unmapped) is an address of the public internet: not private, loopback, link-local, multicast, documentation
/// or otherwise special (RFC 6890 and its registry).
pub fn is_public(ip: IpAddr) -> bool {
    match unmapped(ip) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (192, 0, 0 | 2)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let special = ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_multicast()
        || a & 0xfe00 == 0xfc00 // unique local
        || a & 0xff80 == 0xfe80 // link-local and the old site-local
        || (a, b) == (0x2001, 0xdb8)
        || (a == 0x2001 && b < 0x200) // IETF protocol assignments, Teredo among them
        || a == 0x100 // discard-only
        || a == 0x5f00;
    !special
}

/// Whether a request may go to `ip`: public, or in one of the networks that the operator allowed.
pub fn is_allowed(ip: IpAddr, allow_private: &[IpNet]) -> bool {
    let ip = unmapped(ip);
    is_public(ip) || allow_private.iter().any(|network| network.contains(&ip))
}

/// Connects to the first of `addresses` that answers, families in turn (Happy Eyeballs, RFC 8305).
///
/// # Errors
/// The first attempt's error when none answers; `TimedOut` after `limit`.
pub async fn connect_any(addresses: Vec<SocketAddr>, limit: Duration) -> io::Result<TcpStream> {
    let attempts = async {
        let mut waiting = interleave(addresses).into_iter();
        let mut running = FuturesUnordered::new();
        let mut first_error = None;
        loop {
            match waiting.next() {
                Some(address) => running.push(TcpStream::connect(address)),
                None if running.is_empty() => {
                    return Err(first_error.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
                }
                None => {}
            }
            let delay = if waiting.len() == 0 { limit } else { ATTEMPT_DELAY };
            match tokio::time::timeout(delay, running.next()).await {
                Ok(Some(Ok(stream))) => return Ok(stream),
                Ok(Some(Err(error))) => drop(first_error.get_or_insert(error)),
                Ok(None) | Err(_) => {}
            }
        }
    };
    let stream = tokio::time::timeout(limit, attempts).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Alternates the families, the resolver's first choice first.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    one.reverse();
    other.reverse();
    let mut order = Vec::with_capacity(one.len() + other.len());
    while !one.is_empty() || !other.is_empty() {
        order.extend(one.pop());
        order.extend(other.pop());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn special_addresses_are_not_public_however_they_are_dressed() {
        for special in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(ip(special)), "{special}");
        }
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::"] {
            assert!(is_public(ip(public)), "{public}");
        }
    }

    #[test]
    fn an_allowed_network_holds_mapped_addresses_too() {
        let allowed = ["127.0.0.0/8".parse().expect("network")];
        assert!(is_allowed(ip("127.0.0.1"), &allowed));
        assert!(is_allowed(ip("::ffff:127.0.0.1"), &allowed));
        assert!(!is_allowed(ip("10.0.0.1"), &allowed));
        assert!(!is_allowed(ip("::1"), &allowed));
    }

    #[tokio::test]
    async fn a_dead_address_does_not_keep_the_living_one_waiting() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let living = listener.local_addr().expect("address");
        let dead = SocketAddr::from(([127, 0, 0, 1], 1));
        let stream = connect_any(vec![dead, living], Duration::from_secs(5)).await.expect("connected");
        assert_eq!(stream.peer_addr().expect("peer"), living);
        assert!(connect_any(vec![dead], Duration::from_secs(5)).await.is_err());
        // The same across families, and with an address that does not even refuse: 100::/64 is discarded (RFC 6666).
        let listener = tokio::net::TcpListener::bind("[::1]:0").await.expect("bind");
        let living = listener.local_addr().expect("address");
        let silent = "[100::1]:9".parse().expect("address");
        for addresses in [vec![dead, living], vec![silent, dead, living]] {
            let stream = connect_any(addresses, Duration::from_secs(5)).await.expect("connected");
            assert_eq!(stream.peer_addr().expect("peer"), living);
        }
        assert!(connect_any(vec![], Duration::from_secs(5)).await.is_err());
    }
}
