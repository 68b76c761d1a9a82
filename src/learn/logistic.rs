//! Logistic regression with a quadratic penalty, over numbers and sparse features: the whole sample at every step (accelerated gradients; Nesterov 1983),
//! so that the same sample gives the same weights.

/// One row of a sample.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As many as there are weights.
    pub(super) numbers: Vec<f32>,
    /// Indexes of the features that it has.
    pub(super) features: Vec<u32>,
    /// What each of them counts.
    pub(super) each: f32,
    /// Whether it is what is looked for.
    pub(super) is_own: bool,
    /// How much the row counts.
    pub(super) weight: f32,
}

/// What the rule weighs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    pub(super) numbers: Vec<f32>,
    pub(super) features: Vec<f32>,
    pub(super) bias: f32,
}

/// How strongly weights are held to zero, and how far they may go at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restraint {
    pub(super) penalty: f32,
    /// What a feature may weigh, its scale in it.
    pub(super) most: f32,
}

/// Steps: more change nothing any more.
const STEPS: u32 = 200;
/// Rounds in which the steepest direction is looked for.
const ROUNDS: u32 = 15;

/// The weights that fit `rows`, which have `numbers` numbers; `scales` says what each feature counts beside what its row says: the more, the
/// less a weight is held back.
pub(super) fn fit(rows: &[Row], numbers: usize, scales: &[f32], restraint: Restraint) -> Weights {
    let sample = Sample { rows, numbers, scales, total: rows.iter().map(|row| row.weight).sum::<f32>().max(f32::MIN_POSITIVE) };
    let stride = 1.0 / (sample.steepness() / 4.0 + restraint.penalty);
    let mut weights = vec![0.0_f32; sample.len()];
    let (mut ahead, mut pace) = (weights.clone(), 1.0_f32);
    for _ in 0..STEPS {
        let slopes = sample.slopes(&ahead, |row, score| probability(score) - if row.is_own { 1.0 } else { 0.0 });
        let next_pace = f32::midpoint(1.0, (1.0 + 4.0 * pace * pace).sqrt());
        let momentum = (pace - 1.0) / next_pace;
        for (index, ((weight, ahead), slope)) in weights.iter_mut().zip(&mut ahead).zip(&slopes).enumerate() {
            // The bias is last, and free.
            let penalty = if index < numbers + scales.len() { restraint.penalty } else { 0.0 };
            let most = index.checked_sub(numbers).and_then(|at| scales.get(at)).map_or(f32::MAX, |scale| restraint.most / scale.max(1e-6));
            let next = (*ahead - stride * (slope + penalty * *ahead)).clamp(-most, most);
            *ahead = next + momentum * (next - *weight);
            *weight = next;
        }
        pace = next_pace;
    }
    let bias = weights.pop().unwrap_or_default();
    let features = weights.split_off(numbers).iter().zip(scales).map(|(weight, scale)| weight * scale).collect();
    Weights { numbers: weights, features, bias }
}

/// Rows as one matrix: a column for each number, each feature, and the bias.
struct Sample<'r> {
    rows: &'r [Row],
    numbers: usize,
    scales: &'r [f32],
    /// Weight of all rows.
    total: f32,
}

impl Sample<'_> {
    fn len(&self) -> usize {
        self.numbers + self.scales.len() + 1
    }

    fn score(&self, weights: &[f32], row: &Row) -> f32 {
        let dense: f32 = weights.iter().zip(&row.numbers).map(|(weight, number)| weight * number).sum();
        let scaled = |feature: &u32| Some(weights.get(self.numbers + *feature as usize)? * self.scales.get(*feature as usize)?);
        dense + row.features.iter().filter_map(scaled).sum::<f32>() * row.each + weights.last().copied().unwrap_or_default()
    }

    /// The sum of all rows, each by what `error` makes of it and of its score under `weights`, and by its own weight.
    fn slopes(&self, weights: &[f32], error: impl Fn(&Row, f32) -> f32) -> Vec<f32> {
        let mut slopes = vec![0.0_f32; self.len()];
        for row in self.rows {
            let error = error(row, self.score(weights, row)) * row.weight / self.total;
            for (slope, number) in slopes.iter_mut().zip(&row.numbers) {
                *slope += error * number;
            }
            for feature in &row.features {
                let at = *feature as usize;
                if let (Some(slope), Some(scale)) = (slopes.get_mut(self.numbers + at), self.scales.get(at)) {
                    *slope += error * row.each * scale;
                }
            }
            slopes.last_mut().into_iter().for_each(|slope| *slope += error);
        }
        slopes
    }

    /// How much the squares of scores can grow with those of the weights, nearly (power iteration).
    fn steepness(&self) -> f32 {
        let mut direction = vec![1.0 / (self.len() as f32).sqrt(); self.len()];
        let mut length = 0.0;
        for _ in 0..ROUNDS {
            direction = self.slopes(&direction, |_, score| score);
            length = direction.iter().map(|part| part * part).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            direction.iter_mut().for_each(|part| *part /= length);
        }
        // It comes from below.
        length * 1.1
    }
}

fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOSE: Restraint = Restraint { penalty: 1e-3, most: 8.0 };

    fn row(number: f32, features: &[u32], is_own: bool) -> Row {
        Row { numbers: vec![number], features: features.to_vec(), each: 1.0, is_own, weight: 1.0 }
    }

    #[test]
    fn what_tells_rows_apart_gets_the_weight() {
        let rows: Vec<Row> = (0..40).map(|n| row(if n % 2 == 0 { 1.0 } else { -1.0 }, &[n % 3], n % 2 == 0)).collect();
        let weights = fit(&rows, 1, &[1.0; 3], LOOSE);
        assert!(weights.numbers[0] > 1.0 && weights.features.iter().all(|weight| weight.abs() < 0.3), "{weights:?}");
        let rows: Vec<Row> = (0..40).map(|n| row(0.0, &[n % 2], n % 2 == 0)).collect();
        let weights = fit(&rows, 1, &[1.0; 2], LOOSE);
        assert!(weights.features[0] > 1.0 && weights.features[1] < -1.0, "{weights:?}");
        assert_eq!(weights, fit(&rows, 1, &[1.0; 2], LOOSE), "the same every time");
    }

    #[test]
    fn weights_are_held_back_and_cut() {
        let rows: Vec<Row> = (0..40).map(|n| row(0.0, &[n % 2], n % 2 == 0)).collect();
        let held = fit(&rows, 1, &[1.0; 2], Restraint { penalty: 1.0, ..LOOSE });
        assert!(held.features[0] < 0.5, "{held:?}");
        let cut = fit(&rows, 1, &[1.0; 2], Restraint { most: 0.25, ..LOOSE });
        assert_eq!(cut.features, [0.25, -0.25]);
    }
}
