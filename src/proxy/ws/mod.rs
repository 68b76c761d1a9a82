//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692), sans-io, for a proxy that ends the protocol on both sides.
//!
//! Both sides agree on the same parameters: the client's [`Offer`] goes to the server, the server's answer to the client. So a
//! direction that is not read can be passed on frame for frame, with a [`Tracker`] that knows where a frame of our own may
//! stand. A direction that is read goes through a [`Reader`], which gives whole messages, and a [`Writer`].

mod deflate;
mod frame;
mod handshake;
mod message;

pub use deflate::Deflate;
pub use frame::{CloseCode, Peer, Tracker};
pub use handshake::{BadAnswer, Offer, accept, is_handshake, new_key};
pub use message::{Close, Event, Kind, Message, Reader, Writer};

/// What a peer did wrong; [`Error::close_code`] is what to close with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A frame breaks a rule of RFC 6455, section 5.
    #[error("the peer broke the WebSocket protocol: {0}")]
    Protocol(&'static str),
    /// A message, or what it inflates to, is over the limit.
    #[error("a WebSocket message is too large")]
    TooLarge,
    /// A text message or close reason is not UTF-8.
    #[error("a WebSocket text is not UTF-8")]
    BadText,
    /// A compressed message does not inflate.
    #[error("a compressed WebSocket message does not inflate")]
    BadDeflate,
}

impl Error {
    /// The status code (RFC 6455, 7.4.1) that tells the peer.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::PROTOCOL_ERROR,
            Self::TooLarge => CloseCode::TOO_LARGE,
            Self::BadText | Self::BadDeflate => CloseCode::BAD_PAYLOAD,
        }
    }
}
