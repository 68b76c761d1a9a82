//! Training a head, and what it turns out to be worth.
//!
//! Documents, not excerpts, are divided: of the company's own, one in five is held out; of the others a quarter sets the threshold and a quarter
//! is held out. What is reported was seen by neither training nor threshold.

use super::{
    evaluate::Share,
    examples::{self, Example, Examples, Passage, Side},
    logistic::{self, Restraint, Row},
    parts::Parts,
};
use crate::knowledge::{
    Part, Trace,
    head::{Feature, Head, scale},
    pack::Trained,
};
use std::collections::HashMap;

/// What came of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadReport {
    /// The company's own documents, all.
    pub documents: usize,
    /// Public documents, all.
    pub public: usize,
    /// Words, pairs and shapes of code that are weighed.
    pub features: usize,
    /// Share of other passages that may score over the threshold, as asked for.
    pub false_positives: f64,
    /// The company's own passages, held out, that score over the threshold.
    pub found: Share,
    /// Public ones, held out.
    pub public_alarms: Share,
    /// And ordinary ones.
    pub ordinary_alarms: Share,
    /// How often a passage that was trained on scores higher than one of the company's that was held out (a loss-threshold attack; Yeom et al.
    /// 2018): 0.5 if the head does not tell.
    pub membership: f64,
}

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHead {
    /// There are only so many documents with text to speak of.
    Few(usize),
    /// There are only so many public documents of the same kind.
    NoPublic(usize),
    /// The model is off.
    NoModel,
}

/// Documents that it takes.
pub const FEWEST: usize = 20;
/// Public documents that it takes, unless it is to go without.
pub const FEWEST_PUBLIC: usize = 20;
/// A feature stands in so many of the company's documents or of the others, and in one in `COMMON`: what one document alone says is never kept.
const DOCUMENTS: usize = 3;
const COMMON: usize = 64;
/// Features at most.
const MOST_FEATURES: usize = 1 << 16;
/// The model's numbers count so much beside words. More finds more of code whose names were changed and less of everything else.
const MANNER: f32 = 0.03;
/// Weights are held to zero by this, divided by the company's passages; more gives away less of who was in the sample, and finds less.
const PENALTY: f32 = 0.5;
/// A word weighs so much at most: in a page of 150 words and pairs, one of them moves the log odds by 1.
const MOST_WEIGHT: f32 = 12.0;

/// What public material there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// Documents of the same kind.
    #[default]
    Public,
    /// None: only ordinary texts.
    Ordinary,
}

impl HeadReport {
    /// The public and the ordinary ones together.
    pub fn alarms(&self) -> Share {
        let (public, ordinary) = (self.public_alarms, self.ordinary_alarms);
        Share { hits: public.hits + ordinary.hits, of: public.of + ordinary.of }
    }

    /// Whether the held-out part is large enough to show the rate that was asked for, and shows it.
    pub fn shows_rate(&self) -> bool {
        self.alarms().interval().is_some_and(|[_, _, high]| high <= self.false_positives)
    }

    /// What of it the pack says.
    pub(super) fn trained(&self) -> Trained {
        let Share { hits, of } = self.found;
        Trained { documents: self.documents as u64, public: self.public as u64, held: of, found: hits }
    }

    /// How many passages without any alarm would show it.
    pub fn needed(&self) -> u64 {
        let z = 1.959_963_985_f64;
        (z * z * (1.0 - self.false_positives) / self.false_positives).ceil() as u64
    }
}

/// Whether there is enough to train a head on.
///
/// # Errors
/// [`NoHead`].
pub(super) fn enough(examples: &Examples, against: Against) -> Result<(), NoHead> {
    let (documents, public) = (examples.count(Side::Own), examples.count(Side::Public));
    if documents < FEWEST {
        return Err(NoHead::Few(documents));
    }
    if against == Against::Public && public < FEWEST_PUBLIC {
        return Err(NoHead::NoPublic(public));
    }
    Ok(())
}

