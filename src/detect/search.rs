//! Where a rule's exact pattern matches: read step by step where that is possible, and by an automaton where it is not.

use super::{
    engine::Engine,
    steps::{Found, GaveUp, Steps, Threads},
};
use regex_automata::{
    Anchored, Input,
    meta::{Cache, Regex},
    util::primitives::NonMaxUsize,
};
use std::ops::Range;

/// The search states of one scan at a time, by rule. They are the only memory that grows with what texts hold, so there is a bound.
#[derive(Default)]
pub(super) struct Caches {
    threads: Threads,
    /// Rules whose patterns read too much of this text: an automaton searches the rest of it.
    gave_up: Vec<u32>,
    by_rule: Vec<Option<Box<Cache>>>,
    uses: u32,
}

/// States beyond this many bytes are forgotten.
const MOST_BYTES: usize = 32 << 20;

impl Caches {
    /// Prepares for another text.
    pub(super) fn reset(&mut self) {
        self.gave_up.clear();
    }

    /// The states of rule `number`, whose pattern is `pattern`.
    fn of(&mut self, number: u32, pattern: &Regex) -> Option<&mut Cache> {
        let at = number as usize;
        self.uses = self.uses.wrapping_add(1);
        let new = !matches!(self.by_rule.get(at), Some(Some(_)));
        if (new || self.uses.is_multiple_of(1 << 16))
            && self.by_rule.iter().flatten().map(|cache| cache.memory_usage()).sum::<usize>() > MOST_BYTES
        {
            self.by_rule.clear();
        }
        if self.by_rule.len() <= at {
            self.by_rule.resize_with(at + 1, || None);
        }
        Some(self.by_rule.get_mut(at)?.get_or_insert_with(|| Box::new(pattern.create_cache())))
    }
}

/// Calls `found` with the value (the group of that name, or all) and the whole of what rule `number` matches in `window`.
pub(super) fn each_match(
    engine: &Engine,
    caches: &mut Caches,
    text: &str,
    number: u32,
    window: Range<usize>,
    mut found: impl FnMut(Range<usize>, Range<usize>),
) {
    let Range { mut start, end } = window;
    while start < end
        && let Some((value, all)) = first_match(engine, caches, text, start..end, Anchored::No, number)
    {
        start = all.end;
        found(value, all);
    }
}

/// Value and whole of what rule `number` matches at the start of `window`.
pub(super) fn match_at_start(engine: &Engine, caches: &mut Caches, text: &str, number: u32, window: Range<usize>) -> Option<Found> {
    first_match(engine, caches, text, window, Anchored::Yes, number)
}

/// The first match of rule `number` in `window`, or the one at its start: its value and all of it.
fn first_match(engine: &Engine, caches: &mut Caches, text: &str, window: Range<usize>, anchored: Anchored, number: u32) -> Option<Found> {
    if !caches.gave_up.contains(&number)
        && let Some(steps) = engine.steps(number)
    {
        let find = if anchored.is_anchored() { Steps::match_at } else { Steps::find };
        match find(steps, text, window.clone(), &mut caches.threads) {
            Ok(found) => return found,
            Err(GaveUp) => caches.gave_up.push(number),
        }
    }
    let input = &Input::new(text).range(window).anchored(anchored);
    let pattern = engine.searched(number)?;
    let cache = caches.of(number, pattern)?;
    if pattern.captures_len() == 1 {
        let all = pattern.search_with(cache, input)?.range();
        return Some((all.clone(), all));
    }
    let mut slots = [None; 4];
    pattern.search_slots_with(cache, input, &mut slots)?;
    let [start, end, value_start, value_end] = slots.map(|slot| slot.map(NonMaxUsize::get));
    let (all, value) = (start?..end?, value_start.zip(value_end));
    Some((value.map_or_else(|| all.clone(), |(start, end)| start..end), all))
}
