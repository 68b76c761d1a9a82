//! Tags of tokens to spans: the likeliest sequence of begin, inside and outside that is one (Viterbi 1967).

use super::file::Heads;

/// Tokens that belong together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    /// First token and one past the last.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Index into the labels of the head.
    pub(super) label: usize,
    /// Calibrated probability of the label, the mean over the tokens.
    pub(super) confidence: f32,
}

/// The spans that `logits`, one row of tags for each token, tell.
pub(super) fn runs(heads: &Heads, logits: &[f32]) -> Vec<Run> {
    let tags = heads.token_bias.len();
    let rows: Vec<Vec<f32>> =
        logits.chunks_exact(tags).map(|row| row.iter().zip(&heads.token_bias).map(|(l, b)| l + b).collect()).collect();
    let path = best_path(&rows, tags);
    let mut runs: Vec<Run> = Vec::new();
    for (at, (&tag, row)) in path.iter().zip(&rows).enumerate() {
        let Some(label) = label_of(tag) else { continue };
        let probability = probability(row, label, heads.token_temperature);
        match runs.last_mut().filter(|run| !is_begin(tag) && run.end == at && run.label == label) {
            Some(run) => {
                let length = (at - run.start) as f32;
                run.confidence = (run.confidence * length + probability) / (length + 1.0);
                run.end = at + 1;
            }
            None => runs.push(Run { start: at, end: at + 1, label, confidence: probability }),
        }
    }
    runs
}

/// The calibrated probability that a token of these logits has a label, begin or inside.
pub(super) fn probability(row: &[f32], label: usize, temperature: f32) -> f32 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: &f32| ((logit - largest) / temperature).exp();
    let own: f32 = row.get(1 + 2 * label..3 + 2 * label).unwrap_or_default().iter().map(weight).sum();
    own / row.iter().map(weight).sum::<f32>()
}

/// The label of a tag: 0 is outside, then begin and inside of each label in turn.
fn label_of(tag: usize) -> Option<usize> {
    tag.checked_sub(1).map(|tag| tag / 2)
}

fn is_begin(tag: usize) -> bool {
    tag % 2 == 1
}

/// Whether `tag` may follow `before`: an inside needs the begin or an inside of its own label.
fn follows(before: Option<usize>, tag: usize) -> bool {
    tag == 0 || is_begin(tag) || before.is_some_and(|before| label_of(before) == label_of(tag))
}

fn best_path(rows: &[Vec<f32>], tags: usize) -> Vec<usize> {
    let mut scores = vec![0.0_f32; tags];
    let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let mut next = Vec::with_capacity(tags);
        let mut from = Vec::with_capacity(tags);
        for (tag, logit) in row.iter().enumerate() {
            let allowed = scores.iter().enumerate().filter(|(before, _)| follows((at > 0).then_some(*before), tag));
            let best = allowed.max_by(|a, b| a.1.total_cmp(b.1)).map_or((0, f32::NEG_INFINITY), |(before, score)| (before, *score));
            from.push(best.0);
            next.push(best.1 + logit);
        }
        (scores, _) = (next, came_from.push(from));
    }
    let mut tag = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(tag, _)| tag);
    let mut path = Vec::with_capacity(rows.len());
    for from in came_from.iter().rev() {
        path.push(tag);
        tag = from.get(tag).copied().unwrap_or_default();
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Label;
    use proptest::prelude::*;

    fn heads() -> Heads {
        Heads {
            token_labels: ["personal.name", "personal.address"].map(|label| Label::parse(label).expect("label")).to_vec(),
            token_temperature: 1.0,
            token_bias: vec![0.0; 5],
            sequence_labels: Vec::new(),
            sequence_temperature: Vec::new(),
            sequence_threshold: Vec::new(),
        }
    }

    fn found(rows: &[[f32; 5]]) -> Vec<(usize, usize, usize)> {
        runs(&heads(), &rows.concat()).iter().map(|run| (run.start, run.end, run.label)).collect()
    }

    #[test]
    fn begin_and_inside_make_a_span() {
        let (outside, begin, inside) = ([5.0, 0.0, 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0, 0.0]);
        assert_eq!(found(&[outside, begin, inside, inside, outside, begin, begin]), [(1, 4, 0), (5, 6, 0), (6, 7, 0)]);
    }

    #[test]
    fn an_inside_without_a_begin_is_mended_by_its_neighbours() {
        // Alone, the second token is an inside of an address; a begin of one at the first is the cheapest way to it.
        let rows = [[1.0, 0.0, 0.0, 0.9, 0.0], [0.0, 0.0, 0.0, 0.0, 9.0]];
        assert_eq!(found(&rows), [(0, 2, 1)]);
    }

    #[test]
    fn confidence_is_the_mean_probability() {
        let run = runs(&heads(), &[0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])[0];
        let first = (2.0_f32.exp() + 1.0) / (2.0_f32.exp() + 4.0);
        let second = (1.0_f32.exp() + 1.0) / (1.0_f32.exp() + 4.0);
        assert!((run.confidence - (first + second) / 2.0).abs() < 1e-5, "{run:?}");
    }

    proptest! {
        #[test]
        fn no_path_breaks_the_rules_and_none_legal_scores_higher(rows in proptest::collection::vec(proptest::array::uniform5(-4.0_f32..4.0), 1..5)) {
            let rows: Vec<Vec<f32>> = rows.iter().map(|row| row.to_vec()).collect();
            let score = |path: &[usize]| path.iter().zip(&rows).map(|(tag, row)| row[*tag]).sum::<f32>();
            let legal = |path: &[usize]| path.iter().enumerate().all(|(at, tag)| follows(at.checked_sub(1).map(|at| path[at]), *tag));
            let best = best_path(&rows, 5);
            prop_assert!(legal(&best), "{best:?}");
            for code in 0..5_usize.pow(rows.len() as u32) {
                let path: Vec<usize> = (0..rows.len()).map(|at| code / 5_usize.pow(at as u32) % 5).collect();
                prop_assert!(!legal(&path) || score(&path) <= score(&best) + 1e-4, "{path:?} beats {best:?}");
            }
        }
    }
}
