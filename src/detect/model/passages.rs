//! What the heads say, in places: tags of tokens to spans of a window, windows that follow one another to passages.

use super::{
    decode,
    fields::MASK,
    file::Heads,
    look::{Seen, Spotted},
    network::Logits,
    vocabulary::Tokens,
};
use crate::finding::Label;
use std::ops::Range;

/// Windows that are judged together as one passage: about a page.
const WINDOWS: usize = 4;
/// So many bytes that are no language (a line of code, a number, a link) do not end a passage: what stands before and after belongs together,
/// and a stray sentence judged alone says little.
const ASIDE: usize = 400;
/// Of so many harmless passages one passes a threshold.
const ALARMS: f64 = 0.002;
/// What of long harmless texts may be taken for business content.
const SELDOM: f64 = 0.02;
/// Shorter passages, in estimated tokens, have no business content to speak of.
const SHORT: usize = 12;

/// A passage that counts as business content.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passage {
    /// In the field's text.
    pub(super) range: Range<usize>,
    pub(super) label: Label,
    /// Calibrated.
    pub(super) probability: f32,
}

/// The passages of a field's windows, which are in order, that count as business content.
///
/// In a long text something passes a threshold by chance. So the odds of what not enough other passages bear out are
/// divided by how many passages there were to find it in (Bonferroni).
pub(super) fn of(heads: &Heads, windows: &[Seen]) -> Vec<Passage> {
    let all: Vec<Passage> = all(heads, windows).collect();
    let passages = all.len() / heads.sequence_labels.len().max(1);
    let thresholds = heads.sequence_threshold.iter().cycle();
    let over = all.into_iter().zip(thresholds).filter(|(passage, threshold)| passage.probability >= **threshold);
    let mut found: Vec<Passage> = over.map(|(passage, _)| passage).collect();
    let hits: Vec<usize> = found.iter().map(|one| found.iter().filter(|other| other.label == one.label).count()).collect();
    for (passage, hits) in found.iter_mut().zip(hits) {
        if hits < more_than_chance(passages) {
            let odds = passage.probability / (1.0 - passage.probability).max(f32::EPSILON) / passages as f32;
            passage.probability = odds / (1.0 + odds);
        }
    }
    found
}

/// How many of so many harmless passages hardly ever pass a threshold: the least number that is met in less than [`SELDOM`] of such texts
/// (Poisson).
fn more_than_chance(passages: usize) -> usize {
    let expected = passages as f64 * ALARMS;
    let (mut fewer, mut term, mut hits) = (0.0, (-expected).exp(), 0);
    while 1.0 - fewer >= SELDOM && hits < passages {
        fewer += term;
        hits += 1;
        term *= expected / hits as f64;
    }
    hits
}

/// Every passage that was read, with every label in turn.
pub(super) fn all<'a>(heads: &'a Heads, windows: &'a [Seen]) -> impl Iterator<Item = Passage> + 'a {
    let long = |group: &&[Seen]| group.iter().map(|seen| seen.window.weight).sum::<usize>() >= SHORT;
    let is_read = |group: &&[Seen]| group.iter().any(|seen| seen.read.is_some());
    groups(windows).filter(long).filter(is_read).flat_map(move |group| {
        let range = group.first().map_or(0, |first| first.window.range.start)..group.last().map_or(0, |last| last.window.range.end);
        heads.sequence_labels.iter().enumerate().map(move |(index, label)| {
            let probability = probability(heads, index, group).unwrap_or_default();
            Passage { range: range.clone(), label: label.clone(), probability }
        })
    })
}

/// The calibrated probability that windows are of a label: that of the mean of what each says. `None` where none was read.
fn probability(heads: &Heads, label: usize, windows: &[Seen]) -> Option<f32> {
    let logits: Vec<f32> = windows.iter().filter_map(|seen| seen.read.as_ref()?.sequence.get(label).copied()).collect();
    (!logits.is_empty()).then(|| of_logit(heads, label, logits.iter().sum::<f32>() / logits.len() as f32))
}

/// The calibrated probability that a logit of a sequence label stands for.
pub(super) fn of_logit(heads: &Heads, label: usize, logit: f32) -> f32 {
    let temperature = heads.sequence_temperature.get(label).copied().unwrap_or(1.0);
    1.0 / (1.0 + (-logit / temperature).exp())
}

/// Windows that follow one another with at most [`ASIDE`] left out between them, at most [`WINDOWS`], and as many as in the
/// other groups or one more: the last of a long text is no stray sentence.
pub(super) fn groups(windows: &[Seen]) -> impl Iterator<Item = &[Seen]> {
    let goes_on = |one: &Seen, next: &Seen| next.window.range.start.saturating_sub(one.window.range.end) <= ASIDE;
    windows.chunk_by(goes_on).flat_map(|run| {
        let groups = run.len().div_ceil(WINDOWS);
        (0..groups).filter_map(move |group| run.get(group * run.len() / groups..(group + 1) * run.len() / groups))
    })
}

/// Adds the spans of a piece of a window: its text, the places of its tokens, and the logits of those between two special tokens.
pub(super) fn add_spans(heads: &Heads, text: &str, places: &[Range<usize>], logits: &Logits, out: &mut Vec<Spotted>) {
    let tags = heads.token_bias.len();
    let own = logits.tokens.get(tags..tags * (places.len() + 1)).unwrap_or_default();
    for run in decode::runs(heads, own) {
        let (Some(first), Some(last)) = (places.get(run.start), run.end.checked_sub(1).and_then(|last| places.get(last))) else { continue };
        let range = first.start..last.end;
        // An address may go over several lines, nothing else does.
        let is_address = heads.token_labels.get(run.label).is_some_and(|label| label.is_under("personal.address"));
        let range = if is_address { range } else { first_line(text, range) };
        let Some(range) = whole_words(text, range) else { continue };
        // Pieces of one window share some tokens.
        match out.last_mut().filter(|before| range.start < before.range.end) {
            Some(before) if before.label == run.label => before.range.end = before.range.end.max(range.end),
            Some(_) => {}
            None => out.push(Spotted { range, label: run.label, confidence: run.confidence }),
        }
    }
}

