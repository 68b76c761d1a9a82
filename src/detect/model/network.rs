//! The encoder and its two heads (BERT: Devlin et al. 2019), for inference only.
//!
//! The windows of a batch are laid end to end, without padding: the products see one tall matrix, and attention goes window by window.

use super::{
    ModelError,
    file::{File, Shape, Table},
    linear::{Dense, Kernels, Linear, Rounded, fill},
};
use rten_gemm::{GemmInputA, GemmInputB, GemmUninitOptions};
use rten_simd::{SimdOp as _, SimdUnaryOp as _};
use rten_tensor::NdTensorView;
use rten_vecmath::{Gelu, Normalize, NormalizeOptions, Softmax, Sum, SumSquareSub};

/// The network, ready to read.
pub(super) struct Network {
    shape: Shape,
    words: Table,
    /// `positions` rows.
    positions: Vec<f32>,
    first_norm: Norm,
    layers: Vec<Layer>,
    token_head: Dense,
    sequence_dense: Dense,
    sequence_out: Dense,
}

/// What the heads say about a window, before calibration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Logits {
    /// One row of tags for each token, the special ones at both ends among them.
    pub(super) tokens: Vec<f32>,
    /// One for each sequence label.
    pub(super) sequence: Vec<f32>,
    /// The mean of the last hidden states.
    pub(super) mean: Vec<f32>,
}

struct Layer {
    /// Queries, keys and values in one product.
    attention: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
}

/// Memory that a batch needs again and again.
#[derive(Default)]
struct Scratch {
    rounded: Rounded,
    sums: Vec<i32>,
    /// Queries, keys and values of every token.
    attention: Vec<f32>,
    /// What attention collects for every token.
    context: Vec<f32>,
    scores: Vec<f32>,
    collected: Vec<f32>,
    wide: Vec<f32>,
    change: Vec<f32>,
}

impl Network {
    /// The network of a model file.
    pub(super) fn load(file: &File) -> Result<Self, ModelError> {
        let kernels = Kernels::new();
        let shape = file.shape;
        let Shape { hidden, intermediate, vocabulary, positions, layers, .. } = shape;
        let tags = file.heads.token_bias.len();
        let labels = file.heads.sequence_labels.len();
        let norm = |name: &str| {
            Ok(Norm {
                scale: file.numbers(&format!("{name}.weight"), 1, hidden)?,
                shift: file.numbers(&format!("{name}.bias"), 1, hidden)?,
                epsilon: shape.epsilon,
            })
        };
        let linear = |name: &str, outputs, inputs| {
            let weights = file.numbers(&format!("{name}.weight"), outputs, inputs)?;
            Ok(Linear::new(&kernels, &weights, file.numbers(&format!("{name}.bias"), 1, outputs)?))
        };
        let dense = |name: &str, outputs, inputs| {
            let weights = file.numbers(&format!("{name}.weight"), outputs, inputs)?;
            Ok(Dense::new(&kernels, &weights, file.numbers(&format!("{name}.bias"), 1, outputs)?))
        };
        let layer = |number: usize| {
            let at = format!("encoder.layer.{number}");
            let (mut weights, mut bias) = (Vec::new(), Vec::new());
            for part in ["query", "key", "value"] {
                weights.extend(file.numbers(&format!("{at}.attention.self.{part}.weight"), hidden, hidden)?);
                bias.extend(file.numbers(&format!("{at}.attention.self.{part}.bias"), 1, hidden)?);
            }
            Ok(Layer {
                attention: Linear::new(&kernels, &weights, bias),
                attention_out: linear(&format!("{at}.attention.output.dense"), hidden, hidden)?,
                attention_norm: norm(&format!("{at}.attention.output.LayerNorm"))?,
                widen: linear(&format!("{at}.intermediate.dense"), intermediate, hidden)?,
                narrow: linear(&format!("{at}.output.dense"), hidden, intermediate)?,
                norm: norm(&format!("{at}.output.LayerNorm"))?,
            })
        };
        Ok(Self {
            words: file.table("embeddings.word_embeddings.weight", vocabulary, hidden)?,
            positions: file.numbers("embeddings.position_embeddings.weight", positions, hidden)?,
            first_norm: norm("embeddings.LayerNorm")?,
            layers: (0..layers).map(layer).collect::<Result<_, ModelError>>()?,
            token_head: dense("token_head", tags, hidden)?,
            sequence_dense: dense("sequence_head.dense", hidden, hidden)?,
            sequence_out: dense("sequence_head.out", labels, hidden)?,
            shape,
        })
    }

