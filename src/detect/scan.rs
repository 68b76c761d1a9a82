//! One text through all rules: wake the few that could concern it, try their patterns near what woke them, judge what matches.

use super::{
    Detection, Suppressed, context,
    digits::{self, How, Spelled},
    embedded,
    engine::{Engine, Start},
    learnt,
    normalise::{Normalised, normalise},
    quiet::{self, Reason},
    rule::{Rule, WithoutContext},
    search::{Caches, each_match, match_at_start},
    window::Windows,
};
use crate::{
    content::Document,
    finding::{Evidence, Finding},
    text::Span,
};
use std::ops::Range;

/// What a scan needs again and again; kept from text to text.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) tell: Tell,
    windows: Windows,
    known: context::Known,
    caches: Caches,
    found: Vec<(u32, Range<usize>)>,
    /// Where sites talk about themselves.
    own_traffic: Vec<Range<usize>>,
    learnt: learnt::Scratch,
}

/// What a run reports beside its findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tell {
    /// What looked like a finding and was left alone.
    #[default]
    Suppressed,
    /// And what a rule's own check refused, or lacked its words.
    Refused,
}

/// More than so many suppressions explain nothing to anybody.
const MOST_TOLD: usize = 1000;

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
        self.scratch.caches.reset();
        self.scratch.own_traffic.clear();

        let mut spelled = Vec::new();
        wake(self.engine, self.text, self.scratch, &mut spelled);
        let mut found = std::mem::take(&mut self.scratch.found);
        matches(self.engine, self.text, self.scratch, |rule, value, _| found.push((rule, value)));
        found.sort_unstable_by_key(|(rule, range)| (*rule, range.start, range.end));
        found.dedup();
        for (rule, range) in found.drain(..) {
            if let Some(value) = self.text.get(range.clone()) {
                self.judge(&Candidate { rule, value, range, spelled: None });
            }
        }
        self.scratch.found = found;
        for number in spelled {
            self.spelled(number);
        }
        if self.origin.depth < embedded::DEPTH {
            self.embedded();
        }
        if let Some(knowledge) = &self.engine.knowledge {
            learnt::read(knowledge, self.text, self.origin, &mut self.scratch.learnt, self.out);
        }
    }

    /// Tries the digit rules on a number that was put together. They must match all of it.
    fn spelled(&mut self, number: Spelled) {
        let (engine, digits) = (self.engine, &number.digits);
        let whole = 0..digits.len();
        let mut rules = Vec::new();
        // As for other digits, a check digit is cheaper than a search.
        let tells_all = self.scratch.tell == Tell::Refused;
        let done = engine.shapes.scan(digits.as_bytes(), whole.clone(), |rule, end| {
            if end == whole.end && (tells_all || engine.passes_checks(rule, digits)) {
                rules.push(rule);
            }
        });
        if done.is_err() {
            return;
        }
        for rule in rules {
            let mut matches = false;
            each_match(engine, &mut self.scratch.caches, digits, rule, whole.clone(), |range, _| matches |= range == whole);
            if matches {
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
        let engine = self.engine;
        let Some(rule) = engine.rules.get(candidate.rule as usize) else { return };
        if let Some(check) = engine.refusal(rule, candidate.value) {
            return self.refused(rule, candidate, Reason::Check, Some(check));
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
            return self.refused(rule, candidate, Reason::NoContext, None);
        }
        let Some(span) = (self.origin.place)(range.clone()) else { return };
        let (segment, detector) = (self.origin.segment, rule.id.clone());
        let seen = quiet::Seen { rule, value: candidate.value, text: self.text, range: range.clone(), context };
        if let Some(reason) = quiet::reason(&seen, self.origin.document, segment, span, &self.engine.options) {
            if reason.is_own_traffic() {
                self.scratch.own_traffic.push(range.clone());
            }
            self.out.suppressed.push(Suppressed { segment, span, detector, reason: reason.name(), detail: None });
            return;
        }
        let confidence = quiet::confidence(&seen);
        self.out.findings.push(Finding { segment, span, label: rule.label.clone(), detector, evidence: rule.evidence, confidence });
    }
}

impl Pass<'_> {
    /// Reports what a rule did not take, if anybody asked.
    fn refused(&mut self, rule: &Rule, candidate: &Candidate<'_>, reason: Reason, detail: Option<&str>) {
        if self.scratch.tell == Tell::Suppressed || self.out.suppressed.len() >= MOST_TOLD {
            return;
        }
        let Some(span) = (self.origin.place)(candidate.range.clone()) else { return };
        let (segment, detector, detail) = (self.origin.segment, rule.id.clone(), detail.map(Into::into));
        self.out.suppressed.push(Suppressed { segment, span, detector, reason: reason.name(), detail });
    }
}