/// Trains a head for the [model](crate::detect::model::Model::id) `model`, on examples that are [`enough`], and on what reviewers called false.
pub(super) fn train(examples: &Examples, called_false: &[Trace], model: u64, false_positives: f64) -> (Head, HeadReport) {
    let (documents, public) = (examples.count(Side::Own), examples.count(Side::Public));
    let parts = Parts::of(examples);
    let lexicon = Lexicon::of(&parts);
    let standard = Standard::of(parts.train_own.iter().chain(&parts.train_other).flat_map(|example| &example.passages));
    let weights = |documents: &[&Example], share: f32| {
        let passages = documents.iter().map(|example| example.passages.len()).sum::<usize>().max(1);
        share / passages as f32
    };
    let (own, other) = (weights(&parts.train_own, 0.5), weights(&parts.train_other, 0.5));
    let row = |passage: &Passage, is_own: bool, weight: f32| Row {
        numbers: standard.apply(passage),
        features: passage.features.iter().filter_map(|feature| lexicon.index.get(feature).copied()).collect(),
        each: scale(passage.features.len()),
        is_own,
        weight,
    };
    let rows: Vec<Row> = parts
        .train_own
        .iter()
        .flat_map(|example| example.passages.iter().map(|passage| row(passage, true, own)))
        .chain(parts.train_other.iter().flat_map(|example| example.passages.iter().map(|passage| row(passage, false, other))))
        .chain(called_false.iter().filter(|trace| trace.part == Part::Classifier).map(|trace| Row {
            // What the model made of it is not kept: by its manner it is like any other text, and its words have to tell.
            numbers: vec![0.0; standard.mean.len()],
            features: trace.features.iter().filter_map(|feature| lexicon.index.get(feature).copied()).collect(),
            each: scale(trace.of as usize),
            is_own: false,
            // As much as a whole public document.
            weight: other * examples::MOST as f32,
        }))
        .collect();
    let passages = parts.train_own.iter().map(|example| example.passages.len()).sum::<usize>().max(1);
    let restraint = Restraint { penalty: PENALTY / passages as f32, most: MOST_WEIGHT };
    let fitted = logistic::fit(&rows, standard.mean.len(), &lexicon.scales, restraint);
    let mut head = folded(model, &standard, &lexicon, fitted);
    head.false_positives = false_positives as f32;
    head.threshold = threshold(scores(&head, &parts.threshold), false_positives);
    let report = HeadReport {
        documents,
        public,
        features: head.features.len(),
        false_positives,
        found: over(&head, &parts.held_own),
        public_alarms: over(&head, &parts.held_public),
        ordinary_alarms: over(&head, &parts.held_ordinary),
        membership: higher(&scores(&head, &parts.train_own), &scores(&head, &parts.held_own)),
    };
    // The lower end of what was seen: confidence must not rest on luck.
    head.recall = report.found.interval().map_or(0.5, |[_, low, _]| low.max(0.05)) as f32;
    (head, report)
}

/// The features that are weighed, in order.
struct Lexicon {
    features: Vec<Feature>,
    /// How far each is from standing in equally many documents of both sides, as a log ratio: what is on both sides says little (Wang and
    /// Manning 2012).
    scales: Vec<f32>,
    index: HashMap<Feature, u32>,
}

impl Lexicon {
    fn of(parts: &Parts<'_>) -> Self {
        // In how many of the company's and of the other documents.
        let mut counts: HashMap<Feature, [usize; 2]> = HashMap::new();
        for (side, documents) in [&parts.train_own, &parts.train_other].into_iter().enumerate() {
            for example in documents {
                let mut own: Vec<Feature> = example.passages.iter().flat_map(|passage| passage.features.iter().copied()).collect();
                own.sort_unstable();
                own.dedup();
                for feature in own {
                    counts.entry(feature).or_default().iter_mut().skip(side).take(1).for_each(|count| *count += 1);
                }
            }
        }
        let (own, other) = (parts.train_own.len(), parts.train_other.len());
        let least = |documents: usize| DOCUMENTS.max(documents / COMMON);
        let mut kept: Vec<(Feature, [usize; 2])> =
            counts.into_iter().filter(|(_, [of_own, of_other])| *of_own >= least(own) || *of_other >= least(other)).collect();
        let apart = |[of_own, of_other]: [usize; 2]| (of_own as f64 / own.max(1) as f64 - of_other as f64 / other.max(1) as f64).abs();
        kept.sort_by(|a, b| apart(b.1).total_cmp(&apart(a.1)).then(a.0.cmp(&b.0)));
        kept.truncate(MOST_FEATURES);
        kept.sort_unstable_by_key(|(feature, _)| *feature);
        let share = |of: usize, all: usize| ((of + 1) as f32 / (all + 2) as f32).ln();
        let scales = kept.iter().map(|(_, [of_own, of_other])| (share(*of_own, own) - share(*of_other, other)).abs()).collect();
        let features: Vec<Feature> = kept.into_iter().map(|(feature, _)| feature).collect();
        let index = (0..).zip(&features).map(|(index, feature)| (*feature, index)).collect();
        Self { features, scales, index }
    }
}

