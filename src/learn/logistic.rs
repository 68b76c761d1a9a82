//! Logistic regression with a quadratic penalty, over numbers and sparse features: the whole sample at every step (Adam; Kingma and Ba 2015),
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

const STEPS: u32 = 200;
const RATE: f32 = 0.05;

/// The weights that fit `rows`, which have `numbers` numbers; `scales` says what each feature counts beside what its row says: the more, the
/// less a weight is held back.
pub(super) fn fit(rows: &[Row], numbers: usize, scales: &[f32], restraint: Restraint) -> Weights {
    let features = scales.len();
    let mut weights = vec![0.0_f32; numbers + features + 1];
    let (mut first, mut second) = (vec![0.0_f32; weights.len()], vec![0.0_f32; weights.len()]);
    let total: f32 = rows.iter().map(|row| row.weight).sum::<f32>().max(f32::MIN_POSITIVE);
    let mut slope = vec![0.0_f32; weights.len()];
    for step in 1..=STEPS {
        slope.fill(0.0);
        for row in rows {
            let wanted = if row.is_own { 1.0 } else { 0.0 };
            let error = (probability(score(&weights, row, numbers, scales)) - wanted) * row.weight / total;
            for (slope, number) in slope.iter_mut().zip(&row.numbers) {
                *slope += error * number;
            }
            for feature in &row.features {
                let at = *feature as usize;
                if let (Some(slope), Some(scale)) = (slope.get_mut(numbers + at), scales.get(at)) {
                    *slope += error * row.each * scale;
                }
            }
            slope.last_mut().into_iter().for_each(|slope| *slope += error);
        }
        let (unbiased_first, unbiased_second) = (1.0 - 0.9_f32.powf(step as f32), 1.0 - 0.999_f32.powf(step as f32));
        let rate = RATE * (1.0 - step as f32 / (STEPS + 1) as f32);
        for (index, (((weight, slope), first), second)) in weights.iter_mut().zip(&slope).zip(&mut first).zip(&mut second).enumerate() {
            let penalty = if index < numbers + features { restraint.penalty } else { 0.0 };
            let slope = slope + penalty * *weight;
            *first = 0.9 * *first + 0.1 * slope;
            *second = 0.999 * *second + 0.001 * slope * slope;
            *weight -= rate * (*first / unbiased_first) / ((*second / unbiased_second).sqrt() + 1e-8);
            if let Some(scale) = index.checked_sub(numbers).and_then(|at| scales.get(at)) {
                let most = restraint.most / scale.max(f32::MIN_POSITIVE);
                *weight = weight.clamp(-most, most);
            }
        }
    }
    let bias = weights.pop().unwrap_or_default();
    let features = weights.split_off(numbers).iter().zip(scales).map(|(weight, scale)| weight * scale).collect();
    Weights { numbers: weights, features, bias }
}

fn score(weights: &[f32], row: &Row, numbers: usize, scales: &[f32]) -> f32 {
    let dense: f32 = weights.iter().zip(&row.numbers).map(|(weight, number)| weight * number).sum();
    let sparse = row.features.iter().filter_map(|feature| Some(weights.get(numbers + *feature as usize)? * scales.get(*feature as usize)?));
    dense + sparse.sum::<f32>() * row.each + weights.last().copied().unwrap_or_default()
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