/// The first line of `range` that is not blank.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = text.get(range.clone()).unwrap_or_default();
    let start = range.start + inside.len() - inside.trim_start().len();
    let end = text.get(start..range.end).and_then(|line| line.find('\n')).map_or(range.end, |newline| start + newline);
    start..end.max(start)
}

/// `range` on the borders of words, without spaces and punctuation at its ends; `None` if nothing is left of it.
fn whole_words(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let edge = |c: char| c.is_whitespace() || c.is_control() || ",;:\"'“”‘’、。，；：！？!?()（）<>《》[]{}「」|*".contains(c);
    let mut inside = text.get(range.clone())?;
    // A mask is a finding of the rules already.
    while let Some(rest) = inside.trim_start_matches(edge).strip_prefix("mask>") {
        inside = rest;
    }
    let trimmed = inside.trim_start_matches(edge);
    let start = range.end - trimmed.len();
    let end = start + trimmed.trim_end_matches(edge).len();
    let letter = |c: char| c.is_ascii_alphabetic();
    let before = text.get(..start)?.chars().rev().take_while(|c| letter(*c)).count();
    let after = text.get(end..)?.chars().take_while(|c| letter(*c)).count();
    let found = text.get(start..end)?;
    let start = if found.starts_with(letter) { start - before } else { start };
    let end = if found.ends_with(letter) { end + after } else { end };
    let word = text.get(start..end)?;
    (word.chars().any(char::is_alphanumeric) && !word.contains(MASK)).then_some(start..end)
}

/// The words of a window's tokens; kept here since they are cut like spans.
pub(super) fn words(text: &str, tokens: &Tokens) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = tokens.places.iter().filter_map(|place| whole_words(text, place.clone())).collect();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::model::{look::Read, windows::Window};
    use std::sync::Arc;

    fn heads() -> Heads {
        Heads {
            token_labels: vec![Label::parse("personal.name").expect("label")],
            token_temperature: 1.0,
            token_bias: vec![0.0; 3],
            sequence_labels: vec![Label::parse("business.contract").expect("label")],
            sequence_temperature: vec![2.0],
            sequence_threshold: vec![0.8],
        }
    }

    fn seen(range: Range<usize>, logit: f32) -> Seen {
        let read = Some(Arc::new(Read { sequence: vec![logit], ..Read::default() }));
        Seen { field: 0, window: Window { range, weight: 50 }, key: [0; 16], read }
    }

    #[test]
    fn neighbours_are_judged_together_and_others_apart() {
        // Means of 4 and of 1 at a temperature of 2: .88 and .62.
        let windows = [seen(0..10, 6.0), seen(15..20, 2.0), seen(1000..1030, 1.0)];
        let found = of(&heads(), &windows);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].range == (0..20) && (found[0].probability - 0.8808).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn one_passage_of_a_long_text_says_less_than_one_of_a_short_text() {
        assert_eq!([1, 10, 11, 100, 250, 10_000].map(more_than_chance), [1, 1, 2, 2, 3, 31]);
        let text = |sure: usize| (0..80).map(|at| seen(at * 10..at * 10 + 10, if at < sure { 8.0 } else { -8.0 })).collect::<Vec<_>>();
        // 20 passages: odds of 55 become odds of 2.7.
        let alone = of(&heads(), &text(4));
        assert!(alone.len() == 1 && (alone[0].probability - 0.732).abs() < 1e-3, "{alone:?}");
        let both = of(&heads(), &text(8));
        assert!(both.len() == 2 && both.iter().all(|passage| passage.probability > 0.98), "{both:?}");
        let short = of(&heads(), &text(4)[..40]);
        assert!(short.len() == 1 && short[0].probability > 0.98, "{short:?}");
    }

    #[test]
    fn a_long_run_is_cut_evenly() {
        let windows: Vec<_> = (0..13).map(|at| seen(at * 10..at * 10 + 10, 0.0)).collect();
        let cut = |count: usize| groups(&windows[..count]).map(<[Seen]>::len).collect::<Vec<_>>();
        assert_eq!(cut(4), [4]);
        assert_eq!(cut(5), [2, 3]);
        assert_eq!(cut(13), [3, 3, 3, 4]);
    }

    #[test]
    fn a_name_ends_with_its_line() {
        let text = "From \nAda Lovelace\nLondon";
        assert_eq!(&text[first_line(text, 4..text.len())], "Ada Lovelace");
        assert_eq!(&text[first_line(text, 6..9)], "Ada");
    }

    #[test]
    fn spans_end_at_words() {
        let text = "ask (Margaret Okafor), 或者“张伟”。 <mask>!";
        let word = |part: &str| {
            let start = text.find(part).expect("part");
            whole_words(text, start..start + part.len()).map(|range| &text[range])
        };
        assert_eq!(word(" (Marg"), Some("Margaret"));
        assert_eq!(word("garet Okafor),"), Some("Margaret Okafor"));
        assert_eq!(word("“张伟”。"), Some("张伟"));
        assert_eq!(word("), "), None);
        assert_eq!(word(" <mask>"), None);
    }
}
