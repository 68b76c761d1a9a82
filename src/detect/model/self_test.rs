//! What the model file says the network makes of some texts, against what it makes of them here: a processor that computes wrongly, a
//! damaged file or a foreign tokenizer is told at the start, not by what gets out.

use super::{Model, ModelError, file::Sample};

/// Most difference of a logit. Rounding the activations to 8 bits moves logits by a tenth or two; a wrong kernel or tensor moves them by
/// whole numbers.
const TOLERANCE: f32 = 1.0;
/// Most mean difference.
const MEAN_TOLERANCE: f32 = 0.3;

pub(super) fn run(model: &Model, samples: &[Sample]) -> Result<(), ModelError> {
    if samples.is_empty() {
        return Err(ModelError::SelfTest("the file has no sample".to_owned()));
    }
    samples.iter().enumerate().try_for_each(|(number, sample)| {
        sample_agrees(model, sample).map_err(|cause| ModelError::SelfTest(format!("sample {}: {cause}", number + 1)))
    })
}

fn sample_agrees(model: &Model, sample: &Sample) -> Result<(), String> {
    let ids = model.vocabulary.framed(&model.vocabulary.tokens(&sample.text).ids);
    if ids != sample.ids {
        return Err("its text has other tokens".to_owned());
    }
    let logits = model.network.read(&[&ids]).pop().unwrap_or_default();
    let tokens: Vec<f32> = sample.token_logits.concat();
    if logits.tokens.len() < tokens.len() || logits.sequence.len() != sample.sequence_logits.len() {
        return Err("there are other labels".to_owned());
    }
    agree(&logits.tokens, &tokens).map_err(|difference| format!("logits of tokens differ by {difference:.2}"))?;
    agree(&logits.sequence, &sample.sequence_logits).map_err(|difference| format!("logits of labels differ by {difference:.2}"))
}

/// Whether numbers are close enough; the largest difference if not.
fn agree(ours: &[f32], theirs: &[f32]) -> Result<(), f32> {
    let differences: Vec<f32> = ours.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).collect();
    let largest = differences.iter().copied().fold(0.0, f32::max);
    let mean = differences.iter().sum::<f32>() / differences.len().max(1) as f32;
    // A NaN is no agreement either.
    let close = differences.iter().all(|difference| *difference <= TOLERANCE) && mean <= MEAN_TOLERANCE;
    if close { Ok(()) } else { Err(largest) }
}
