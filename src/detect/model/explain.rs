//! Which words carried a decision: each is masked in turn, and the decision taken again (occlusion, Zeiler and Fergus 2014).

use super::{
    Model,
    fields::{self, Field, MASK},
    look::{Look, Read, Seen, Want, of_others},
    passages,
};
use crate::{
    budget::Budget,
    content::Document,
    finding::{Carried, Evidence, Finding},
    knowledge::Knowledge,
    text::Span,
};
use std::ops::Range;

/// Words tried; of a longer window, the first.
const TRIED: usize = 64;
/// Words told.
const TOLD: usize = 8;
/// A smaller loss is noise.
const LEAST: f32 = 0.03;

impl Model {
    /// The words that carried a finding of the model's, weightiest first; empty for findings of others, and where no word alone does.
    /// `findings` are all of the document's, `knowledge` what the company taught. Takes some tenths of a second.
    pub fn explain(
        &self,
        document: &Document<'_>,
        knowledge: Option<&Knowledge>,
        findings: &[Finding],
        finding: &Finding,
        budget: &mut Budget,
    ) -> Vec<Carried> {
        if finding.evidence != Evidence::Model {
            return Vec::new();
        }
        if finding.label.is_under("company") {
            return knowledge.map_or(Vec::new(), |knowledge| self.explain_classifier(document, knowledge, findings, finding, budget));
        }
        let Look { fields, seen, .. } =
            self.look(document, &of_others(findings), fields::stretches(document).into_iter(), Want::Labels, budget);
        let Some(segment) = document.segments().get(finding.segment) else { return Vec::new() };
        let place = |seen: &Seen| {
            fields.get(seen.field).filter(|f| f.stretch.segment == finding.segment)?.place(segment, seen.window.range.clone())
        };
        let touched = seen.iter().filter(|seen| place(seen).is_some_and(|span| span.overlaps(finding.span)));
        // Of a passage of several windows, the one that says it loudest.
        let loudest = touched.max_by(|a, b| self.heard(a, finding).total_cmp(&self.heard(b, finding)));
        let Some((seen, field)) = loudest.and_then(|seen| Some((seen, fields.get(seen.field)?))) else { return Vec::new() };
        self.occlude(field, seen, finding, |range| field.place(segment, range), budget).unwrap_or_default()
    }

    fn occlude(
        &self,
        field: &Field,
        seen: &Seen,
        finding: &Finding,
        place: impl Fn(Range<usize>) -> Option<Span>,
        budget: &Budget,
    ) -> Option<Vec<Carried>> {
        let start = seen.window.range.start;
        let text = field.text.get(seen.window.range.clone())?;
        let placed = |word: &Range<usize>| place(start + word.start..start + word.end);
        let is_span = self.heads.token_labels.contains(&finding.label);
        let words: Vec<(Range<usize>, Span)> = passages::words(text, &self.vocabulary.tokens(text))
            .into_iter()
            .filter_map(|word| placed(&word).map(|span| (word, span)))
            // What a span says by itself cannot be told by taking it away.
            .filter(|(_, span)| !is_span || !span.overlaps(finding.span))
            .take(TRIED)
            .collect();
        let without = |word: &Range<usize>| Some([text.get(..word.start)?, MASK, text.get(word.end..)?].concat());
        let texts: Vec<String> = words.iter().map(|(word, _)| without(word).unwrap_or_default()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let whole = self.heard(seen, finding);
        let reads = self.read_texts(&texts, Want::Labels, budget.deadline()).ok()?;
        let target = is_span.then(|| self.spotted(seen, finding, &placed)).flatten();
        let carried: Vec<Carried> = words
            .iter()
            .zip(&reads)
            .map(|((word, span), read)| {
                let left = match &target {
                    Some(target) => self.confidence(read, finding, target, word),
                    None => self.said(read, finding),
                };
                Carried { span: *span, share: ((whole - left) / whole.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0) }
            })
            .collect();
        Some(weightiest(carried, LEAST))
    }

    /// How loudly a window says what the finding says.
    fn heard(&self, seen: &Seen, finding: &Finding) -> f32 {
        seen.read.as_ref().map_or(0.0, |read| self.said(read, finding))
    }

    fn said(&self, read: &Read, finding: &Finding) -> f32 {
        let passage = self.heads.sequence_labels.iter().position(|label| *label == finding.label);
        match passage {
            Some(label) => read.sequence.get(label).map_or(0.0, |logit| passages::of_logit(&self.heads, label, *logit)),
            None => {
                let own = read.spans.iter().filter(|spotted| self.heads.token_labels.get(spotted.label) == Some(&finding.label));
                own.map(|spotted| spotted.confidence).fold(0.0, f32::max)
            }
        }
    }

    /// Where in the window the finding stands.
    fn spotted(&self, seen: &Seen, finding: &Finding, placed: &impl Fn(&Range<usize>) -> Option<Span>) -> Option<Range<usize>> {
        let spans = seen.read.iter().flat_map(|read| &read.spans);
        spans.map(|spotted| &spotted.range).find(|range| placed(range).is_some_and(|span| span.overlaps(finding.span))).cloned()
    }

    /// How sure the network is of the span at `target` when `word` is masked: not at all, if it does not find it any more.
    fn confidence(&self, read: &Read, finding: &Finding, target: &Range<usize>, word: &Range<usize>) -> f32 {
        let moved = |at: usize| if at >= word.end { (at + MASK.len()).saturating_sub(word.len()) } else { at };
        let target = moved(target.start)..moved(target.end);
        let own = read.spans.iter().filter(|spotted| self.heads.token_labels.get(spotted.label) == Some(&finding.label));
        own.filter(|spotted| spotted.range.start < target.end && target.start < spotted.range.end)
            .map(|spotted| spotted.confidence)
            .fold(0.0, f32::max)
    }
}

/// Those that are worth telling, with a share of `least` or more, weightiest first.
pub(super) fn weightiest(mut carried: Vec<Carried>, least: f32) -> Vec<Carried> {
    carried.retain(|carried| carried.share >= least);
    carried.sort_by(|a, b| b.share.total_cmp(&a.share));
    carried.truncate(TOLD);
    carried
}