    /// What the heads say about each window of token ids; of one longer than the network has positions, the rest is not read.
    pub(super) fn read(&self, windows: &[&[u32]]) -> Vec<Logits> {
        let kernels = Kernels::new();
        let lengths: Vec<usize> = windows.iter().map(|ids| ids.len().min(self.shape.positions)).collect();
        let states = self.encode(&kernels, windows, &lengths);
        let hidden = self.shape.hidden;
        let tags = self.token_head.apply(&kernels, &states, hidden);
        let width = tags.len().checked_div(states.len() / hidden).unwrap_or_default();
        let (mut states, mut tags) = (states.as_slice(), tags.as_slice());
        let mut means = Vec::with_capacity(windows.len() * hidden);
        let mut all = Vec::with_capacity(windows.len());
        for length in lengths {
            let (own, rest) = states.split_at_checked(length * hidden).unwrap_or((states, &[]));
            let (own_tags, rest_tags) = tags.split_at_checked(length * width).unwrap_or((tags, &[]));
            (states, tags) = (rest, rest_tags);
            push_mean(own, hidden, &mut means);
            let mean = means.rchunks_exact(hidden).next().map(<[f32]>::to_vec).unwrap_or_default();
            all.push(Logits { tokens: own_tags.to_vec(), sequence: Vec::new(), mean });
        }
        let mut pooled = self.sequence_dense.apply(&kernels, &means, hidden);
        pooled.iter_mut().for_each(|number| *number = number.tanh());
        let sequence = self.sequence_out.apply(&kernels, &pooled, hidden);
        let labels = sequence.len().checked_div(all.len()).unwrap_or_default();
        for (logits, own) in all.iter_mut().zip(sequence.chunks(labels.max(1))) {
            logits.sequence = own.to_vec();
        }
        all
    }

    /// The hidden states of all tokens, end to end.
    fn encode(&self, kernels: &Kernels, windows: &[&[u32]], lengths: &[usize]) -> Vec<f32> {
        let hidden = self.shape.hidden;
        let mut states = Vec::with_capacity(lengths.iter().sum::<usize>() * hidden);
        for (ids, length) in windows.iter().zip(lengths) {
            for (id, position) in ids.iter().take(*length).zip(self.positions.chunks_exact(hidden)) {
                let start = states.len();
                self.words.push_row(*id as usize, hidden, &mut states);
                add(states.get_mut(start..).unwrap_or_default(), position);
            }
        }
        self.first_norm.apply(&mut states);
        let mut scratch = Scratch::default();
        for layer in &self.layers {
            self.layer(kernels, layer, lengths, &mut states, &mut scratch);
        }
        states
    }

    fn layer(&self, kernels: &Kernels, layer: &Layer, lengths: &[usize], states: &mut [f32], scratch: &mut Scratch) {
        let hidden = self.shape.hidden;
        let Scratch { rounded, sums, attention, .. } = scratch;
        rounded.set(kernels, states, hidden);
        layer.attention.apply(kernels, rounded, sums, attention);
        self.attend(kernels, lengths, scratch);

        let Scratch { rounded, sums, context, wide, change, .. } = scratch;
        rounded.set(kernels, context, hidden);
        layer.attention_out.apply(kernels, rounded, sums, change);
        add(states, change);
        layer.attention_norm.apply(states);

        rounded.set(kernels, states, hidden);
        layer.widen.apply(kernels, rounded, sums, wide);
        Gelu {}.map_mut(wide.as_mut_slice());
        rounded.set(kernels, wide, self.shape.intermediate);
        layer.narrow.apply(kernels, rounded, sums, change);
        add(states, change);
        layer.norm.apply(states);
    }

