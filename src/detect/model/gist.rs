//! What a passage is about, as the heads that the company taught see it: the text as the model reads it, and the mean of its hidden states.

use super::{
    Model, explain,
    fields::{self, Field},
    look::{Look, Seen, Want, of_others},
    passages,
};
use crate::{
    budget::Budget,
    content::Document,
    detect::as_read,
    finding::{Carried, Confidence, Evidence, Finding, Gap},
    knowledge::{Knowledge, lexicon, trace},
    text::Span,
};
use half::f16;

/// Shorter passages, in estimated tokens, are about nothing in particular.
const SHORT: usize = 24;

/// A passage of about a page: up to four windows that follow one another.
#[derive(Clone, Debug, PartialEq)]
pub struct Gist {
    /// Index of its segment.
    pub segment: usize,
    /// Where in the segment's text.
    pub span: Span,
    /// As the model reads it: what rules found is masked.
    pub text: String,
    /// The mean of the hidden states, one number for each dimension.
    pub mean: Vec<f32>,
}

impl Model {
    /// The passages of a document in which the rules have found `findings`, and the gap if some were not read.
    pub fn gists(&self, document: &Document<'_>, findings: &[Finding], budget: &mut Budget) -> (Vec<Gist>, Option<Gap>) {
        let look = self.look(document, &of_others(findings), fields::stretches(document).into_iter(), Want::Means, budget);
        (of(document, &look.fields, &look.seen), look.gap)
    }

    /// The words that carried a finding of a head's, each with its share of all that words said for it.
    pub(super) fn explain_classifier(
        &self,
        document: &Document<'_>,
        knowledge: &Knowledge,
        findings: &[Finding],
        finding: &Finding,
        budget: &mut Budget,
    ) -> Vec<Carried> {
        let Look { fields, seen, .. } =
            self.look(document, &of_others(findings), fields::stretches(document).into_iter(), Want::Means, budget);
        let own = seen.chunk_by(|one, next| one.field == next.field).flat_map(passages::groups);
        let same = |gist: &Gist| gist.segment == finding.segment && gist.span == finding.span;
        let whole = own.filter_map(|windows| Some((windows.first()?, gist(document, &fields, windows).filter(same)?))).next();
        let head = knowledge.heads_for(self.id).find(|(pack, _)| pack.classifier == finding.label);
        let (Some((first, gist)), Some((_, head)), Some(segment)) = (whole, head, document.segments().get(finding.segment)) else {
            return Vec::new();
        };
        let Some(field) = fields.get(first.field) else { return Vec::new() };
        let weighed = lexicon::words(&knowledge.digester, &gist.text).into_iter().filter_map(|(range, features)| {
            let weight: f32 = features.iter().filter_map(|(feature, share)| Some(head.weight(*feature)? * share)).sum();
            let span = field.place(segment, first.window.range.start + range.start..first.window.range.start + range.end)?;
            (weight > 0.0).then_some((span, weight))
        });
        let weighed: Vec<(Span, f32)> = weighed.collect();
        let whole: f32 = weighed.iter().map(|(_, weight)| weight).sum();
        let carried = weighed.into_iter().map(|(span, weight)| Carried { span, share: weight / whole });
        explain::weightiest(carried.collect(), 0.0)
    }
}

/// The passages of windows that were read, with their means.
pub(super) fn of(document: &Document<'_>, fields: &[Field], seen: &[Seen]) -> Vec<Gist> {
    let own = seen.chunk_by(|one, next| one.field == next.field);
    own.flat_map(passages::groups).filter_map(|windows| gist(document, fields, windows)).collect()
}

fn gist(document: &Document<'_>, fields: &[Field], windows: &[Seen]) -> Option<Gist> {
    let (first, last) = (windows.first()?, windows.last()?);
    if windows.iter().map(|seen| seen.window.weight).sum::<usize>() < SHORT {
        return None;
    }
    let field = fields.get(first.field)?;
    let range = first.window.range.start..last.window.range.end;
    let text = field.text.get(range.clone())?.to_owned();
    let span = field.place(document.segments().get(field.stretch.segment)?, range)?;
    let (mut mean, mut weight) = (Vec::new(), 0.0);
    for seen in windows {
        let read = seen.read.as_ref().filter(|read| !read.mean.is_empty())?;
        // Windows count by their length.
        let own = seen.window.weight.max(1) as f32;
        weight += own;
        mean.resize(read.mean.len(), 0.0);
        mean.iter_mut().zip(&read.mean).for_each(|(mean, number): (&mut f32, &f16)| *mean += (number.to_f32() - *mean) * own / weight);
    }
    Some(Gist { segment: field.stretch.segment, span, text, mean })
}

/// What the heads of `knowledge` for the model `id` say about passages.
pub(super) fn classified(document: &Document<'_>, knowledge: &Knowledge, id: u64, gists: Vec<Gist>) -> Vec<Finding> {
    let mut found = Vec::new();
    for Gist { segment, span, text, mean } in gists {
        let features = lexicon::features(&knowledge.digester, &text);
        for (pack, head) in knowledge.heads_for(id) {
            let score = head.score(&mean, &features);
            // A trace is of the text as it stood there; rules may mask other parts of it today.
            let whole = || trace::whole(&knowledge.digester, &as_read(document.text(segment, span)));
            if score.counts() && !pack.unlearnt.has_text(whole) {
                found.push(Finding {
                    segment,
                    span,
                    label: pack.classifier.clone(),
                    detector: format!("{}: {}", pack.name(), score).into(),
                    evidence: Evidence::Model,
                    confidence: Confidence::new(score.confidence()),
                });
            }
        }
    }
    found
}
