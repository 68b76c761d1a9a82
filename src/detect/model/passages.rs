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
pub(super) fn of(heads: &Heads, windows: &[Seen]) -> Vec<Passage> {
    let counts = |(index, passage): (usize, Passage)| {
        let threshold = heads.sequence_threshold.get(index % heads.sequence_labels.len().max(1));
        threshold.is_some_and(|threshold| passage.probability >= *threshold).then_some(passage)
    };
    all(heads, windows).enumerate().filter_map(counts).collect()
}

/// Every passage with every label in turn.
pub(super) fn all<'a>(heads: &'a Heads, windows: &'a [Seen]) -> impl Iterator<Item = Passage> + 'a {
    let long = |group: &&[Seen]| group.iter().map(|seen| seen.window.weight).sum::<usize>() >= SHORT;
    groups(windows).filter(long).flat_map(move |group| {
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

/// Windows that follow one another without anything left out between them, at most [`WINDOWS`] and about equally many.
pub(super) fn groups(windows: &[Seen]) -> impl Iterator<Item = &[Seen]> {
    windows.chunk_by(|one, next| one.window.range.end == next.window.range.start).flat_map(|run| {
        let groups = run.len().div_ceil(WINDOWS).max(1);
        run.chunks(run.len().div_ceil(groups).max(1))
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
        let windows = [seen(0..10, 6.0), seen(10..20, 2.0), seen(25..30, 1.0)];
        let found = of(&heads(), &windows);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].range == (0..20) && (found[0].probability - 0.8808).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_long_run_is_cut_evenly() {
        let windows: Vec<_> = (0..5).map(|at| seen(at * 10..at * 10 + 10, 0.0)).collect();
        assert_eq!(groups(&windows).map(<[Seen]>::len).collect::<Vec<_>>(), [3, 2]);
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
