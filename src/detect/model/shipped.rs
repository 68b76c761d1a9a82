//! The model that is part of the program.

use super::{Model, ModelError};
use bytes::Bytes;

/// Weights and metadata; `models/MODEL_CARD.md` says what they are and how they were made.
static WEIGHTS: &[u8] = include_bytes!("../../../models/exeat-zh-en.gguf");
static TOKENIZER: &[u8] = include_bytes!("../../../models/tokenizer.json");

impl Model {
    /// The shipped model, which runs `threads` batches at a time.
    ///
    /// # Errors
    /// As [`load`](Self::load): on a processor that computes it wrongly, for one.
    pub fn embedded(threads: usize) -> Result<Self, ModelError> {
        Self::load(Bytes::from_static(WEIGHTS), TOKENIZER, threads)
    }
}