/// How means are brought to one scale.
struct Standard {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Standard {
    fn of<'p>(passages: impl Iterator<Item = &'p Passage>) -> Self {
        let (mut mean, mut squares, mut count) = (Vec::new(), Vec::new(), 0.0_f32);
        for passage in passages {
            mean.resize(passage.mean.len(), 0.0_f32);
            squares.resize(passage.mean.len(), 0.0_f32);
            count += 1.0;
            for ((mean, square), number) in mean.iter_mut().zip(&mut squares).zip(&passage.mean) {
                // Welford's way, which loses nothing.
                let off = number.to_f32() - *mean;
                *mean += off / count;
                *square += off * (number.to_f32() - *mean);
            }
        }
        let deviation = squares.iter().map(|square| (square / count.max(1.0)).sqrt().max(1e-3)).collect();
        Self { mean, deviation }
    }

    fn apply(&self, passage: &Passage) -> Vec<f32> {
        let own = passage.mean.iter().zip(&self.mean).zip(&self.deviation);
        own.map(|((number, mean), deviation)| MANNER * (number.to_f32() - mean) / deviation).collect()
    }
}

/// The fitted weights as a head that takes means as they are.
fn folded(model: u64, standard: &Standard, lexicon: &Lexicon, fitted: logistic::Weights) -> Head {
    let weights: Vec<f32> = fitted.numbers.iter().zip(&standard.deviation).map(|(weight, deviation)| MANNER * weight / deviation).collect();
    let shift: f32 = weights.iter().zip(&standard.mean).map(|(weight, mean)| weight * mean).sum();
    let step = fitted.features.iter().fold(0.0_f32, |most, weight| most.max(weight.abs())) / 127.0;
    let step = step.max(f32::MIN_POSITIVE);
    // Weights that come to nothing are not kept.
    let lexical = fitted.features.iter().map(|weight| (weight / step).round() as i8);
    let (features, lexical) = lexicon.features.iter().copied().zip(lexical).filter(|(_, steps)| *steps != 0).unzip();
    Head { model, weights, bias: fitted.bias - shift, features, lexical, step, threshold: 0.0, false_positives: 0.0, recall: 0.5 }
}

/// How many passages of these documents score over the threshold.
pub(super) fn over(head: &Head, documents: &[&Example]) -> Share {
    let over = scores(head, documents).into_iter().map(|score| score >= head.threshold);
    over.fold(Share::default(), |share, hit| Share { hits: share.hits + u64::from(hit), of: share.of + 1 })
}

fn scores(head: &Head, documents: &[&Example]) -> Vec<f32> {
    documents.iter().flat_map(|example| &example.passages).map(|passage| score(head, passage)).collect()
}

pub(super) fn score(head: &Head, passage: &Passage) -> f32 {
    let mean: Vec<f32> = passage.mean.iter().map(|number| number.to_f32()).collect();
    let score = head.score(&mean, &passage.features);
    score.manner + score.words
}

/// How often one of the first is higher than one of the second, ties by half; 0.5 of none.
fn higher(first: &[f32], second: &[f32]) -> f64 {
    let mut second = second.to_vec();
    second.sort_by(f32::total_cmp);
    let wins = |score: &f32| {
        let (below, up_to) = (second.partition_point(|other| other < score), second.partition_point(|other| other <= score));
        (below + up_to) as f64 / 2.0
    };
    let pairs = (first.len() * second.len()) as f64;
    if pairs == 0.0 { 0.5 } else { first.iter().map(wins).sum::<f64>() / pairs }
}

