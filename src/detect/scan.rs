//! One text through all rules: wake the few that could concern it, try their patterns near what woke them, judge what matches.

use super::{
    Detection, Suppressed, TestValues, context,
    digits::{self, How, Spelled},
    embedded,
    engine::{Engine, Start},
    normalise::{Normalised, normalise},
    quiet,
    rule::WithoutContext,
    window::Windows,
};
use crate::{
    content::Document,
    finding::{Evidence, Finding},
    text::Span,
};
use regex_automata::{Anchored, Input, PatternID, util::captures::Captures};
use std::ops::Range;

/// What a scan needs again and again; kept from text to text.
#[derive(Default)]
pub(super) struct Scratch {
    windows: Windows,
    known: context::Known,
    /// Where sites talk about themselves.
    own_traffic: Vec<Range<usize>>,
}

/// Where a text comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) segment: usize,
    /// From the text's offsets to the segment's; `None` where another piece of the segment reports.
    pub(super) place: &'a dyn Fn(Range<usize>) -> Option<Span>,
    /// How often it was decoded out of another text.
    pub(super) depth: usize,
}

/// Reads `text` as it reads, and adds what it finds to `out`.
pub(super) fn read(engine: &Engine, text: &str, origin: Origin<'_>, scratch: &mut Scratch, out: &mut Detection) {
    match normalise(text) {
        None => Pass { engine, text, origin, scratch, out }.run(),
        Some(Normalised { text, map }) => {
            let place = |range: Range<usize>| (origin.place)(map.source(Span::of(&text, range.start, range.end)?));
            Pass { engine, text: &text, origin: Origin { place: &place, ..origin }, scratch, out }.run();
        }
    }
}

/// One text on its way through the rules.
struct Pass<'p> {
    engine: &'p Engine,
    text: &'p str,
    origin: Origin<'p>,
    scratch: &'p mut Scratch,
    out: &'p mut Detection,
}

/// A match on trial.
struct Candidate<'c> {
    rule: u32,
    /// What matched, as digits where it was spelled otherwise.
    value: &'c str,
    /// Where it stands.
    range: Range<usize>,
    /// `Some` if it was put together.
    spelled: Option<How>,
}

