//! A learnt table, or a list of words, as sets of digests: which values it has, and which stand in one row.
//!
//! A value that says enough by itself (an identity number, a phone number, a listed word) is *alone*. Others count together: a *primary* value
//! (a person's name) with others of its row, by the digest of both. Pairs hang on the stretched digest of the primary value, so whoever has
//! pack and key and guesses at rows pays for every primary value that is not in the table, too.

use super::{
    cell::{Form, Lengths, Shape},
    digest::{self, Digest, Digester},
    filter::{Gate, Set},
    wire::{Malformed, Reader, Writer},
};
use xorf::{BinaryFuse8, BinaryFuse16};

/// Tables of more pairs are looked up once: one in 65,536 pairs that are not in it seems to be. Of others, one in four thousand million.
const MANY: usize = 10_000_000;

/// Values of a table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) alone: Values,
    pub(crate) primary: Values,
    pairs: Set<BinaryFuse16>,
    /// The same once more, so that accidents are rarer still; of tables that are not too large for it.
    pairs_again: Set<BinaryFuse16>,
    /// The columns beside the primary one, by the lengths of what they hold.
    pub(crate) columns: Vec<Lengths>,
    /// The heads of phrases that are alone or primary.
    pub(crate) heads: Gate,
    /// The heads of phrases that stand beside a primary value.
    pub(crate) beside: Gate,
}

/// A set of values: a quick look, then a sure and slow one. Of a million million values that are not in it, 60,000 seem to be.
#[derive(Debug)]
pub(crate) struct Values {
    quick: Set<BinaryFuse8>,
    sure: Set<BinaryFuse16>,
    pub(crate) lengths: Lengths,
}

impl Values {
    fn of(digester: &Digester, digests: Vec<Digest>, lengths: Lengths) -> Self {
        let mut distinct = digests;
        distinct.sort_unstable();
        distinct.dedup();
        let sure = distinct.iter().map(|digest| digest::short(&digester.stretch(*digest))).collect();
        Self { quick: Set::of(distinct), sure: Set::of(sure), lengths }
    }

    /// Whether it is worth the time to stretch the digest.
    #[inline]
    pub(crate) fn may_contain(&self, digest: Digest) -> bool {
        self.quick.may_contain(digest)
    }

    /// Whether the value is in the set.
    pub(crate) fn contains(&self, stretched: &[u8; 32]) -> bool {
        self.sure.may_contain(digest::short(stretched))
    }

    fn write(&self, to: &mut Writer) {
        to.u32(self.lengths.numbers).u32(self.lengths.phrases);
        self.quick.write(to);
        self.sure.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lengths = Lengths { numbers: from.u32()?, phrases: from.u32()? };
        Ok(Self { quick: Set::read(from)?, sure: Set::read(from)?, lengths })
    }
}

impl Table {
    /// Whether `value` stands in `column` of a row with this primary value.
    #[inline]
    pub(crate) fn has_pair(&self, digester: &Digester, primary: &[u8; 32], column: usize, value: Digest) -> bool {
        let Ok(column) = u32::try_from(column) else { return false };
        let pair = digester.pair(*primary, column, value);
        self.pairs.may_contain(pair) && (self.pairs_again.is_empty() || self.pairs_again.may_contain(again(pair)))
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        self.alone.write(to);
        self.primary.write(to);
        self.pairs.write(to);
        self.pairs_again.write(to);
        to.u64(self.columns.len() as u64);
        self.columns.iter().for_each(|lengths| {
            to.u32(lengths.numbers).u32(lengths.phrases);
        });
        self.heads.write(to);
        self.beside.write(to);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            alone: Values::read(from)?,
            primary: Values::read(from)?,
            pairs: Set::read(from)?,
            pairs_again: Set::read(from)?,
            columns: {
                let count = from.count()?;
                (0..count).map(|_| Ok(Lengths { numbers: from.u32()?, phrases: from.u32()? })).collect::<Result<_, Malformed>>()?
            },
            heads: Gate::read(from)?,
            beside: Gate::read(from)?,
        })
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let values = |values: &Values| values.quick.bytes() + values.sure.bytes();
        values(&self.alone)
            + values(&self.primary)
            + self.pairs.bytes()
            + self.pairs_again.bytes()
            + self.heads.bytes()
            + self.beside.bytes()
    }

    /// Whether rows are known, and not only values.
    pub(crate) fn has_rows(&self) -> bool {
        !self.pairs.is_empty()
    }
}

/// A table as it is read, row by row.
#[derive(Debug)]
pub struct TableBuilder {
    alone: (Vec<Digest>, Lengths),
    primary: (Vec<Digest>, Lengths),
    /// Index of the primary value (in order of arrival), column, value: stretched all at once at the end.
    pairs: Vec<(u32, u32, Digest)>,
    columns: Vec<Lengths>,
    heads: Vec<Digest>,
    beside: Vec<Digest>,
}

