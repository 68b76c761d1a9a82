//! What a finding met of a pack: those of the pack's own digests that stand in the text found, and nothing else of it.
//!
//! Whoever calls a finding false later on has no text to show, since none is kept. The trace is what the next lesson leaves it out by: a value by
//! the digests of its forms, a run of a document by the passages that met, new text by the digest of all its words, and by those of its words
//! that the head weighs.

use super::{
    Knowledge, cell, code,
    digest::{Digest, Digester},
    documents::COUNTED,
    head::Feature,
    pack::Pack,
    passage::{self, CODE, TEXT},
    wire::{Malformed, Reader, Writer},
    words,
};
use crate::finding::Label;

/// Of what a pack finds, which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Values of tables and lists: `company.exact.<name>`.
    Exact,
    /// Passages of documents: `company.document.<name>`.
    Document,
    /// New text about the same matters: `company.classifier.<name>`.
    Classifier,
}

/// What a finding met of a pack. It says which of the things that the pack knows stood in a text, to whoever has the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub(crate) part: Part,
    /// Of values the forms, of documents the passages, of new text the whole.
    pub(crate) digests: Vec<Digest>,
    /// Of new text, the features that the head weighs, in order.
    pub(crate) features: Vec<Feature>,
    /// How many features it has in all.
    pub(crate) of: u32,
}

/// Digests at most: some five pages of a document. What is longer is no slip of a phrase, and is better named as public.
const MOST: usize = 512;

impl Part {
    const ALL: [Self; 3] = [Self::Exact, Self::Document, Self::Classifier];

    fn number(self) -> u32 {
        match self {
            Self::Exact => 0,
            Self::Document => 1,
            Self::Classifier => 2,
        }
    }
}

impl Trace {
    /// What `text`, which was found as `label` and is as detectors read it, met; `None` where no pack found it, or it met too much.
    pub fn of(knowledge: &Knowledge, label: &Label, text: &str) -> Option<Self> {
        let (pack, part) = knowledge.packs.iter().find_map(|pack| Some((pack, pack.part_of(label)?)))?;
        let digester = &knowledge.digester;
        let trace = match part {
            Part::Exact => {
                let forms = cell::forms(digester, text, &mut Vec::new());
                Self::new(part, forms.into_iter().map(|form| form.digest).collect())
            }
            Part::Document => Self::new(part, passages(digester, pack, text)),
            Part::Classifier => Self::of_classifier(digester, pack, text),
        };
        (!trace.digests.is_empty() && trace.digests.len() <= MOST).then_some(trace)
    }

    fn new(part: Part, mut digests: Vec<Digest>) -> Self {
        digests.sort_unstable();
        digests.dedup();
        Self { part, digests, features: Vec::new(), of: 0 }
    }

    #[cfg(feature = "model")]
    fn of_classifier(digester: &Digester, pack: &Pack, text: &str) -> Self {
        let mut features = super::lexicon::features(digester, text);
        let of = u32::try_from(features.len()).unwrap_or(u32::MAX);
        // What the head does not weigh is the writer's own, and not needed.
        features.retain(|feature| pack.head.as_ref().is_some_and(|head| head.weight(*feature).is_some()));
        Self { features, of, ..Self::new(Part::Classifier, vec![whole(digester, text)]) }
    }

    #[cfg(not(feature = "model"))]
    fn of_classifier(digester: &Digester, _: &Pack, text: &str) -> Self {
        Self::new(Part::Classifier, vec![whole(digester, text)])
    }

    /// What kind of finding left it.
    pub fn part(&self) -> Part {
        self.part
    }

    /// As it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.0
    }

    /// The trace that was kept so.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(bytes);
        let trace = Self::read(&mut reader)?;
        reader.end()?;
        Ok(trace)
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u32(self.part.number()).array(&self.digests).array(&self.features).u32(self.of);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = from.u32()?;
        let part = Part::ALL.into_iter().find(|part| part.number() == number).ok_or(Malformed)?;
        Ok(Self { part, digests: from.array()?, features: from.array()?, of: from.u32()? })
    }
}

