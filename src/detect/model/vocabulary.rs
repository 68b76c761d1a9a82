//! Text to token ids and back to places.

use super::{ModelError, fields::MASK};
use std::ops::Range;
use tokenizers::Tokenizer;

/// The tokenizer and the ids with a meaning of their own.
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    begin: u32,
    end: u32,
}

/// Tokens of a window.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Without the special ones at both ends.
    pub(super) ids: Vec<u32>,
    /// Where each stands in the window, in bytes.
    pub(super) places: Vec<Range<usize>>,
}

impl Vocabulary {
    /// The vocabulary of a `tokenizer.json` of `size` entries.
    pub(super) fn load(json: &[u8], size: usize) -> Result<Self, ModelError> {
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|_| ModelError::Tokenizer)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|_| ModelError::Tokenizer)?;
        let id = |token: &str| tokenizer.token_to_id(token).ok_or(ModelError::Tokenizer);
        let (begin, end, _) = (id("<s>")?, id("</s>")?, id(MASK)?);
        if tokenizer.get_vocab_size(true) == size { Ok(Self { tokenizer, begin, end }) } else { Err(ModelError::Tokenizer) }
    }

    /// The tokens of `text`; none if the tokenizer fails on it, which it has no cause to.
    pub(super) fn tokens(&self, text: &str) -> Tokens {
        let Ok(encoding) = self.tokenizer.encode(text, false) else { return Tokens::default() };
        let places = encoding.get_offsets().iter().map(|(start, end)| *start..*end).collect();
        Tokens { ids: encoding.get_ids().to_vec(), places }
    }

    /// The ids of a piece of a window as the network takes them.
    pub(super) fn framed(&self, ids: &[u32]) -> Vec<u32> {
        let mut framed = Vec::with_capacity(ids.len() + 2);
        framed.push(self.begin);
        framed.extend_from_slice(ids);
        framed.push(self.end);
        framed
    }
}