impl TableBuilder {
    /// A table with so many columns beside the primary one.
    pub fn new(columns: usize) -> Self {
        Self {
            alone: Default::default(),
            primary: Default::default(),
            pairs: Vec::new(),
            columns: vec![Lengths::default(); columns],
            heads: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// Takes in a value that says enough by itself.
    pub fn alone(&mut self, form: Form) {
        head(form, &mut self.heads);
        self.alone.0.push(form.digest);
        self.alone.1.add(form.shape);
    }

    /// Takes in a row: the forms of its primary value, and those of other cells with their columns.
    pub fn row(&mut self, primary: &[Form], others: &[(usize, Form)]) {
        for form in primary {
            head(*form, &mut self.heads);
            let index = u32::try_from(self.primary.0.len()).unwrap_or(u32::MAX);
            self.primary.0.push(form.digest);
            self.primary.1.add(form.shape);
            self.pairs.extend(others.iter().map(|(column, other)| (index, u32::try_from(*column).unwrap_or(u32::MAX), other.digest)));
        }
        for (column, other) in others {
            head(*other, &mut self.beside);
            self.columns.iter_mut().skip(*column).take(1).for_each(|lengths| lengths.add(other.shape));
        }
    }

    /// The table. Takes some microseconds for every primary value.
    pub(crate) fn build(self, digester: &Digester) -> Table {
        let Self { alone, primary, pairs, columns, heads, beside } = self;
        let mut stretched: Vec<(Digest, u32)> = primary.0.iter().copied().zip(0..).collect();
        stretched.sort_unstable();
        // One primary value has many rows.
        let mut by_index = vec![[0; 32]; primary.0.len()];
        let mut last: Option<(Digest, [u8; 32])> = None;
        for (digest, index) in stretched {
            let long = match last {
                Some((known, long)) if known == digest => long,
                Some(_) | None => digester.stretch(digest),
            };
            last = Some((digest, long));
            by_index.iter_mut().skip(index as usize).take(1).for_each(|slot| *slot = long);
        }
        let pair = |(index, column, value): &(u32, u32, Digest)| Some(digester.pair(*by_index.get(*index as usize)?, *column, *value));
        let pairs: Vec<Digest> = pairs.iter().filter_map(pair).collect();
        let pairs_again = Set::of(if pairs.len() > MANY { Vec::new() } else { pairs.iter().copied().map(again).collect() });
        let pairs = Set::of(pairs);
        let mut sure: Vec<Digest> = by_index.iter().map(digest::short).collect();
        sure.sort_unstable();
        sure.dedup();
        let primary = Values { quick: Set::of(primary.0), sure: Set::of(sure), lengths: primary.1 };
        let alone = Values::of(digester, alone.0, alone.1);
        Table { alone, primary, pairs, pairs_again, columns, heads: gate(heads), beside: gate(beside) }
    }
}

/// Another digest of a pair, independent of the first.
fn again(pair: Digest) -> Digest {
    digest::fold(pair, 0x9E37_79B9_7F4A_7C15)
}

fn head(form: Form, heads: &mut Vec<Digest>) {
    match form.shape {
        Shape::Phrase { head, .. } => heads.push(head),
        Shape::Number(_) => {}
    }
}

fn gate(mut heads: Vec<Digest>) -> Gate {
    heads.sort_unstable();
    heads.dedup();
    Gate::of(&heads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::cell;

    fn form(digester: &Digester, text: &str) -> Form {
        cell::forms(digester, text, &mut Vec::new())[0]
    }

    #[test]
    fn rows_hold_together_and_other_rows_do_not() {
        let digester = Digester::new(&[4; 32]);
        let mut builder = TableBuilder::new(2);
        for (name, street, city) in [("Jane Doe", "Elm Street 5", "Springfield"), ("John Roe", "Oak Street 7", "Shelbyville")] {
            let others = [(0, form(&digester, street)), (1, form(&digester, city))];
            builder.row(&[form(&digester, name)], &others);
        }
        let table = builder.build(&digester);
        let mut writer = Writer::default();
        table.write(&mut writer);
        let mut reader = Reader(&writer.0);
        let table = Table::read(&mut reader).expect("read back");
        assert_eq!(reader.end(), Ok(()));
        let jane = digester.stretch(form(&digester, "jane doe").digest);
        assert!(table.primary.may_contain(form(&digester, "Jane Doe").digest) && table.primary.contains(&jane));
        assert!(table.has_pair(&digester, &jane, 0, form(&digester, "elm street 5").digest));
        assert!(!table.has_pair(&digester, &jane, 1, form(&digester, "elm street 5").digest), "another column");
        assert!(!table.has_pair(&digester, &jane, 1, form(&digester, "Shelbyville").digest), "another row");
        assert!(!table.primary.contains(&digester.stretch(form(&digester, "Elm Street 5").digest)));
    }

    #[test]
    fn a_cell_of_a_wide_table_takes_less_than_three_bytes() {
        let digester = Digester::new(&[4; 32]);
        let mut builder = TableBuilder::new(9);
        let rows = 3_000_u32;
        for row in 0..rows {
            let cell = |column: u32| form(&digester, &format!("{}", 1_000_000_u32 + row * 10 + column));
            builder.row(&[cell(9)], &(0..9).map(|column| (column as usize, cell(column))).collect::<Vec<_>>());
        }
        let table = builder.build(&digester);
        // Of large tables there is no second look.
        let bytes = (table.bytes() - table.pairs_again.bytes()) as f64 / f64::from(rows * 10);
        assert!(bytes < 3.0, "{bytes}");
    }
}
