//! One text through all rules: wake the few that could concern it, try their patterns near what woke them, judge what matches.

use super::{
    Detection, Suppressed, context,
    engine::Engine,
    quiet,
    rule::{Rule, WithoutContext},
    window::Windows,
};
use crate::{content::Document, finding::Finding, text::Span};
use regex_automata::{Input, PatternID, util::captures::Captures};
use std::ops::Range;

/// What a scan needs again and again; kept from text to text.
#[derive(Default)]
pub(super) struct Scratch {
    windows: Windows,
    known: context::Known,
}

/// Where a text comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) segment: usize,
    /// From the text's offsets to the segment's.
    pub(super) place: &'a dyn Fn(Range<usize>) -> Option<Span>,
}

/// Reads `text` and adds what it finds to `out`.
pub(super) fn read(engine: &Engine, text: &str, origin: Origin<'_>, scratch: &mut Scratch, out: &mut Detection) {
    scratch.windows.reset(engine.rules.len());
    scratch.known.reset();
    wake(engine, text.as_bytes(), &mut scratch.windows);
    for (rule, window) in scratch.windows.drain() {
        try_rule(engine, text, rule, window, origin, &mut scratch.known, out);
    }
}

/// Marks where which rules must be tried.
fn wake(engine: &Engine, bytes: &[u8], windows: &mut Windows) {
    engine.wake.scan(bytes, |start, end, rules| {
        for rule in rules {
            let reach = engine.reach(*rule);
            windows.add(*rule, start.saturating_sub(reach.before)..(end + reach.after).min(bytes.len()));
        }
    });
    for region in super::digits::regions(bytes) {
        let done = engine.shapes.scan(bytes, region.clone(), |shape, end| {
            let rule = engine.by_shape.get(shape as usize).copied().unwrap_or_default();
            windows.add(rule, end.saturating_sub(engine.reach(rule).after)..end);
        });
        if done.is_err() {
            for rule in &engine.by_shape {
                windows.add(*rule, region.clone());
            }
        }
    }
}

fn try_rule(
    engine: &Engine,
    text: &str,
    number: u32,
    window: Range<usize>,
    origin: Origin<'_>,
    known: &mut context::Known,
    out: &mut Detection,
) {
    let Some(rule) = engine.rules.get(number as usize) else { return };
    each_match(engine, text, number, window, |found| judge(engine, rule, number, text, found, origin, known, out));
}

/// Calls `found` with what rule `number` matches in `window` (its group `value`, if it has one).
fn each_match(engine: &Engine, text: &str, number: u32, window: Range<usize>, mut found: impl FnMut(Range<usize>)) {
    let Some(pattern) = engine.pattern(number) else { return };
    let mut input = Input::new(text).range(window);
    let group = pattern.group_info().to_index(PatternID::ZERO, "value");
    let mut captures = group.map(|_| Captures::all(pattern.group_info().clone()));
    while let Some(all) = pattern.find(input.clone()) {
        let mut value = all.range();
        if let (Some(group), Some(captures)) = (group, captures.as_mut()) {
            pattern.search_captures(&input.clone().range(all.range()), captures);
            value = captures.get_group(group).map_or(value, |group| group.range());
        }
        found(value);
        if all.end() >= input.end() {
            break;
        }
        input.set_start(all.end());
    }
}

#[expect(clippy::too_many_arguments, reason = "the state of a scan, taken apart so that its parts can be borrowed")]
fn judge(
    engine: &Engine,
    rule: &Rule,
    number: u32,
    text: &str,
    found: Range<usize>,
    origin: Origin<'_>,
    known: &mut context::Known,
    out: &mut Detection,
) {
    let Some(value) = text.get(found.clone()) else { return };
    if !rule.checks.iter().all(|check| check(value)) {
        return;
    }
    let context = engine.words.near(known, text, found.clone(), number, rule.context_within);
    if !context && rule.without_context == WithoutContext::Drop {
        return;
    }
    let Some(span) = (origin.place)(found.clone()) else { return };
    let (segment, detector) = (origin.segment, rule.id.clone());
    if let Some(reason) = quiet::reason(rule, value, origin.document, segment, span, engine.options.test_values) {
        out.suppressed.push(Suppressed { segment, span, detector, reason });
        return;
    }
    let confidence = if context { rule.confidence_in_context } else { rule.confidence };
    out.findings.push(Finding { segment, span, label: rule.label.clone(), detector, evidence: rule.evidence, confidence });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Options, rule, shipped};
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
        wake(&ENGINE, text.as_bytes(), &mut windows);
        let everywhere = (0..ENGINE.rules.len() as u32).map(|rule| (rule, 0..text.len())).collect();
        [windows.drain(), everywhere].map(|windows| {
            let mut found = Vec::new();
            for (rule, window) in windows {
                each_match(&ENGINE, text, rule, window, |range| found.push((rule, range)));
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
