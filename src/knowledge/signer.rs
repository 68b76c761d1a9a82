//! Whose packs are taken: the public half of the key that a pack was signed with (`seal` signs and verifies).

use super::hex;
use std::fmt;

/// Who signed a pack: an Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signer(pub(crate) [u8; 32]);

impl Signer {
    /// The signer that is written as 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hex::bytes(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::digits(&self.0))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({self})")
    }
}

/// Those whose packs are taken; anybody's if none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers(Vec<Signer>);

impl Signers {
    /// These, or anybody if there are none.
    pub fn new(named: Vec<Signer>) -> Self {
        Self(named)
    }

    /// These and one more. Where anybody will do, that is said already.
    #[must_use]
    pub fn and(mut self, signer: Signer) -> Self {
        if !self.0.is_empty() {
            self.0.push(signer);
        }
        self
    }

    /// Whether this one's packs are taken.
    pub fn take(&self, signer: &Signer) -> bool {
        self.0.is_empty() || self.0.contains(signer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_64_digits() {
        let text = "5a".repeat(32);
        let signer = Signer::parse(&text).expect("a signer");
        assert_eq!(signer.to_string(), text);
        assert_eq!(Signer::parse(&text.to_uppercase()), Some(signer));
        for bad in ["", "5a", &"5a".repeat(31), &"5a".repeat(33), &"5g".repeat(32)] {
            assert_eq!(Signer::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn nobody_named_is_anybody() {
        let [one, two, three] = [1, 2, 3].map(|byte| Signer([byte; 32]));
        assert!(Signers::default().take(&one) && Signers::default().and(two).take(&one));
        let named = Signers::new(vec![one]).and(two);
        assert!(named.take(&one) && named.take(&two) && !named.take(&three));
    }
}