/// The longest match that is tried at each place; a longer one tried at many would read the same text again and again.
const LONGEST_ANCHORED: usize = 1500;

/// Marks where which rules must be tried, and collects numbers spelled otherwise.
fn wake(engine: &Engine, text: &str, scratch: &mut Scratch, spelled: &mut Vec<Spelled>) {
    let bytes = text.as_bytes();
    let Scratch { tell, windows, known, .. } = scratch;
    let widest = if text.is_ascii() { 1 } else { 4 };
    engine.wake.scan(bytes, |start, end, keyword| {
        for (index, rule) in keyword.rules.iter().enumerate() {
            let Some(gate) = engine.gate(keyword, index, *rule) else { continue };
            let reach = engine.reach(*rule);
            let Some(passage) = gate.passage(bytes, start..end, reach.before) else { continue };
            let last = passage.end.unwrap_or(usize::MAX).min(end + reach.after).min(bytes.len());
            let window = passage.first()..last;
            if let Some(within) = reach.context
                && window.len() <= LONGEST_ANCHORED
                && !engine.words.may_be_near(known, text, window.clone(), *rule, within * widest)
            {
                continue;
            }
            match passage.beginnings().filter(|_| window.len() <= LONGEST_ANCHORED) {
                Some(places) => places.for_each(|place| windows.add_start(*rule, place..last)),
                None => windows.add(*rule, window),
            }
        }
    });
    for region in digits::regions(bytes) {
        let done = engine.shapes.scan(bytes, region.clone(), |rule, end| {
            let reach = engine.reach(rule);
            let window = end.saturating_sub(reach.after)..end;
            if let Some(within) = reach.context
                && !engine.words.may_be_near(known, text, window.clone(), rule, within * widest)
            {
                return;
            }
            // A check digit is cheaper than a search.
            if *tell == Tell::Suppressed
                && reach.start == Start::Exact
                && !engine.passes_checks(rule, text.get(window.clone()).unwrap_or_default())
            {
                return;
            }
            match reach.start {
                Start::Exact => windows.add_start(rule, window),
                Start::Anywhere => windows.add(rule, window),
            }
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

/// Calls `found` with rule, value and whole of all that matches in the windows.
fn matches(engine: &Engine, text: &str, scratch: &mut Scratch, mut found: impl FnMut(u32, Range<usize>, Range<usize>)) {
    let mut last = (u32::MAX, 0);
    for (rule, window) in scratch.windows.drain_starts() {
        if last.0 == rule && window.start < last.1 {
            continue;
        }
        if let Some((value, all)) = match_at_start(engine, &mut scratch.caches, text, rule, window) {
            last = (rule, all.end);
            found(rule, value, all);
        }
    }
    for (rule, window) in scratch.windows.drain() {
        each_match(engine, &mut scratch.caches, text, rule, window, |value, all| found(rule, value, all));
    }
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
        // What a rule promises to match holds one of its keywords; if it has none, four digits or an `@`. And its checks hold, and its context.
        let promised = |rule: u32, value: &Range<usize>, all: Range<usize>| {
            let folded = text[all].to_ascii_lowercase();
            let keywords = &ENGINE.rules[rule as usize].keywords;
            let digits = folded.bytes().filter(u8::is_ascii_digit).count() >= 4 || folded.contains('@');
            let woken = if keywords.is_empty() { digits } else { keywords.iter().any(|keyword| folded.contains(keyword)) };
            let far = ENGINE.rules[rule as usize].without_context == WithoutContext::Drop
                && !ENGINE.words.near(
                    &mut context::Known::default(),
                    text,
                    value.clone(),
                    rule,
                    ENGINE.rules[rule as usize].context_within,
                );
            woken && !far && ENGINE.passes_checks(rule, &text[value.clone()])
        };
        let (mut near, mut everywhere) = (Vec::new(), Vec::new());
        let mut scratch = Scratch::default();
        scratch.windows.reset(ENGINE.rules.len());
        wake(&ENGINE, text, &mut scratch, &mut Vec::new());
        matches(&ENGINE, text, &mut scratch, |rule, value, all| near.extend(promised(rule, &value, all).then_some((rule, value))));
        for rule in 0..ENGINE.rules.len() as u32 {
            each_match(&ENGINE, &mut scratch.caches, text, rule, 0..text.len(), |value, all| {
                everywhere.extend(promised(rule, &value, all).then_some((rule, value)));
            });
        }
        near.sort_by_key(|(rule, range)| (*rule, range.start));
        // A keyword at either end may find one match twice, of which overlaps leave one.
        near.dedup();
        [near, everywhere]
    }

    /// Bytes that the patterns woken by `text` are tried on, at most.
    fn work(text: &str) -> usize {
        let mut scratch = Scratch::default();
        scratch.windows.reset(ENGINE.rules.len());
        wake(&ENGINE, text, &mut scratch, &mut Vec::new());
        let starts = scratch.windows.drain_starts();
        starts.iter().chain(&scratch.windows.drain()).map(|(_, window)| window.len()).sum()
    }

    #[test]
    fn work_grows_no_faster_than_the_text() {
        let near_misses: String = ENGINE.rules.iter().flat_map(|rule| &rule.counterexamples).map(|text| format!("{text}\n")).collect();
        let pieces = ["7", "%25", "-----BEGIN RSA PRIVATE KEY-----\n", "token='aaaaaaaaaaaaaaaaaaaa ", "a@b.", "1 2-3.4/", &near_misses];
        for piece in pieces {
            let once = piece.repeat((20_000 / piece.len()).max(1));
            let (small, large) = (work(&once), work(&once.repeat(4)));
            assert!(large <= small * 4 + small / 2 + 10_000, "{}: {small} grows to {large}", piece.chars().take(40).collect::<String>());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn waking_rules_loses_no_match_and_adds_none(picks in proptest::collection::vec((0..10_000usize, 0..30usize), 1..12)) {
            let text: String = picks.iter().map(|(pick, gap)| format!("{}{}", TEXTS[pick % TEXTS.len()], "x ".repeat(*gap))).collect();
            let [woken, everywhere] = both(&text);
            let name = |(rule, range): &(u32, Range<usize>)| format!("{} {range:?}", ENGINE.rules[*rule as usize].id);
            // Long repetitions are compiled without their upper bound, which the window keeps: searched everywhere, a match may go on.
            let mut pairs = woken.iter().zip(&everywhere);
            let all_same = pairs.all(|(a, b)| a.0 == b.0 && a.1.start == b.1.start && a.1.end <= b.1.end);
            let all_same = all_same && woken.len() == everywhere.len();
            prop_assert!(all_same, "{:?} {:?} {}", woken.iter().map(name).collect::<Vec<_>>(), everywhere.iter().map(name).collect::<Vec<_>>(), text);
        }
    }
}
