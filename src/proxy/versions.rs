//! Which versions of HTTP an origin speaks, as far as that is known.
//!
//! The origin may not be contacted before the verdict, so it cannot be asked what it speaks when a client begins TLS: both versions
//! are offered then, and translated into each other. What it spoke when it was reached is remembered. To one that speaks HTTP/1.1
//! alone, the next client is offered no more than that, so that nothing has to be translated: WebSocket handshakes, interim
//! answers, header names as they are written.

use super::upstream::Destination;
use quick_cache::sync::Cache;

/// Versions of HTTP to offer in ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// h2 and http/1.1.
    Any,
    /// http/1.1 alone.
    Http1,
}

/// Destinations remembered; the least used are forgotten.
const REMEMBERED: usize = 20_000;

/// What destinations have spoken.
#[derive(Debug)]
pub struct Memory {
    spoken: Cache<Destination, Versions>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { spoken: Cache::new(REMEMBERED) }
    }
}

impl Memory {
    /// `to` chose among all versions, and chose this.
    pub fn learn(&self, to: &Destination, versions: Versions) {
        // Looked up first: writing locks, and hardly ever changes anything.
        if self.spoken.get(to) != Some(versions) {
            self.spoken.insert(to.clone(), versions);
        }
    }

    /// What to offer a client that wants to talk to `to` and offers `client` itself: its names in ALPN, if it sent any.
    pub fn offer<'a>(&self, to: &Destination, client: Option<impl Iterator<Item = &'a [u8]>>) -> Versions {
        // A client that speaks h2 alone, as some of gRPC do, is better translated than turned away.
        let can_http1 = client.is_none_or(|mut names| names.any(|name| name == b"http/1.1"));
        match self.spoken.get(to) {
            Some(Versions::Http1) if can_http1 => Versions::Http1,
            Some(Versions::Http1 | Versions::Any) | None => Versions::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::upstream::Scheme;

    #[test]
    fn an_origin_of_one_version_is_offered_as_that_to_those_who_speak_it() {
        let memory = Memory::default();
        let to = |host: &str| Destination { scheme: Scheme::Https, host: host.to_owned(), port: 443, tls_name: host.to_owned() };
        let (both, h2): (&[&[u8]], &[&[u8]]) = (&[b"h2", b"http/1.1"], &[b"h2"]);
        let offer = |host: &str, client: &[&'static [u8]]| memory.offer(&to(host), Some(client.iter().copied()));
        assert_eq!(offer("old.example", both), Versions::Any, "nothing is known yet");
        memory.learn(&to("old.example"), Versions::Http1);
        memory.learn(&to("new.example"), Versions::Any);
        assert_eq!((offer("old.example", both), offer("new.example", both)), (Versions::Http1, Versions::Any));
        assert_eq!(offer("old.example", h2), Versions::Any);
        assert_eq!(memory.offer(&to("old.example"), None::<std::iter::Empty<&[u8]>>), Versions::Http1);
        memory.learn(&to("old.example"), Versions::Any);
        assert_eq!(offer("old.example", both), Versions::Any, "it has learned h2");
    }
}
