//! Matrix products in 8-bit integers: three times as fast as in 32-bit floats where the processor has instructions for it (AVX-512
//! VNNI, AVX2, NEON), by the crate `rten-gemm`.
//!
//! Weights are rounded once, each output by a scale of its own. Inputs are rounded as they come, each row by its own range, since
//! the words of a text differ widely in it (dynamic quantisation, Bondarenko et al. 2021).

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmUninitOptions, PackedBMatrix};
use rten_simd::SimdOp as _;
use rten_tensor::NdTensorView;
use rten_vecmath::{ExtendInit as _, MinMax};

/// The kernels that suit this processor; they cost nothing to look up, and belong to one thread.
pub(super) struct Kernels {
    pub(super) floats: GemmExecutor<f32>,
    bytes: GemmExecutor<u8, i8, i32>,
    /// The largest input level. Without VNNI, x86 adds pairs of products in 16 bits, where full range would overflow.
    levels: f32,
}

impl Kernels {
    pub(super) fn new() -> Self {
        let bytes = GemmExecutor::new();
        let levels = if bytes.may_saturate() { 127.0 } else { 255.0 };
        Self { floats: GemmExecutor::new(), bytes, levels }
    }
}

/// `y = x W + b` in 8 bits.
pub(super) struct Linear {
    weights: PackedBMatrix<i8>,
    /// What an input's zero level adds to each output, for every level.
    zeros: Vec<i32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// A layer of `weights`, one row of `bias.len()` for each output.
    pub(super) fn new(kernels: &Kernels, weights: &[f32], bias: Vec<f32>) -> Self {
        let (outputs, inputs) = (bias.len(), weights.len() / bias.len().max(1));
        let mut scales = Vec::with_capacity(outputs);
        let mut rounded: Vec<i8> = Vec::with_capacity(weights.len());
        for row in weights.chunks_exact(inputs.max(1)) {
            let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            rounded.extend(row.iter().map(|weight| (weight / scale).round() as i8));
            scales.push(scale);
        }
        let zeros = rounded.chunks_exact(inputs.max(1)).map(|row| row.iter().map(|weight| i32::from(*weight)).sum()).collect();
        let view = NdTensorView::from_data([outputs, inputs], rounded.as_slice());
        Self { weights: kernels.bytes.prepack_b(view.transposed()), zeros, scales, bias }
    }

    /// Puts the outputs of every row of `inputs` in `out`.
    pub(super) fn apply(&self, kernels: &Kernels, inputs: &Rounded, sums: &mut Vec<i32>, out: &mut Vec<f32>) {
        let (rows, outputs) = (inputs.rows(), self.bias.len());
        let levels = NdTensorView::from_data([rows, inputs.columns], inputs.levels.as_slice());
        fill(sums, rows * outputs, |space| {
            let (levels, weights) = (GemmInputA::Unpacked(levels), GemmInputB::Packed(&self.weights));
            kernels.bytes.gemm_uninit(space, levels, weights, GemmUninitOptions::default())
        });
        out.clear();
        out.reserve(rows * outputs);
        // The zero levels are taken out here: the crate (0.27) mixes up those of rows from the ninth on.
        for ((row, zero), input_scale) in sums.chunks_exact(outputs).zip(&inputs.zeros).zip(&inputs.scales) {
            let zero = i32::from(*zero);
            let weights = self.zeros.iter().zip(&self.scales).zip(&self.bias);
            out.extend(
                row.iter().zip(weights).map(|(sum, ((of_zero, scale), bias))| (sum - zero * of_zero) as f32 * (input_scale * scale) + bias),
            );
        }
    }
}

/// Rows of numbers rounded to 8 bits, each by its own range.
#[derive(Default)]
pub(super) struct Rounded {
    levels: Vec<u8>,
    columns: usize,
    zeros: Vec<u8>,
    scales: Vec<f32>,
}

impl Rounded {
    /// Rounds rows of `columns` numbers.
    pub(super) fn set(&mut self, kernels: &Kernels, numbers: &[f32], columns: usize) {
        self.columns = columns;
        self.levels.clear();
        self.levels.reserve(numbers.len());
        self.zeros.clear();
        self.scales.clear();
        for row in numbers.chunks_exact(columns) {
            // Zero has a level of its own, so that what is nothing stays nothing.
            let (low, high) = MinMax::new(row).dispatch();
            let (low, high) = (low.min(0.0), high.max(0.0));
            let scale = ((high - low) / kernels.levels).max(f32::MIN_POSITIVE);
            let (steps, zero) = (1.0 / scale, (-low / scale).round().clamp(0.0, kernels.levels));
            self.levels.extend(row.iter().map(|number| low_byte((number * steps + zero).clamp(0.0, kernels.levels))));
            self.zeros.push(zero as u8);
            self.scales.push(scale);
        }
    }