/// The digest of all words of a text, one after the other: of the same words however they are set.
pub(crate) fn whole(digester: &Digester, text: &str) -> Digest {
    let mut all = Vec::new();
    words::read(digester, text, &mut all);
    all.iter().fold(digester.phrase(), |phrase, word| digester.join(phrase, word.digest))
}

/// The passages of a text that stand in the pack's documents, as far as digests of passages count.
fn passages(digester: &Digester, pack: &Pack, text: &str) -> Vec<Digest> {
    let (mut all, mut words) = (Vec::new(), Vec::new());
    if let Some(known) = &pack.text {
        words::read(digester, text, &mut words);
        passage::each(digester, TEXT, &words, |passage| {
            all.extend((!known.places(passage.digest).is_empty()).then_some(passage.digest & COUNTED));
        });
    }
    if let Some(known) = &pack.code {
        code::read(digester, text, &mut words);
        passage::each(digester, CODE, &words, |passage| {
            all.extend((!known.places(passage.digest).is_empty()).then_some(passage.digest & COUNTED));
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::{
        Thresholds,
        build::{NewDocument, PackBuilder, Reading},
    };

    fn knowledge(text: &str) -> Knowledge {
        let digester = Digester::new(&[4; 32]);
        let mut builder = PackBuilder::new(digester.clone(), "acme");
        builder.document(&NewDocument { id: 1, source: 1, content: 1, text, reading: Reading::Prose });
        let pack = Pack::read(&builder.finish(String::new())).expect("a pack");
        Knowledge::new(digester, vec![pack], Thresholds::default())
    }

    fn label(text: &str) -> Label {
        Label::parse(text).expect("a label")
    }

    fn prose(from: usize, words: usize) -> String {
        (from..from + words).map(|number| format!("word{} ", number * 37 % 9973)).collect()
    }

    #[test]
    fn of_a_text_only_what_the_pack_knows_leaves_a_trace() {
        let knowledge = knowledge(&prose(0, 60));
        let document = label("company.document.acme");
        let own = Trace::of(&knowledge, &document, &prose(0, 60)).expect("a trace");
        let with_more = format!("{} {}", prose(0, 60), prose(4000, 60));
        assert_eq!(Trace::of(&knowledge, &document, &with_more).expect("a trace"), own, "what is not the pack's own leaves none");
        assert_eq!(Trace::of(&knowledge, &document, &prose(4000, 60)), None);
        assert_eq!(Trace::of(&knowledge, &label("company.document.other"), &prose(0, 60)), None);
        assert_eq!(Trace::of(&knowledge, &label("personal.phone"), &prose(0, 60)), None);
    }

    #[test]
    fn a_value_leaves_the_digests_of_its_forms_and_new_text_one_of_all_its_words() {
        let knowledge = knowledge(&prose(0, 60));
        let of = |kind: &str, text: &str| Trace::of(&knowledge, &label(kind), text).expect("a trace").digests;
        assert_eq!(of("company.exact.acme", "Doe, Jane"), of("company.exact.acme", "Jane  DOE"));
        assert_eq!(of("company.exact.acme", "137-1111-2222"), of("company.exact.acme", "13711112222"));
        assert_eq!(of("company.classifier.acme", "The rotor, again!"), of("company.classifier.acme", "the ROTOR\nagain"));
        assert_ne!(of("company.classifier.acme", "The rotor, again!"), of("company.classifier.acme", "The rotors, again!"));
    }

    #[test]
    fn what_met_too_much_is_no_slip() {
        let long = knowledge(&prose(0, 6000));
        assert_eq!(Trace::of(&long, &label("company.document.acme"), &prose(0, 6000)), None);
        assert!(Trace::of(&long, &label("company.document.acme"), &prose(0, 600)).is_some());
    }

    #[test]
    fn traces_come_back_as_they_were_and_nothing_damaged_is_read() {
        let trace = Trace { part: Part::Classifier, digests: vec![7], features: vec![1, 2], of: 30 };
        let bytes = trace.to_bytes();
        assert_eq!(Trace::from_bytes(&bytes), Ok(trace));
        for len in 0..bytes.len() {
            assert_eq!(Trace::from_bytes(&bytes[..len]), Err(Malformed), "{len}");
        }
        assert_eq!(Trace::from_bytes(&[vec![9], bytes[1..].to_vec()].concat()), Err(Malformed));
    }
}
