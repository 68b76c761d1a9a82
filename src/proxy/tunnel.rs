//! What a client speaks inside a `CONNECT` tunnel: read until it is certain, never guessed from the first bytes.

use rustls::server::Acceptor;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// A client that says nothing for so long waits for the server to begin: no HTTP, no TLS.
pub const FIRST_WORDS_LIMIT: Duration = Duration::from_secs(10);

/// The longest prefix that tells: a TLS record header and a handshake type, or a method and what follows it.
const ENOUGH: usize = 40;

/// What a tunnel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// A TLS ClientHello.
    Tls,
    /// An HTTP/1 request.
    Http1,
    /// The HTTP/2 preface without TLS (RFC 9113 section 3.3).
    Http2,
    /// Something else, or nothing in time.
    Opaque,
}

/// What the first bytes say so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    Certain(Spoken),
    NeedMore,
}

/// Reads the first bytes of `io` until it is certain what they begin, and returns the stream with the bytes put back.
///
/// # Errors
/// What reading says; an early end is [`Spoken::Opaque`], not an error.
pub async fn detect<T: AsyncRead + AsyncWrite + Unpin>(io: T, read_ahead: &[u8]) -> io::Result<(Spoken, Rewound<T>)> {
    let mut stream = Rewound::new(io, read_ahead);
    let watch = async {
        loop {
            if let Guess::Certain(spoken) = guess(&stream.ahead) {
                return Ok(spoken);
            }
            let mut more = [0_u8; 512];
            let count = stream.io.read(&mut more).await?;
            if count == 0 {
                return Ok(Spoken::Opaque);
            }
            stream.ahead.extend_from_slice(more.get(..count).unwrap_or_default());
        }
    };
    let spoken = tokio::time::timeout(FIRST_WORDS_LIMIT, watch).await.unwrap_or(Ok::<_, io::Error>(Spoken::Opaque))?;
    Ok((spoken, stream))
}

/// A ClientHello is shorter than this, post-quantum key shares and all.
const LONGEST_HELLO: usize = 64 << 10;

/// The server name in the ClientHello that `stream` begins with, lower case; what is read stays in the stream.
///
/// # Errors
/// What reading says, and `InvalidData` for what is no ClientHello.
pub async fn server_name<T: AsyncRead + Unpin>(stream: &mut Rewound<T>) -> io::Result<Option<String>> {
    let mut acceptor = Acceptor::default();
    let mut fed = 0;
    loop {
        while let Some(rest) = stream.ahead.get(fed..).filter(|rest| !rest.is_empty()) {
            fed += acceptor.read_tls(&mut &*rest)?;
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(accepted.client_hello().server_name().map(str::to_ascii_lowercase)),
            Ok(None) if fed < LONGEST_HELLO => {}
            Ok(None) | Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
        let mut more = [0_u8; 2048];
        let count = stream.io.read(&mut more).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        stream.ahead.extend_from_slice(more.get(..count).unwrap_or_default());
    }
}

fn guess(bytes: &[u8]) -> Guess {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
    match bytes {
        [] => Guess::NeedMore,
        // RFC 8446 section 5.1 and 4: handshake record, version 3.x, ClientHello.
        [22, rest @ ..] => match rest {
            [] | [3] | [3, 0..=4] | [3, 0..=4, _] | [3, 0..=4, _, _] => Guess::NeedMore,
            [3, 0..=4, _, _, 1, ..] => Guess::Certain(Spoken::Tls),
            _ => Guess::Certain(Spoken::Opaque),
        },
        _ if PREFACE.starts_with(bytes) => Guess::NeedMore,
        _ if bytes.starts_with(PREFACE) => Guess::Certain(Spoken::Http2),
        _ => guess_http1(bytes),
    }
}

/// A method is upper-case letters and hyphens in practice (the registry has no other), then a space and a target. Others'
/// greetings (`SSH-2.0-...`) fall out by their digits.
fn guess_http1(bytes: &[u8]) -> Guess {
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b'-').count();
    match (method, bytes.get(method), bytes.get(method + 1)) {
        (0, ..) | (ENOUGH.., ..) => Guess::Certain(Spoken::Opaque),
        (_, None, _) | (_, Some(b' '), None) => Guess::NeedMore,
        (_, Some(b' '), Some(b'/' | b'*' | b'h' | b'H')) => Guess::Certain(Spoken::Http1),
        _ => Guess::Certain(Spoken::Opaque),
    }
}

/// A stream with bytes that were read ahead put back in front.
#[derive(Debug)]
pub struct Rewound<T> {
    ahead: Vec<u8>,
    at: usize,
    io: T,
}

impl<T> Rewound<T> {
    /// `io` with `ahead` put back.
    pub fn new(io: T, ahead: &[u8]) -> Self {
        Self { ahead: ahead.to_vec(), at: 0, io }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.ahead.get(this.at..) {
            None | Some([]) => Pin::new(&mut this.io).poll_read(cx, buf),
            Some(rest) => {
                let (now, later) = rest.split_at(rest.len().min(buf.remaining()));
                buf.put_slice(now);
                this.at += now.len();
                if later.is_empty() {
                    (this.ahead, this.at) = (Vec::new(), 0);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[test]
    fn every_prefix_waits_until_it_is_certain() {
        let hello = [22, 3, 1, 2, 0, 1, 0];
        for end in 0..5 {
            assert_eq!(guess(&hello[..end]), Guess::NeedMore, "{end} bytes");
        }
        assert_eq!(guess(&hello), Guess::Certain(Spoken::Tls));
        for end in 0..6 {
            assert_eq!(guess(&b"POST /x HTTP/1.1"[..end]), if end < 6 { Guess::NeedMore } else { Guess::Certain(Spoken::Http1) });
        }
        assert_eq!(guess(b"POST /"), Guess::Certain(Spoken::Http1));
        assert_eq!(guess(b"PRI * HTTP/2.0\r\n\r\nSM"), Guess::Certain(Spoken::Http2));
        assert_eq!(guess(b"PRI * HTTP"), Guess::NeedMore);
    }

    #[test]
    fn other_protocols_are_opaque() {
        for other in [
            &b"SSH-2.0-OpenSSH_9.6 Debian\r\n"[..],
            b"\x16\x03\x01\x00\x05\x02",
            b"\x00\x01",
            b"EHLO me\r\n",
            b"get / HTTP/1.1",
            b"\x16\x04",
        ] {
            assert_eq!(guess(other), Guess::Certain(Spoken::Opaque), "{other:?}");
        }
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_read_again() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"ST /x HTTP/1.1\r\n").await.expect("write");
        drop(client);
        let (spoken, mut stream) = detect(server, b"PO").await.expect("detected");
        assert_eq!(spoken, Spoken::Http1);
        let mut all = String::new();
        stream.read_to_string(&mut all).await.expect("read");
        assert_eq!(all, "POST /x HTTP/1.1\r\n");
    }
}
