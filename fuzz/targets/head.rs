//! A stream of HTTP/1 requests is judged alike however it arrives, and never more of it passes than there is.

#![no_main]

use exeat::proxy::hygiene::{Guard, Violation};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u16)| {
    let (stream, at) = input;
    let whole = run(&[stream]);
    assert!(whole.0 <= stream.len());
    let (first, _) = stream.split_at(usize::from(at).min(stream.len()));
    assert_eq!(run(&[first, stream]), whole);
});

/// Bytes passed and the verdict, for a stream of which more and more has arrived.
fn run(arrivals: &[&[u8]]) -> (usize, Option<Violation>) {
    let (mut guard, mut passed) = (Guard::default(), 0);
    for arrived in arrivals {
        loop {
            match guard.feed(arrived.get(passed..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => passed += more,
                Err(violation) => return (passed, Some(violation)),
            }
        }
    }
    (passed, None)
}
