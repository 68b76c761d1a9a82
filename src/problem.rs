//! What is wrong with a file that an operator wrote, said so that it can be mended.

use std::fmt;

/// One mistake in a configuration, policy or rules file: where, what, and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the operator named it.
    pub file: String,
    /// Line, 1-based, where it is known.
    pub line: Option<usize>,
    /// The key or rule it is about: `proxy.listen`, `rule "iban"`.
    pub item: String,
    /// What is wrong.
    pub cause: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}", self.item, self.cause)?;
        if !self.fix.is_empty() {
            write!(f, "; {}", self.fix)?;
        }
        Ok(())
    }
}