/// The score that no more than a share `rate` of texts with these `scores` reaches. Where they are too few to show that, it is where a normal
/// distribution would put it, if that is higher.
fn threshold(mut scores: Vec<f32>, rate: f64) -> f32 {
    scores.sort_by(|a, b| b.total_cmp(a));
    let allowed = (scores.len() as f64 * rate) as usize;
    let seen = scores.get(allowed).copied().unwrap_or_default();
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().map(|score| f64::from(*score)).sum::<f64>() / count;
    let deviation = (scores.iter().map(|score| (f64::from(*score) - mean).powi(2)).sum::<f64>() / count).sqrt();
    let expected = mean + quantile(rate) * deviation;
    let enough = scores.len() as f64 * rate >= 5.0;
    // One step over what was seen there.
    let seen = seen.next_up();
    if enough { seen } else { seen.max(expected as f32) }
}

/// How many deviations over the mean a normal distribution leaves a share `rate` (Abramowitz and Stegun 26.2.23; within 0.0005).
fn quantile(rate: f64) -> f64 {
    let t = (-2.0 * rate.clamp(1e-9, 0.5).ln()).sqrt();
    t - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t) / (1.0 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t * t * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_leave_the_share_asked_for_and_are_careful_with_few_texts() {
        let many: Vec<f32> = (0..10_000).map(|n| n as f32).collect();
        let over = |scores: &[f32], threshold: f32| scores.iter().filter(|score| **score >= threshold).count();
        assert_eq!(over(&many, threshold(many.clone(), 0.001)), 10);
        let few: Vec<f32> = (0..50).map(|n| (n as f32 - 24.5) / 14.43).collect();
        let careful = threshold(few.clone(), 0.001);
        assert_eq!(over(&few, careful), 0);
        // Mean 0, deviation 1: a normal distribution leaves 0.1 % over 3.09.
        assert!((careful - 3.09).abs() < 0.02, "{careful}");
    }

    #[test]
    fn a_rate_is_claimed_only_where_the_sample_shows_it() {
        let share = |hits, of| Share { hits, of };
        let report = |public: Share| HeadReport {
            documents: 100,
            public: 100,
            features: 10,
            false_positives: 0.001,
            found: share(70, 100),
            public_alarms: public,
            ordinary_alarms: share(0, 100),
            membership: 0.5,
        };
        assert_eq!(report(share(0, 0)).needed(), 3838);
        assert!(report(share(0, 3738)).shows_rate());
        assert!(!report(share(0, 3700)).shows_rate() && !report(share(2, 3738)).shows_rate());
    }

    /// Numbers in [0, 1), the same every time.
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 40) as f64 / (1_u64 << 24) as f64
    }

    /// Documents of one passage: words by Zipf's law, those of a side a little more often there, and two that no other document has.
    fn sample(documents: u64) -> Examples {
        let mut examples = Examples::empty();
        let mut state = 7;
        for side in [Side::Own, Side::Public] {
            for number in 0..documents {
                let id = (random(&mut state) * 1e15) as u64;
                let mut features: Vec<Feature> = (0..90)
                    .map(|_| {
                        let rank = (random(&mut state) * 8.5).exp() as u32;
                        let is_own_word = rank % 10 == side as u32 && random(&mut state) < 0.5;
                        if is_own_word { 100_000 + rank } else { rank }
                    })
                    .chain([1_000_000 + 2 * number as u32, 1_000_001 + 2 * number as u32])
                    .collect();
                features.sort_unstable();
                features.dedup();
                let mean = (0..64).map(|_| half::f16::from_f64(random(&mut state) - 0.5)).collect();
                examples.insert(side, id, Example { source: 1, content: id, passages: vec![Passage { mean, features }] });
            }
        }
        examples
    }

    #[test]
    fn a_head_does_not_tell_what_it_was_trained_on() {
        let examples = sample(1200);
        let (head, report) = train(&examples, &[], 1, 0.01);
        assert!(report.found.hits * 2 > report.found.of, "it has to be worth something: {report:?}");
        assert!(head.features.iter().all(|feature| *feature < 1_000_000), "what stands in one document is in no head");
        assert!((0.4..=0.55).contains(&report.membership), "{}", report.membership);
        assert_eq!(higher(&[2.0, 1.0], &[0.0, 1.0]), 0.875);
    }

    #[test]
    fn normal_quantiles() {
        assert!((quantile(0.001) - 3.0902).abs() < 1e-3 && (quantile(0.01) - 2.3263).abs() < 1e-3);
    }
}
