//! The bodies that the proxy sends: whole or streamed, to the origin and to the client.

use super::upstream::Lease;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::{mpsc, oneshot};

/// A body on its way to the origin.
#[derive(Debug)]
pub enum RequestBody {
    /// Known in full. Taken when sent.
    Whole {
        /// The bytes.
        data: Option<Bytes>,
        /// The trailer fields.
        trailers: Option<HeaderMap>,
    },
    /// Inspected piece by piece.
    Stream(mpsc::Receiver<Piece>),
}

/// A step of a streamed body. Only [`Piece::End`] ends it well: a pump that is gone without it has failed, and the origin must not
/// take what came so far for the whole.
#[derive(Debug)]
pub enum Piece {
    /// Some of it.
    Frame(Frame<Bytes>),
    /// That was all.
    End,
}

/// The stream was refused half-way; the origin sees a request that never ends.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request was stopped")]
pub struct Aborted;

impl RequestBody {
    /// No body.
    pub fn empty() -> Self {
        Self::Whole { data: None, trailers: None }
    }

    /// A copy to try again with; `None` for a stream.
    pub fn replay(&self) -> Option<Self> {
        match self {
            Self::Whole { data, trailers } => Some(Self::Whole { data: data.clone(), trailers: trailers.clone() }),
            Self::Stream(_) => None,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut *self {
            Self::Whole { data, trailers } => {
                let frame = data.take().filter(|data| !data.is_empty()).map(Frame::data);
                Poll::Ready(frame.or_else(|| trailers.take().map(Frame::trailers)).map(Ok))
            }
            Self::Stream(pieces) => Poll::Ready(match ready!(pieces.poll_recv(cx)) {
                Some(Piece::Frame(frame)) => Some(Ok(frame)),
                Some(Piece::End) => None,
                None => Some(Err(Aborted)),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole { data, trailers } => data.as_ref().is_none_or(Bytes::is_empty) && trailers.is_none(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // Trailers need a chunked body, so no length may be promised.
            Self::Whole { data, trailers: None } => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
            Self::Whole { .. } | Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// A body on its way to the client.
#[derive(Debug)]
pub enum ReplyBody {
    /// Our own answer.
    Whole(Option<Bytes>),
    /// The origin's answer, passed on as it comes.
    Upstream {
        /// What comes.
        body: Incoming,
        /// The connection it comes on, given back at its end.
        lease: Option<Lease>,
        /// Set while the request is still being inspected: fires when it is refused.
        refused: Option<oneshot::Receiver<Refused>>,
    },
}

/// The request was refused after its answer had begun: the trailers to end a gRPC answer with, or nothing: cut it.
#[derive(Debug)]
pub struct Refused(pub Option<HeaderMap>);

/// Why an answer ends early.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The origin broke off.
    #[error(transparent)]
    Origin(#[from] hyper::Error),
    /// The request was refused half-way.
    #[error(transparent)]
    Refused(#[from] Aborted),
}

impl ReplyBody {
    /// A whole body.
    pub fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = ReplyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReplyError>>> {
        let this = &mut *self;
        match this {
            Self::Whole(data) => Poll::Ready(data.take().filter(|data| !data.is_empty()).map(|data| Ok(Frame::data(data)))),
            Self::Upstream { body, lease, refused } => {
                if let Some(signal) = refused {
                    match Pin::new(signal).poll(cx) {
                        Poll::Ready(Ok(Refused(trailers))) => {
                            *this = Self::Whole(None);
                            return Poll::Ready(Some(trailers.map(Frame::trailers).ok_or(Aborted.into())));
                        }
                        // The sender is gone: the request ended well.
                        Poll::Ready(Err(_)) => *refused = None,
                        Poll::Pending => {}
                    }
                }
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                if (frame.is_none() || body.is_end_stream())
                    && let Some(lease) = lease.take()
                {
                    lease.give_back();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(ReplyError::from)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(data) => data.as_ref().is_none_or(Bytes::is_empty),
            Self::Upstream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(data) => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
            Self::Upstream { body, .. } => body.size_hint(),
        }
    }
}