    /// Scaled dot-product attention, each window and head by itself.
    fn attend(&self, kernels: &Kernels, lengths: &[usize], scratch: &mut Scratch) {
        let Shape { hidden, heads, .. } = self.shape;
        let width = hidden / heads;
        let row = 3 * hidden;
        let Scratch { attention, context, scores, collected, .. } = scratch;
        context.clear();
        context.resize(attention.len() / 3, 0.0);
        let (mut sources, mut targets) = (attention.as_slice(), context.as_mut_slice());
        for &length in lengths {
            let Some((source, rest)) = sources.split_at_checked(length * row) else { return };
            let Some((target, rest_targets)) = std::mem::take(&mut targets).split_at_mut_checked(length * hidden) else { return };
            (sources, targets) = (rest, rest_targets);
            for head in 0..heads {
                let part = |number: usize| {
                    let from = source.get(number * hidden + head * width..).unwrap_or_default();
                    let len = length.saturating_sub(1) * row + width;
                    NdTensorView::from_data_with_strides([length, width], from.get(..len).unwrap_or_default(), [row, 1])
                };
                let (Ok(queries), Ok(keys), Ok(values)) = (part(0), part(1), part(2)) else { continue };
                let options = GemmUninitOptions { alpha: (width as f32).sqrt().recip(), ..GemmUninitOptions::default() };
                fill(scores, length * length, |space| {
                    kernels.floats.gemm_uninit(
                        space,
                        GemmInputA::Unpacked(queries),
                        GemmInputB::Unpacked(keys.transposed()),
                        options.clone(),
                    )
                });
                for scores in scores.chunks_exact_mut(length) {
                    Softmax::new_mut(scores).dispatch();
                }
                let scores = NdTensorView::from_data([length, length], scores.as_slice());
                fill(collected, length * width, |space| {
                    let (scores, values) = (GemmInputA::Unpacked(scores), GemmInputB::Unpacked(values));
                    kernels.floats.gemm_uninit(space, scores, values, GemmUninitOptions::default())
                });
                for (target, collected) in target.chunks_exact_mut(hidden).zip(collected.chunks_exact(width)) {
                    let own = target.iter_mut().skip(head * width);
                    own.zip(collected).for_each(|(target, number)| *target = *number);
                }
            }
        }
    }
}

impl Norm {
    /// Layer normalisation of every row.
    fn apply(&self, numbers: &mut [f32]) {
        let columns = self.scale.len();
        for row in numbers.chunks_exact_mut(columns) {
            let mean = Sum::new(row).dispatch() / columns as f32;
            let variance = SumSquareSub::new(row, mean).dispatch() / columns as f32;
            let options = NormalizeOptions {
                pre_scale_bias: mean,
                scale: (variance + self.epsilon).sqrt().recip(),
                element_scale: Some(&self.scale),
                element_bias: Some(&self.shift),
                ..NormalizeOptions::default()
            };
            Normalize::new_mut(row, options).dispatch();
        }
    }
}

fn add(to: &mut [f32], what: &[f32]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += what);
}

/// Appends the mean of the rows.
fn push_mean(rows: &[f32], columns: usize, out: &mut Vec<f32>) {
    let start = out.len();
    out.resize(start + columns, 0.0);
    let mean = out.get_mut(start..).unwrap_or_default();
    let mut count = 0.0_f32;
    for row in rows.chunks_exact(columns) {
        add(mean, row);
        count += 1.0;
    }
    mean.iter_mut().for_each(|number| *number /= count.max(1.0));
}