impl Pass<'_> {
    fn run(&mut self) {
        self.scratch.windows.reset(self.engine.rules.len());
        self.scratch.known.reset();
        self.scratch.own_traffic.clear();

        let mut spelled = Vec::new();
        wake(self.engine, self.text, &mut self.scratch.windows, &mut spelled);
        let (engine, text) = (self.engine, self.text);
        let mut last = (u32::MAX, 0);
        for (rule, window) in self.scratch.windows.drain_starts() {
            if last.0 == rule && window.start < last.1 {
                continue;
            }
            let Some((range, all)) = first_match(engine, &Input::new(text).range(window).anchored(Anchored::Yes), rule) else { continue };
            last = (rule, all.end);
            if let Some(value) = text.get(range.clone()) {
                self.judge(&Candidate { rule, value, range, spelled: None });
            }
        }
        for (rule, window) in self.scratch.windows.drain() {
            each_match(engine, text, rule, window, |range, _| {
                if let Some(value) = text.get(range.clone()) {
                    self.judge(&Candidate { rule, value, range, spelled: None });
                }
            });
        }
        for number in spelled {
            self.spelled(number);
        }
        if self.origin.depth < embedded::DEPTH {
            self.embedded();
        }
    }

    /// Tries the digit rules on a number that was put together. They must match all of it.
    fn spelled(&mut self, number: Spelled) {
        let digits = &number.digits;
        let mut rules = Vec::new();
        let done = self.engine.shapes.scan(digits.as_bytes(), 0..digits.len(), |shape, end| {
            let rule = self.engine.by_shape.get(shape as usize).copied().filter(|_| end == digits.len());
            rules.extend(rule);
        });
        if done.is_err() {
            return;
        }
        for rule in rules {
            let mut whole = false;
            each_match(self.engine, digits, rule, 0..digits.len(), |range, _| whole |= range == (0..digits.len()));
            if whole {
                self.judge(&Candidate { rule, value: digits, range: number.range.clone(), spelled: Some(number.how) });
            }
        }
    }

    /// Reads the texts that are encoded in this one. What is found there stands at the whole code.
    fn embedded(&mut self) {
        self.scratch.own_traffic.sort_unstable_by_key(|range| range.start);
        let own = std::mem::take(&mut self.scratch.own_traffic);
        for run in embedded::runs(self.text.as_bytes()) {
            // A session's token says who somebody is; that is what it is for.
            let before = own.partition_point(|range| range.start < run.end);
            if before.checked_sub(1).and_then(|last| own.get(last)).is_some_and(|range| run.start < range.end) {
                continue;
            }
            let Some(decoded) = self.text.get(run.clone()).and_then(embedded::decode) else { continue };
            let place = |_: Range<usize>| (self.origin.place)(run.clone());
            let origin = Origin { place: &place, depth: self.origin.depth + 1, ..self.origin };
            read(self.engine, &decoded, origin, self.scratch, self.out);
        }
    }

    fn judge(&mut self, candidate: &Candidate<'_>) {
        let Some(rule) = self.engine.rules.get(candidate.rule as usize) else { return };
        // Samples that were asked for need not look real.
        let is_sample = self.engine.options.test_values == TestValues::Report && rule.is_sample(candidate.value);
        if !is_sample && !rule.checks.iter().all(|check| check(candidate.value)) {
            return;
        }
        let (range, known) = (candidate.range.clone(), &mut self.scratch.known);
        let context = self.engine.words.near(known, self.text, range.clone(), candidate.rule, rule.context_within);
        let needed = match candidate.spelled {
            None => rule.without_context == WithoutContext::Drop,
            // Numbers side by side are rarely one number, so a check digit is not enough to go by.
            Some(How::Apart | How::Chinese) => rule.without_context == WithoutContext::Drop || rule.evidence != Evidence::Checksum,
            Some(How::Lines) => true,
        };
        if needed && !context {
            return;
        }
        let Some(span) = (self.origin.place)(range.clone()) else { return };
        let (segment, detector) = (self.origin.segment, rule.id.clone());
        let seen = quiet::Seen { rule, value: candidate.value, text: self.text, range: range.clone(), context };
        if let Some(reason) = quiet::reason(&seen, self.origin.document, segment, span, &self.engine.options) {
            if reason.is_own_traffic() {
                self.scratch.own_traffic.push(range);
            }
            self.out.suppressed.push(Suppressed { segment, span, detector, reason: reason.name() });
            return;
        }
        let confidence = if context { rule.confidence_in_context } else { rule.confidence };
        self.out.findings.push(Finding { segment, span, label: rule.label.clone(), detector, evidence: rule.evidence, confidence });
    }
}

/// Marks where which rules must be tried, and collects numbers spelled otherwise.
fn wake(engine: &Engine, text: &str, windows: &mut Windows, spelled: &mut Vec<Spelled>) {
    let bytes = text.as_bytes();
    engine.wake.scan(bytes, |start, end, keyword| {
        for (index, rule) in keyword.rules.iter().enumerate() {
            if !engine.gate(keyword, index, *rule).is_some_and(|gate| gate.lets_pass(bytes, start, end)) {
                continue;
            }
            let reach = engine.reach(*rule);
            let window = start.saturating_sub(reach.before)..(end + reach.after).min(bytes.len());
            match reach.start {
                Start::Keyword => windows.add_start(*rule, window),
                Start::Anywhere => windows.add(*rule, window),
            }
        }
    });
    for region in digits::regions(bytes) {
        let done = engine.shapes.scan(bytes, region.clone(), |shape, end| {
            let rule = engine.by_shape.get(shape as usize).copied().unwrap_or_default();
            windows.add(rule, end.saturating_sub(engine.reach(rule).after)..end);
        });
        if done.is_err() {
            for rule in &engine.by_shape {
                windows.add(*rule, region.clone());
            }
        }
        digits::apart(bytes, region, spelled);
    }
    digits::chinese(text, spelled);
}

