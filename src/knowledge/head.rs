//! A head: what tells new text about the company's own matters from other text, one linear rule over what the model makes of a passage (the mean
//! of its hidden states) and over its words (`lexicon.rs`).
//!
//! It holds weights of dimensions and of keyed digests of words that stand in several documents: no text, and nothing of any one document.

use super::wire::{Malformed, Reader, Writer};
use std::fmt;

/// What stands for a word, a pair of words or a shape of code: 32 bits of a keyed digest.
pub type Feature = u32;

/// How heads are written; others are refused.
const VERSION: u32 = 1;
/// One passage in so many that pass is about the company's matters: assumed, to make a confidence of a score.
const RARITY: f32 = 100.0;

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The model (`Model::id`) whose means it weighs.
    pub model: u64,
    /// Of each dimension of the mean.
    pub weights: Vec<f32>,
    /// Added to every score.
    pub bias: f32,
    /// Features that count, in order.
    pub features: Vec<Feature>,
    /// Their weights, in steps.
    pub lexical: Vec<i8>,
    /// What a step weighs.
    pub step: f32,
    /// The score from which on a passage counts.
    pub threshold: f32,
    /// Share of other passages that were to score so high.
    pub false_positives: f32,
    /// Share of the company's own passages that did, held out; 0 to 1.
    pub recall: f32,
}

/// What a head says about a passage: log odds, by what they rest on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// By the model's mean, the bias with it.
    pub manner: f32,
    /// By words.
    pub words: f32,
    threshold: f32,
    /// Log odds at the threshold.
    prior: f32,
}

impl Head {
    /// What the head says about a passage of this mean and these features (in order).
    pub fn score(&self, mean: &[f32], features: &[Feature]) -> Score {
        let manner = self.bias + self.weights.iter().zip(mean).map(|(weight, number)| weight * number).sum::<f32>();
        let weights = features.iter().filter_map(|feature| self.weight(*feature));
        let words = weights.sum::<f32>() * scale(features.len());
        let odds = self.recall / self.false_positives.max(f32::MIN_POSITIVE) / RARITY;
        Score { manner, words, threshold: self.threshold, prior: odds.max(f32::MIN_POSITIVE).ln() }
    }

    /// What a feature weighs before [scaling](scale).
    pub(crate) fn weight(&self, feature: Feature) -> Option<f32> {
        let at = self.features.binary_search(&feature).ok()?;
        self.lexical.get(at).map(|steps| f32::from(*steps) * self.step)
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.weights.len() * 4 + self.features.len() * 5
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        let Self { model, weights, bias, features, lexical, step, threshold, false_positives, recall } = self;
        let weights: Vec<u32> = weights.iter().map(|weight| weight.to_bits()).collect();
        let lexical: Vec<u8> = lexical.iter().map(|steps| steps.cast_unsigned()).collect();
        to.u32(VERSION).u64(*model).array(&weights).array(features).array(&lexical);
        for number in [bias, step, threshold, false_positives, recall] {
            to.u32(number.to_bits());
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.u32()? != VERSION {
            return Err(Malformed);
        }
        let (model, weights, features, lexical) = (from.u64()?, from.array::<u32>()?, from.array::<Feature>()?, from.array::<u8>()?);
        let weights: Vec<f32> = weights.into_iter().map(f32::from_bits).collect();
        let mut number = || from.u32().map(f32::from_bits);
        let [bias, step, threshold, false_positives, recall] = [number()?, number()?, number()?, number()?, number()?];
        let sound = features.is_sorted()
            && features.len() == lexical.len()
            && weights.iter().chain(&[bias, step, threshold, false_positives, recall]).all(|number| number.is_finite());
        let lexical = lexical.into_iter().map(u8::cast_signed).collect();
        if sound { Ok(Self { model, weights, bias, features, lexical, step, threshold, false_positives, recall }) } else { Err(Malformed) }
    }
}

/// What the features of a passage of so many are multiplied by, so that long passages say no more than short ones.
pub(crate) fn scale(features: usize) -> f32 {
    1.0 / (features.max(1) as f32).sqrt()
}

impl Score {
    /// Log odds over the threshold.
    pub fn margin(self) -> f32 {
        self.manner + self.words - self.threshold
    }

    /// Whether the passage counts.
    pub fn counts(self) -> bool {
        self.margin() >= 0.0
    }

    /// How likely the passage is the company's own, if one in a hundred is.
    pub fn confidence(self) -> f32 {
        1.0 / (1.0 + (-self.margin() - self.prior).exp())
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "new text about its matters, {:.1} over the threshold (words {:+.1}, manner {:+.1})",
            self.margin(),
            self.words,
            self.manner
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            model: 7,
            weights: vec![1.0, -2.0],
            bias: 0.5,
            features: vec![3, 9, 20],
            lexical: vec![100, -50, 10],
            step: 0.02,
            threshold: 1.0,
            false_positives: 0.001,
            recall: 0.7,
        }
    }

    #[test]
    fn a_score_is_the_sum_of_what_counts() {
        let score = head().score(&[2.0, 0.5], &[3, 4, 5, 20]);
        assert!((score.manner - 1.5).abs() < 1e-6 && (score.words - 1.1).abs() < 1e-6, "{score:?}");
        assert!(score.counts() && (score.margin() - 1.6).abs() < 1e-6);
        // 0.7 / 0.001 / 100 are odds of 7 at the threshold.
        let barely = Score { manner: 1.0, words: 0.0, ..score };
        assert!((barely.confidence() - 0.875).abs() < 1e-3, "{}", barely.confidence());
        assert!(!Score { manner: 0.9, words: 0.0, ..score }.counts());
    }

    #[test]
    fn heads_come_back_as_they_were_and_nothing_damaged_is_read() {
        let mut writer = Writer::default();
        head().write(&mut writer);
        assert_eq!(Head::read(&mut Reader(&writer.0)), Ok(head()));
        for len in 0..writer.0.len() {
            assert_eq!(Head::read(&mut Reader(&writer.0[..len])), Err(Malformed), "{len}");
        }
        let mut unsorted = Writer::default();
        Head { features: vec![9, 3, 20], ..head() }.write(&mut unsorted);
        assert_eq!(Head::read(&mut Reader(&unsorted.0)), Err(Malformed));
        let mut later = writer.0;
        later[0] = 2;
        assert_eq!(Head::read(&mut Reader(&later)), Err(Malformed));
    }
}
