//! Work done on all cores, results taken in order.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

/// Results that may wait for an earlier one, per worker.
const WAITING: usize = 64;

/// Runs `work` on every item, on all cores, and gives the results to `sink` in the order of the items. Stops early when
/// `sink` fails.
pub(super) fn map<I, O, E>(
    items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> O + Sync,
    mut sink: impl FnMut(O) -> Result<(), E>,
) -> Result<(), E>
where
    I: Send,
    O: Send,
{
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let source = Mutex::new(items.enumerate());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(workers * WAITING);
        for _ in 0..workers {
            let (sender, source, work) = (sender.clone(), &source, &work);
            scope.spawn(move || {
                loop {
                    let next = source.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, item)) = next else { break };
                    if sender.send((index, work(item))).is_err() {
                        break; // nobody wants more
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                sink(result)?;
                due += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let mut seen = Vec::new();
        let spin = |n: u64| (0..(1000 - n) * 10).fold(n, |sum, _| std::hint::black_box(sum));
        map(0..1000, spin, |n| {
            seen.push(n);
            Ok::<_, ()>(())
        })
        .expect("sink");
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_failing_sink_stops_an_endless_source() {
        let result = map(0.., |n: u64| n, |n| if n == 500 { Err(n) } else { Ok(()) });
        assert_eq!(result, Err(500));
    }
}
