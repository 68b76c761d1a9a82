//! How long a client may keep us waiting.

use super::{Guard, Limits, Violation};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// Measures how long a client keeps us waiting. The timer is armed only when there is something to wait for, and left armed.
#[derive(Debug, Default)]
pub(super) struct Clock {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Since when nothing has come.
    pending: Option<Instant>,
    /// When the unfinished head began, and its number.
    head: Option<(u64, Instant)>,
    /// How long the content of the request of that number was waited for.
    waited: (u64, Duration),
}

impl Clock {
    /// Ready when the client is too late with what the guard waits for.
    pub(super) fn poll_late(&mut self, cx: &mut Context<'_>, guard: &Guard, begun: Begun, limits: &Limits) -> Poll<Violation> {
        let request = guard.requests();
        if guard.is_in_head() && begun == Begun::Yes {
            let since = match self.head {
                Some((number, since)) if number == request => since,
                Some(_) | None => {
                    let now = Instant::now();
                    self.head = Some((request, now));
                    now
                }
            };
            ready!(self.poll_until(cx, since + limits.head));
            return Poll::Ready(Violation::SlowHead);
        }
        if guard.is_in_content() && limits.body_rate > 0 {
            if self.waited.0 != request {
                self.waited = (request, Duration::ZERO);
            }
            let since = *self.pending.get_or_insert_with(Instant::now);
            let earned = Duration::from_millis(guard.content().saturating_mul(1000) / u64::from(limits.body_rate));
            let left = limits.body_grace.saturating_add(earned).saturating_sub(self.waited.1);
            // A long upload earns more than a clock holds.
            ready!(self.poll_until(cx, since + left.min(Duration::from_secs(86_400))));
            return Poll::Ready(Violation::SlowBody);
        }
        Poll::Pending
    }

    pub(super) fn arrived(&mut self) {
        if let Some(since) = self.pending.take() {
            self.waited.1 += since.elapsed();
        }
    }

    pub(super) fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

/// Whether the first bytes of a head are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Yes,
    No,
}
