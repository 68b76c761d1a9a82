//! Moves a streamed body from the client through inspection to the origin.

use super::{
    Proxy,
    body::{Piece, Refused, ReplyBody, RequestBody},
    refuse::Refuser,
};
use crate::{
    audit::Record,
    inspect::stream::{Head, Step, StreamInspector},
    policy::Action,
};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Pieces on their way at one time: enough to keep both sides busy, little enough to stay small.
const PIECES: usize = 8;
/// A stream of unknown length that pauses for this long is let go up to here: somebody waits at the other end.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a refusal comes out: `early` before the origin's answer has begun, `late` after.
pub struct Refusals {
    /// The answer to give instead.
    pub early: oneshot::Receiver<Response<ReplyBody>>,
    /// The way to end an answer that has begun.
    pub late: oneshot::Receiver<Refused>,
}

/// Starts to move `first` and `rest`; the body to send and the refusals to watch.
pub fn start(
    proxy: Arc<Proxy>,
    head: Head,
    refuser: Refuser,
    stream: StreamInspector,
    first: Bytes,
    rest: Incoming,
) -> (RequestBody, Refusals) {
    let (pieces, body) = mpsc::channel(PIECES);
    let (early_out, early) = oneshot::channel();
    let (late_out, late) = oneshot::channel();
    let pump = Pump { proxy, head, refuser, stream: Some(stream), pieces, recorded: false };
    tokio::spawn(async move {
        match pump.run(first, rest).await {
            End::Refused(response) => {
                let trailers = response.headers().contains_key("grpc-status").then(|| response.headers().clone());
                // Whoever still listens: the exchange before the answer, its body after.
                let _ = early_out.send(*response);
                let _ = late_out.send(Refused(trailers.map(grpc_status)));
            }
            // Dropping the senders says that nothing was refused.
            End::Done => {}
        }
    });
    (RequestBody::Stream(body), Refusals { early, late })
}

fn grpc_status(headers: HeaderMap) -> HeaderMap {
    headers.into_iter().filter_map(|(name, value)| Some((name?, value))).filter(|(name, _)| name.as_str().starts_with("grpc-")).collect()
}

struct Pump {
    proxy: Arc<Proxy>,
    head: Head,
    refuser: Refuser,
    /// Empty while a step is worked on in another thread.
    stream: Option<StreamInspector>,
    /// Dropped without [`Piece::End`], the origin sees a request that breaks off.
    pieces: mpsc::Sender<Piece>,
    recorded: bool,
}

enum End {
    Done,
    Refused(Box<Response<ReplyBody>>),
}

impl Pump {
    async fn run(mut self, first: Bytes, mut rest: Incoming) -> End {
        let is_open_ended = rest.size_hint().exact().is_none();
        if !first.is_empty() {
            let step = self.step(|stream| stream.push(first)).await;
            if let Some(end) = self.carry_out(step).await {
                return end;
            }
        }
        loop {
            let frame = if is_open_ended {
                match tokio::time::timeout(PAUSE, rest.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => {
                        let step = self.step(StreamInspector::pause).await;
                        if let Some(end) = self.carry_out(step).await {
                            return end;
                        }
                        rest.frame().await
                    }
                }
            } else {
                match tokio::time::timeout(self.proxy.limits.body_idle, rest.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => {
                        return End::Refused(Box::new(self.refuser.slow()));
                    }
                }
            };
            match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let step = self.step(|stream| stream.push(data)).await;
                        if let Some(end) = self.carry_out(step).await {
                            return end;
                        }
                    }
                    Err(frame) => return self.finish(frame.into_trailers().ok()).await,
                },
                Some(Err(_)) => {
                    return End::Done;
                }
                None => return self.finish(None).await,
            }
        }
    }

    async fn finish(mut self, trailers: Option<HeaderMap>) -> End {
        if let Some(fields) = &trailers {
            let text: Vec<u8> = fields.values().flat_map(|value| value.as_bytes().iter().copied().chain([b'\n'])).collect();
            let step = self.step(move |stream| Step { release: Vec::new(), news: stream.aside(&text) }).await;
            if let Some(end) = self.carry_out(step).await {
                return end;
            }
        }
        let step = self.step(StreamInspector::finish).await;
        if let Some(end) = self.carry_out(step).await {
            return end;
        }
        if let Some(fields) = trailers {
            let _ = self.pieces.send(Piece::Frame(Frame::trailers(fields))).await;
        }
        let _ = self.pieces.send(Piece::End).await;
        End::Done
    }

    /// Works on the stream: here, or in a thread for it where the model may take long. Should that be lost with the runtime, nothing
    /// more is let go.
    async fn step(&mut self, work: impl FnOnce(&mut StreamInspector) -> Step + Send + 'static) -> Step {
        let Some(mut stream) = self.stream.take() else { return Step::default() };
        if !stream.is_slow() {
            let step = work(&mut stream);
            self.stream = Some(stream);
            return step;
        }
        let done = tokio::task::spawn_blocking(move || {
            let step = work(&mut stream);
            (stream, step)
        });
        match done.await {
            Ok((stream, step)) => {
                self.stream = Some(stream);
                step
            }
            Err(_) => Step::default(),
        }
    }

    /// Records what is new, then lets go what may go. Returns the end, if this is it.
    async fn carry_out(&mut self, step: Step) -> Option<End> {
        if let Some(mut news) = step.news {
            let is_refused = news.verdict.action == Action::Block;
            // One record for an exchange: what passed is recorded when it is first seen, a refusal always.
            if is_refused || (!self.recorded && Record::is_due(&news)) {
                let id = self.proxy.gate.record(&self.head.message(&Bytes::new()), &mut news, Duration::ZERO).await;
                self.recorded = true;
                if news.verdict.action == Action::Block {
                    return Some(End::Refused(Box::new(self.refuser.blocked(id, &news))));
                }
            }
        }
        for piece in step.release {
            if self.pieces.send(Piece::Frame(Frame::data(piece))).await.is_err() {
                return Some(End::Done); // the origin hung up
            }
        }
        None
    }
}