    fn rows(&self) -> usize {
        self.scales.len()
    }
}

/// A number in `0..=255`, rounded. Beside 2^23 + 2^22 a float has no room for a fraction, so its last byte is the number: four at a time,
/// where a checked conversion would go one by one.
fn low_byte(number: f32) -> u8 {
    const NO_FRACTION: f32 = 12_582_912.0;
    let [byte, ..] = (number + NO_FRACTION).to_bits().to_le_bytes();
    byte
}

/// `y = x W + b` in floats, for what is small.
pub(super) struct Dense {
    weights: PackedBMatrix<f32>,
    bias: Vec<f32>,
}

impl Dense {
    /// A layer of `weights`, one row for each output.
    pub(super) fn new(kernels: &Kernels, weights: &[f32], bias: Vec<f32>) -> Self {
        let (outputs, inputs) = (bias.len(), weights.len() / bias.len().max(1));
        let view = NdTensorView::from_data([outputs, inputs], weights);
        Self { weights: kernels.floats.prepack_b(view.transposed()), bias }
    }

    /// The outputs of every row of `inputs`, which has `columns` numbers a row.
    pub(super) fn apply(&self, kernels: &Kernels, inputs: &[f32], columns: usize) -> Vec<f32> {
        let rows = inputs.len() / columns;
        let view = NdTensorView::from_data([rows, columns], inputs);
        let options = GemmUninitOptions { bias: Some(BiasVector::Row(&self.bias)), ..GemmUninitOptions::default() };
        let mut out = Vec::new();
        fill(&mut out, rows * self.bias.len(), |space| {
            kernels.floats.gemm_uninit(space, GemmInputA::Unpacked(view), GemmInputB::Packed(&self.weights), options.clone())
        });
        out
    }
}

/// Lets `product` write `len` numbers into `out`. The shapes of a loaded network agree, which is all that a product asks for; should
/// they not, the numbers are zero and the self-test refuses the model.
pub(super) fn fill<T: Copy + Default>(
    out: &mut Vec<T>,
    len: usize,
    product: impl for<'a> Fn(&'a mut [std::mem::MaybeUninit<T>]) -> rten_gemm::GemmResult<&'a mut [T]>,
) {
    out.clear();
    out.reserve(len);
    out.extend_init(|space| match product(space.get_mut(..len).unwrap_or_default()) {
        Ok(written) => written,
        Err(_) => &mut [],
    });
    out.resize(len, T::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_products_are_close_to_exact_ones() {
        let kernels = Kernels::new();
        let number = |seed: usize| ((seed * 7919 % 1013) as f32 / 1013.0 - 0.5) * 2.0;
        let (inputs, outputs, rows) = (96, 40, 45);
        let weights: Vec<f32> = (0..inputs * outputs).map(number).collect();
        let bias: Vec<f32> = (0..outputs).map(|at| number(at + 5)).collect();
        let numbers: Vec<f32> = (0..rows * inputs).map(|at| number(at * 3 + 1) * 4.0).collect();
        let (mut rounded, mut sums, mut out) = (Rounded::default(), Vec::new(), Vec::new());
        rounded.set(&kernels, &numbers, inputs);
        Linear::new(&kernels, &weights, bias.clone()).apply(&kernels, &rounded, &mut sums, &mut out);
        let exact = Dense::new(&kernels, &weights, bias.clone()).apply(&kernels, &numbers, inputs);
        for (row, (numbers, out)) in numbers.chunks(inputs).zip(out.chunks(outputs)).enumerate() {
            for (column, (weights, bias)) in weights.chunks(inputs).zip(&bias).enumerate() {
                let plain: f32 = numbers.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>() + bias;
                assert!((exact[row * outputs + column] - plain).abs() < 1e-3);
                assert!((out[column] - plain).abs() < 0.35, "{row} {column}: {} is not {plain}", out[column]);
            }
        }
    }

    #[test]
    fn rounding_by_the_last_byte_is_rounding() {
        for quarter in 0..=1020_u16 {
            let number = f32::from(quarter) / 4.0;
            assert_eq!(f32::from(low_byte(number)), number.round_ties_even(), "{number}");
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        let kernels = Kernels::new();
        let (mut rounded, mut sums, mut out) = (Rounded::default(), Vec::new(), Vec::new());
        rounded.set(&kernels, &[0.0; 64], 64);
        Linear::new(&kernels, &[0.5; 128], vec![0.25, -1.0]).apply(&kernels, &rounded, &mut sums, &mut out);
        assert_eq!(out, [0.25, -1.0]);
    }
}