/// Calls `found` with the value (the group of that name, or all) and the whole of what rule `number` matches in `window`.
pub(super) fn each_match(
    engine: &Engine,
    text: &str,
    number: u32,
    window: Range<usize>,
    mut found: impl FnMut(Range<usize>, Range<usize>),
) {
    let mut input = Input::new(text).range(window);
    while let Some((value, all)) = first_match(engine, &input, number) {
        let end = all.end;
        found(value, all);
        if end >= input.end() {
            break;
        }
        input.set_start(end);
    }
}

/// The first match of rule `number` in `input`: its value and all of it.
fn first_match(engine: &Engine, input: &Input<'_>, number: u32) -> Option<(Range<usize>, Range<usize>)> {
    let pattern = engine.pattern(number)?;
    let all = pattern.search(input)?.range();
    let Some(group) = pattern.group_info().to_index(PatternID::ZERO, "value") else { return Some((all.clone(), all)) };
    let mut captures = Captures::all(pattern.group_info().clone());
    pattern.search_captures(&input.clone().range(all.clone()).anchored(Anchored::Yes), &mut captures);
    let value = captures.get_group(group).map_or(all.clone(), |group| group.range());
    Some((value, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Options, rule, rule::Rule, shipped};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::new(rule::parse(shipped::FILES).expect("rules"), Options::default()).expect("engine"));
    static TEXTS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let of = |rule: &'static Rule| rule.examples.iter().chain(&rule.counterexamples).map(String::as_str);
        ENGINE.rules.iter().flat_map(of).chain(["password", "key", " ", "\n", "4", "1234 ", "a@b", "中文，", "token = \"", "-"]).collect()
    });

    /// What each rule matches: near what wakes it, and everywhere.
    fn both(text: &str) -> [Vec<(u32, Range<usize>)>; 2] {
        let mut windows = Windows::default();
        windows.reset(ENGINE.rules.len());
        wake(&ENGINE, text, &mut windows, &mut Vec::new());
        // Where only the keyword's place would be tried, this test tries all of the window: the differences count, not the speed.
        let starts = windows.drain_starts();
        starts.into_iter().for_each(|(rule, window)| windows.add(rule, window));
        let everywhere = (0..ENGINE.rules.len() as u32).map(|rule| (rule, 0..text.len())).collect();
        [windows.drain(), everywhere].map(|windows| {
            let mut found = Vec::new();
            for (rule, window) in windows {
                let keywords = &ENGINE.rules[rule as usize].keywords;
                each_match(&ENGINE, text, rule, window, |value, all| {
                    // What a rule promises to match holds one of its keywords; if it has none, four digits or an `@`.
                    let folded = text[all].to_ascii_lowercase();
                    let digits = folded.bytes().filter(u8::is_ascii_digit).count() >= 4 || folded.contains('@');
                    if keywords.iter().any(|keyword| folded.contains(keyword)) || (keywords.is_empty() && digits) {
                        found.push((rule, value));
                    }
                });
            }
            found
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn waking_rules_loses_no_match_and_adds_none(picks in proptest::collection::vec((0..10_000usize, 0..30usize), 1..12)) {
            let text: String = picks.iter().map(|(pick, gap)| format!("{}{}", TEXTS[pick % TEXTS.len()], "x ".repeat(*gap))).collect();
            let [woken, everywhere] = both(&text);
            let name = |(rule, range): &(u32, Range<usize>)| format!("{} {range:?}", ENGINE.rules[*rule as usize].id);
            prop_assert_eq!(woken.iter().map(name).collect::<Vec<_>>(), everywhere.iter().map(name).collect::<Vec<_>>(), "{}", text);
        }
    }
}
