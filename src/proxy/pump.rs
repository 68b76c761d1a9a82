//! Moves a streamed body from the client through inspection to the origin.

use super::{
    Proxy,
    body::{Piece, Refused, ReplyBody, RequestBody},
    refuse::Refuser,
};
use crate::{
    gate::StreamRecord,
    inspect::stream::{Head, Step, StreamInspector},
};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// Pieces on their way at one time: enough to keep both sides busy, little enough to stay small.
const PIECES: usize = 8;
/// A stream of unknown length that pauses for this long is let go up to here: somebody waits at the other end.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a refusal comes out: `early` before the origin's answer has begun, `late` after.
pub struct Refusals {
    /// The answer to give instead.
    pub early: oneshot::Receiver<Instead>,
    /// The way to end an answer that has begun.
    pub late: oneshot::Receiver<Refused>,
}

/// An answer in place of the origin's.
pub struct Instead {
    /// What is told.
    pub response: Response<ReplyBody>,
    /// Resolves, whichever way, when it may be told.
    pub after: oneshot::Receiver<()>,
}

/// What is moved, and how.
pub struct Load {
    /// The head, which was inspected before.
    pub head: Head,
    /// Says no.
    pub refuser: Refuser,
    /// Reads.
    pub stream: StreamInspector,
    /// What is on record so far.
    pub record: StreamRecord,
    /// What was read ahead.
    pub first: Bytes,
    /// Where the rest comes from.
    pub rest: Incoming,
}

/// Starts to move `load`; the body to send and the refusals to watch.
pub fn start(proxy: Arc<Proxy>, load: Load) -> (RequestBody, Refusals) {
    let Load { head, refuser, stream, record, first, rest } = load;
    let (pieces, body) = mpsc::channel(PIECES);
    let (early_out, early) = oneshot::channel();
    let (late_out, late) = oneshot::channel();
    let mut pump = Pump { proxy, head, refuser, stream: Some(stream), pieces, record, start: Bytes::new() };
    let idle = pump.proxy.limits.body_idle;
    tokio::spawn(async move {
        let mut rest = rest;
        let end = pump.run(first, &mut rest).await;
        let Pump { proxy, head, record, pieces, .. } = pump;
        proxy.gate.conclude(record, &head).await;
        match end {
            End::Refused(response) => {
                let trailers = response.headers().contains_key("grpc-status").then(|| response.headers().clone());
                // git is refused with a 200. curl, and so git, takes that for the end of what it has to read, and never learns that
                // it may send on; so it is answered when it has sent all.
                let is_at_the_end = response.status().is_success() && trailers.is_none();
                let (sent, after) = oneshot::channel::<()>();
                // Whoever still listens: the exchange before the answer, its body after.
                let _ = early_out.send(Instead { response: *response, after });
                let _ = late_out.send(Refused(trailers.map(grpc_status)));
                // Not before: the origin's side failing must not be taken for the reason.
                drop(pieces);
                let sent = if is_at_the_end { Some(sent) } else { None };
                // What comes while the answer is on its way must not meet a closed door, or the client sees that in its place.
                drain(&mut rest, idle).await;
                drop(sent);
            }
            // Dropping the senders says that nothing was refused.
            End::Done => {}
        }
    });
    (RequestBody::Stream(body), Refusals { early, late })
}

/// Takes what a refused client still sends.
async fn drain(rest: &mut Incoming, idle: Duration) {
    while let Ok(Some(Ok(_))) = tokio::time::timeout(idle, rest.frame()).await {}
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
    record: StreamRecord,
    /// The first bytes of the body: an answer to `git push` names what it was to change.
    start: Bytes,
}

enum End {
    Done,
    Refused(Box<Response<ReplyBody>>),
}

impl Pump {
    async fn run(&mut self, first: Bytes, rest: &mut Incoming) -> End {
        let is_open_ended = rest.size_hint().exact().is_none();
        if !first.is_empty() {
            let step = self.take_in(first).await;
            if let Some(end) = self.carry_out(step).await {
                return end;
            }
        }
        loop {
            let frame = if is_open_ended {
                match tokio::time::timeout(PAUSE, rest.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => {
                        let step = self.step(0, StreamInspector::pause).await;
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
                        let step = self.take_in(data).await;
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

    async fn take_in(&mut self, data: Bytes) -> Step {
        if self.start.is_empty() {
            self.start = data.clone();
        }
        self.step(data.len(), |stream| stream.push(data)).await
    }

    /// Works on the stream with `bytes` more: here, or in a thread for it where that may take long. Should that be lost with the
    /// runtime, nothing more is let go.
    async fn step(&mut self, bytes: usize, work: impl FnOnce(&mut StreamInspector) -> Step + Send + 'static) -> Step {
        let Some(mut stream) = self.stream.take() else { return Step::default() };
        let started = Instant::now();
        let step = if stream.is_slow() || stream.is_busy_with(bytes) {
            let done = tokio::task::spawn_blocking(move || {
                let step = work(&mut stream);
                (stream, step)
            });
            let Ok((stream, step)) = done.await else { return Step::default() };
            self.stream = Some(stream);
            step
        } else {
            let step = work(&mut stream);
            self.stream = Some(stream);
            step
        };
        self.record.grow(bytes, started.elapsed());
        step
    }

    async fn finish(&mut self, trailers: Option<HeaderMap>) -> End {
        if let Some(fields) = &trailers {
            let text: Vec<u8> = fields.values().flat_map(|value| value.as_bytes().iter().copied().chain([b'\n'])).collect();
            let step = self.step(0, move |stream| stream.aside(&text)).await;
            if let Some(end) = self.carry_out(step).await {
                return end;
            }
        }
        let step = self.step(0, StreamInspector::finish).await;
        if let Some(end) = self.carry_out(step).await {
            return end;
        }
        if self.stream.is_none() {
            return End::Done; // not all of it has been read
        }
        if let Some(fields) = trailers {
            let _ = self.pieces.send(Piece::Frame(Frame::trailers(fields))).await;
        }
        let _ = self.pieces.send(Piece::End).await;
        End::Done
    }

    /// Records what is new, then lets go what may go. Returns the end, if this is it.
    async fn carry_out(&mut self, step: Step) -> Option<End> {
        if let Some(news) = step.news {
            self.proxy.gate.note(&mut self.record, &self.head, news).await;
            if let Some(refusal) = self.record.refusal() {
                return Some(End::Refused(Box::new(self.refuser.blocked_body(self.record.id, refusal, &self.start))));
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
