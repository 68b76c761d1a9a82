//! Reading a request's body, within bounds of size, memory and time.

use super::Proxy;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Every body may take this much memory without asking.
const FREE: usize = 64 << 10;
/// A body of unknown length that pauses for this long belongs to a client that waits for an answer first.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a body waits for memory that others hold.
const MEMORY_WAIT: Duration = Duration::from_secs(20);
/// Unit of the memory budget, bytes.
pub(super) const UNIT: usize = 1 << 10;

/// What came in.
pub enum Intake {
    /// All of it.
    Whole {
        /// The bytes.
        data: Bytes,
        /// The trailer fields.
        trailers: Option<HeaderMap>,
        /// Its share of the memory budget, given back when the exchange is over.
        budget: Option<OwnedSemaphorePermit>,
    },
    /// Too large to hold, or a stream that waits for answers: the beginning, and where the rest comes from.
    Stream {
        /// What was read so far.
        first: Bytes,
        /// The rest.
        rest: Incoming,
    },
    /// It came too slowly.
    Slow,
    /// No memory was free in time: the beginning, and where the rest comes from.
    Overloaded {
        /// What was read so far.
        first: Bytes,
        /// The rest.
        rest: Incoming,
    },
    /// It broke off.
    Broken,
}

/// Reads `body` to its end, or far enough to know that it has to be streamed: it is longer than `most` bytes, or waits for answers.
pub async fn read(mut body: Incoming, most: usize, proxy: &Proxy) -> Intake {
    if body.is_end_stream() {
        return Intake::Whole { data: Bytes::new(), trailers: None, budget: None };
    }
    let limits = &proxy.limits;
    let declared = body.size_hint().exact();
    if declared.is_some_and(|length| length > most as u64) {
        return Intake::Stream { first: Bytes::new(), rest: body };
    }
    let started = Instant::now();
    let mut held = Held::default();
    let mut trailers = None;
    let mut memory: Option<OwnedSemaphorePermit> = None;
    loop {
        let patience = if declared.is_some() { limits.body_idle } else { PAUSE };
        let frame = match tokio::time::timeout(patience, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return Intake::Broken,
            Ok(None) => return Intake::Whole { data: held.into_bytes(), trailers, budget: memory },
            Err(_) if declared.is_none() => return Intake::Stream { first: held.into_bytes(), rest: body },
            Err(_) => return Intake::Slow,
        };
        match frame.into_data() {
            Ok(data) => {
                let length = held.len() + data.len();
                if length > most {
                    held.push(data, length);
                    return Intake::Stream { first: held.into_bytes(), rest: body };
                }
                if length > granted(memory.as_ref()) {
                    // All that is declared at once, or twice what is held: nobody waits for a little while holding much.
                    let want = declared.map_or(2 * length, |declared| declared as usize).clamp(length, most.max(length));
                    let want = want - granted(memory.as_ref());
                    match grant(&proxy.shared.body_memory, want).await {
                        Some(more) => match &mut memory {
                            Some(permit) => permit.merge(more),
                            None => memory = Some(more),
                        },
                        None => {
                            held.push(data, length);
                            return Intake::Overloaded { first: held.into_bytes(), rest: body };
                        }
                    }
                }
                // Room for no more than may be held yet.
                let room = granted(memory.as_ref());
                held.push(data, declared.map_or(room, |declared| room.min(declared as usize)));
                if is_too_slow(held.len(), started.elapsed(), limits.body_min_rate) {
                    return Intake::Slow;
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
        if body.is_end_stream() {
            return Intake::Whole { data: held.into_bytes(), trailers, budget: memory };
        }
    }
}

/// How many bytes of a body may be held.
fn granted(memory: Option<&OwnedSemaphorePermit>) -> usize {
    FREE + memory.map_or(0, |permit| permit.num_permits() * UNIT)
}

async fn grant(memory: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
    tokio::time::timeout(MEMORY_WAIT, Arc::clone(memory).acquire_many_owned(units)).await.ok()?.ok()
}

/// Below `min_rate` bytes a second on the whole, after a first time of grace.
fn is_too_slow(bytes: usize, elapsed: Duration, min_rate: u64) -> bool {
    elapsed > Duration::from_secs(20) && (bytes as u64) < min_rate * elapsed.as_secs()
}

/// Collected frames: a body of one frame is not copied.
#[derive(Default)]
struct Held {
    first: Bytes,
    all: BytesMut,
}

impl Held {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    /// Adds a frame; `room` is how many bytes are expected in all.
    fn push(&mut self, data: Bytes, room: usize) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        let length = self.len() + data.len();
        if self.all.capacity() < length {
            self.all.reserve(room.max(length) - self.all.len());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_one_frame_is_not_copied_and_one_of_many_takes_the_room_that_it_may() {
        let (mut held, frame) = (Held::default(), Bytes::from(vec![7; 1000]));
        held.push(frame.clone(), FREE);
        assert_eq!((held.len(), held.all.capacity()), (1000, 0));
        held.push(frame.clone(), 3000);
        assert_eq!(held.len(), 2000);
        assert!((3000..FREE).contains(&held.all.capacity()), "{}", held.all.capacity());
        held.push(frame.clone(), 3000);
        held.push(frame, FREE);
        assert!(held.all.capacity() >= FREE);
        assert_eq!(held.into_bytes(), vec![7; 4000]);
    }
}
