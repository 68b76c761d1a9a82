//! Where each rule's exact pattern must be tried: a few short windows of the text, never the same bytes twice.

use std::ops::Range;

/// Windows per rule. Reused from text to text.
#[derive(Default)]
pub(super) struct Windows {
    /// The latest window of each rule, which may still grow; empty for none.
    open: Vec<Range<usize>>,
    /// Rules that have one.
    active: Vec<u32>,
    closed: Vec<(u32, Range<usize>)>,
    /// Windows at whose start alone a match can begin.
    starts: Vec<(u32, Range<usize>)>,
}

impl Windows {
    pub(super) fn reset(&mut self, rules: usize) {
        self.open.clear();
        self.open.resize(rules, 0..0);
        self.active.clear();
        self.closed.clear();
        self.starts.clear();
    }

    /// Has `rule` tried at the start of `window` only.
    pub(super) fn add_start(&mut self, rule: u32, window: Range<usize>) {
        self.starts.push((rule, window));
    }

    /// Takes out all windows to be tried at their start, by rule and place.
    pub(super) fn drain_starts(&mut self) -> Vec<(u32, Range<usize>)> {
        let mut all = std::mem::take(&mut self.starts);
        all.sort_unstable_by_key(|(rule, window)| (*rule, window.start));
        all
    }

    /// Has `rule` tried on `window`; windows that touch become one.
    pub(super) fn add(&mut self, rule: u32, window: Range<usize>) {
        let Some(open) = self.open.get_mut(rule as usize) else { return };
        if open.start == open.end {
            self.active.push(rule);
            *open = window;
        } else if window.start <= open.end && open.start <= window.end {
            *open = open.start.min(window.start)..open.end.max(window.end);
        } else {
            self.closed.push((rule, std::mem::replace(open, window)));
        }
    }

    /// Takes out all windows, by rule and place.
    pub(super) fn drain(&mut self) -> Vec<(u32, Range<usize>)> {
        for rule in self.active.drain(..) {
            if let Some(open) = self.open.get_mut(rule as usize) {
                self.closed.push((rule, std::mem::replace(open, 0..0)));
            }
        }
        let mut all = std::mem::take(&mut self.closed);
        all.sort_unstable_by_key(|(rule, window)| (*rule, window.start));
        all.dedup_by(|(rule, window), (before, kept)| {
            let touches = rule == before && window.start <= kept.end;
            if touches {
                kept.end = kept.end.max(window.end);
            }
            touches
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_touch_are_searched_once() {
        let mut windows = Windows::default();
        windows.reset(2);
        windows.add(1, 0..10);
        windows.add(1, 5..20);
        windows.add(0, 3..4);
        windows.add(1, 30..40);
        assert_eq!(windows.drain(), [(0, 3..4), (1, 0..20), (1, 30..40)]);
        assert_eq!(windows.drain(), []);
    }
}
