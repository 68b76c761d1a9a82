//! What one inspection may spend. Every decoder and every scan draws on the same purse.

use crate::finding::Gap;
use std::time::Instant;

/// Bytes, nesting and time left for one message. Decoders draw on it before they allocate.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Decoded bytes that may still be produced.
    bytes: usize,
    /// How many times larger than its source decoded content may be, beyond the first MiB.
    ratio: usize,
    /// Containers that may still be opened inside one another.
    depth: usize,
    /// Tokens that the model may still read.
    tokens: usize,
    deadline: Option<Instant>,
}

impl Budget {
    /// Decoded content beyond this many times its source is a bomb.
    pub const RATIO: usize = 200;
    /// Containers inside containers.
    pub const DEPTH: usize = 8;
    /// Below this size no ratio is a bomb.
    const SMALL: usize = 1 << 20;

    /// `bytes` of decoded content until `deadline`.
    pub fn new(bytes: usize, deadline: Option<Instant>) -> Self {
        Self { bytes, ratio: Self::RATIO, depth: Self::DEPTH, tokens: usize::MAX, deadline }
    }

    /// The same with `tokens` for the model, of which there are as many as it takes otherwise.
    #[must_use]
    pub fn with_tokens(self, tokens: usize) -> Self {
        Self { tokens, ..self }
    }

    /// When the time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Tokens that the model may still read.
    pub fn tokens_left(&self) -> usize {
        self.tokens
    }

    /// Takes tokens out of the purse.
    ///
    /// # Errors
    /// [`Gap::ModelSkipped`] when they are not there; [`Gap::TimedOut`] past the deadline.
    pub fn take_tokens(&mut self, tokens: usize) -> Result<(), Gap> {
        self.tokens = self.tokens.checked_sub(tokens).ok_or(Gap::ModelSkipped)?;
        self.check_time()
    }

    /// Decoded bytes that may still be produced.
    pub fn bytes_left(&self) -> usize {
        self.bytes
    }

    /// Takes `produced` more bytes out of the purse.
    ///
    /// # Errors
    /// [`Gap::TooLarge`] when they are not there, or when `total` produced from `source` bytes so far is a bomb;
    /// [`Gap::TimedOut`] past the deadline.
    pub fn spend(&mut self, produced: usize, total: usize, source: usize) -> Result<(), Gap> {
        self.bytes = self.bytes.checked_sub(produced).ok_or(Gap::TooLarge)?;
        if total > Self::SMALL && total / self.ratio > source {
            return Err(Gap::TooLarge);
        }
        self.check_time()
    }

    /// Opens a container inside the present one; `f` runs one level deeper.
    ///
    /// # Errors
    /// [`Gap::TooLarge`] when the nesting is too deep, or what `f` returns.
    pub fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Gap>) -> Result<T, Gap> {
        self.depth = self.depth.checked_sub(1).ok_or(Gap::TooLarge)?;
        let result = f(self);
        self.depth += 1;
        result
    }

    /// Whether there is time left.
    ///
    /// # Errors
    /// [`Gap::TimedOut`] past the deadline.
    pub fn check_time(&self) -> Result<(), Gap> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Gap::TimedOut),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_told_from_well_packed_text() {
        let mut budget = Budget::new(usize::MAX, None);
        assert_eq!(budget.spend(1000, 900_000, 100), Ok(()), "small output is never a bomb");
        assert_eq!(budget.spend(1000, 10 << 20, 1 << 20), Ok(()));
        assert_eq!(budget.spend(1000, 10 << 20, 1000), Err(Gap::TooLarge));
    }

    #[test]
    fn depth_is_given_back() {
        let mut budget = Budget::new(10, None);
        for _ in 0..100 {
            assert_eq!(budget.deeper(|_| Ok(1)), Ok(1));
        }
        fn dive(budget: &mut Budget) -> Result<(), Gap> {
            budget.deeper(dive)
        }
        assert_eq!(dive(&mut budget), Err(Gap::TooLarge));
    }
}
