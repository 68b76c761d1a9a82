//! Arrays of numbers as bytes, little-endian: what a pack holds and what is read back in one go.

/// Bytes end before they should, or say what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pack does not hold what it says")]
pub struct Malformed;

/// Numbers on their way into bytes.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// Length, then the numbers.
    pub(crate) fn array<N: Number>(&mut self, numbers: &[N]) -> &mut Self {
        self.u64(numbers.len() as u64);
        self.0.reserve(std::mem::size_of_val(numbers));
        numbers.iter().for_each(|number| number.put(&mut self.0));
        self
    }
}

/// Bytes on their way back.
#[derive(Debug)]
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl Reader<'_> {
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// A count that is followed by at least as many bytes.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u64()?).ok().filter(|count| *count <= self.0.len()).ok_or(Malformed)
    }

    pub(crate) fn array<N: Number>(&mut self) -> Result<Vec<N>, Malformed> {
        let len = self.count()?.checked_mul(N::BYTES).ok_or(Malformed)?;
        let (array, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(array.chunks_exact(N::BYTES).map(N::take).collect())
    }

    pub(crate) fn chunk<const LEN: usize>(&mut self) -> Result<[u8; LEN], Malformed> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*chunk)
    }

    /// Whether everything was read.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// A number of fixed width.
pub(crate) trait Number: Copy {
    const BYTES: usize;
    fn put(self, to: &mut Vec<u8>);
    /// The number of exactly [`Self::BYTES`] bytes.
    fn take(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            const BYTES: usize = size_of::<$kind>();

            #[inline(always)]
            fn put(self, to: &mut Vec<u8>) {
                to.extend(self.to_le_bytes());
            }

            #[inline(always)]
            fn take(bytes: &[u8]) -> Self {
                bytes.try_into().map_or(0, <$kind>::from_le_bytes)
            }
        }
    )*};
}

number!(u8, u16, u32, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_and_nothing_short_is_read() {
        let mut writer = Writer::default();
        writer.array(&[1_u16, 2, 65535]).u32(7).array::<u64>(&[]).array(&[1_u64 << 40]);
        let bytes = writer.0;
        let mut reader = Reader(&bytes);
        assert_eq!(reader.array::<u16>(), Ok(vec![1, 2, 65535]));
        assert_eq!(reader.u32(), Ok(7));
        assert_eq!(reader.array::<u64>(), Ok(vec![]));
        assert_eq!(reader.array::<u64>(), Ok(vec![1 << 40]));
        assert_eq!(reader.end(), Ok(()));
        for len in 0..bytes.len() {
            let mut reader = Reader(&bytes[..len]);
            let all = (|| {
                reader.array::<u16>()?;
                reader.u32()?;
                reader.array::<u64>()?;
                reader.array::<u64>()
            })();
            assert_eq!(all, Err(Malformed), "{len}");
        }
    }
}
