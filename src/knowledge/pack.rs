//! A pack: all that was learnt under one name. It is a list of sections, each an array of bytes with a kind.

use super::{
    documents::Passages,
    head::Head,
    signer::Signer,
    table::Table,
    trace::Part,
    unlearnt::{self, Unlearnt},
    wire::{Malformed, Reader, Writer},
};
use crate::{finding::Label, words::Words};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON about the pack; comes first.
    Manifest,
    /// A table or a list of words.
    Table,
    /// Passages of text.
    Text,
    /// Passages of code.
    Code,
    /// Which documents there are.
    Documents,
    /// Passages that are never learnt: public ones, and those of many documents. Only learning reads them.
    Common,
    /// What tells new text about the company's matters.
    Head,
    /// What heads are trained on; in a file of its own, which only learning reads.
    Examples,
    /// What reviewers called false.
    Unlearnt,
}

impl Kind {
    /// All, by number.
    const ALL: [Self; 9] =
        [Self::Manifest, Self::Table, Self::Text, Self::Code, Self::Documents, Self::Common, Self::Head, Self::Examples, Self::Unlearnt];

    /// Its number in a file.
    pub fn number(self) -> u32 {
        match self {
            Self::Manifest => 0,
            Self::Table => 1,
            Self::Text => 2,
            Self::Code => 3,
            Self::Documents => 4,
            Self::Common => 5,
            Self::Head => 6,
            Self::Examples => 7,
            Self::Unlearnt => 8,
        }
    }

    /// The kind of this number.
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A part of a pack.
#[derive(Debug)]
pub struct Section {
    /// What it holds.
    pub kind: Kind,
    /// How that is written is the kind's affair.
    pub bytes: Vec<u8>,
}

/// What is known about a pack as a whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The name that it was learnt under.
    pub name: String,
    /// When, RFC 3339.
    pub created: String,
    /// What it was learnt from.
    pub sources: Vec<Source>,
    /// Names of documents by identifier, where they were asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// How the head came about, if there is one; packs of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<Trained>,
}

/// What a head was trained on, and what it found of what it was not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// The company's own documents.
    pub documents: u64,
    /// Public documents.
    pub public: u64,
    /// The company's own passages that were held out.
    pub held: u64,
    /// Those of them that it finds.
    pub found: u64,
}

/// A table, or a folder of documents, that was learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Keyed digest of its path.
    pub id: String,
    /// What it is.
    pub kind: SourceKind,
    /// Keyed digest of what it held; empty for folders.
    pub content: String,
    /// Rows, words or documents.
    pub count: u64,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Rows of cells.
    Table,
    /// A list of words.
    Dictionary,
    /// Documents.
    Documents,
    /// Documents that may be known to everybody.
    Public,
}

/// A document that was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// Keyed digest of its path.
    pub(crate) id: u64,
    /// Keyed digest of the source that it belongs to.
    pub(crate) source: u64,
    /// Keyed digest of its text.
    pub(crate) content: u64,
    /// Length as text, in steps of place.
    pub(crate) text: u32,
    /// Length as code.
    pub(crate) code: u32,
}

/// What was learnt under one name.
#[derive(Debug)]
pub struct Pack {
    pub(crate) manifest: Manifest,
    /// Who signed the file; `None` of what was learnt and not yet written.
    pub(crate) signer: Option<Signer>,
    pub(crate) tables: Vec<Table>,
    pub(crate) text: Option<Passages>,
    pub(crate) code: Option<Passages>,
    pub(crate) documents: Vec<Document>,
    pub(crate) head: Option<Head>,
    pub(crate) unlearnt: Unlearnt,
    /// What its findings in tables are labelled with: `company.exact.<name>`.
    pub(crate) exact: Label,
    /// `company.document.<name>`
    pub(crate) document: Label,
    /// `company.classifier.<name>`
    pub(crate) classifier: Label,
    /// What people call them, in this order.
    pub(crate) names: [Words; 3],
    /// The detector of findings in tables.
    pub(crate) detector: Arc<str>,
}

impl Pack {
    /// The pack of these sections.
    ///
    /// # Errors
    /// [`Malformed`] where a section is missing or does not hold what its kind says.
    pub fn read(sections: &[Section]) -> Result<Self, Malformed> {
        let of = |kind: Kind| sections.iter().filter(move |section| section.kind == kind);
        let manifest: Manifest = serde_json::from_slice(&of(Kind::Manifest).next().ok_or(Malformed)?.bytes).map_err(|_| Malformed)?;
        let whole = |reader: &mut Reader<'_>| reader.end();
        let passages = |kind: Kind| {
            of(kind).next().map(|section| {
                let mut reader = Reader(&section.bytes);
                Passages::read(&mut reader).and_then(|passages| whole(&mut reader).map(|()| passages))
            })
        };
        let table = |section: &Section| {
            let mut reader = Reader(&section.bytes);
            Table::read(&mut reader).and_then(|table| whole(&mut reader).map(|()| table))
        };
        let head = |section: &Section| {
            let mut reader = Reader(&section.bytes);
            Head::read(&mut reader).and_then(|head| whole(&mut reader).map(|()| head))
        };
        let name = manifest.name.clone();
        let label = |kind: &str| Label::parse(&format!("company.{kind}.{name}")).map_err(|_| Malformed);
        Ok(Self {
            tables: of(Kind::Table).map(table).collect::<Result<_, _>>()?,
            text: passages(Kind::Text).transpose()?,
            code: passages(Kind::Code).transpose()?,
            documents: of(Kind::Documents).next().map_or(Ok(Vec::new()), |section| read_documents(&section.bytes))?,
            head: of(Kind::Head).next().map(head).transpose()?,
            unlearnt: match of(Kind::Unlearnt).next() {
                Some(section) => Unlearnt::of(&unlearnt::read(&section.bytes)?),
                None => Unlearnt::default(),
            },
            exact: label("exact")?,
            document: label("document")?,
            classifier: label("classifier")?,
            names: [
                Words::new(format!("company data \"{name}\""), format!("公司数据“{name}”")),
                Words::new(format!("company document \"{name}\""), format!("公司文档“{name}”")),
                Words::new(format!("new text about \"{name}\""), format!("涉及“{name}”的新内容")),
            ],
            detector: name.into(),
            signer: None,
            manifest,
        })
    }

    /// The name that it was learnt under.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The same pack, out of a file with this signature.
    #[must_use]
    pub fn signed_by(self, signer: Signer) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// Who signed it; `None` if it was never a file.
    pub fn signer(&self) -> Option<Signer> {
        self.signer
    }

    /// When, RFC 3339.
    pub fn created(&self) -> &str {
        &self.manifest.created
    }

    /// How many documents it knows.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// How many tables and word lists.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// What tells new text about its matters, if it was learnt.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// How the head came about, as far as the pack says.
    pub fn trained(&self) -> Option<Trained> {
        self.manifest.trained
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let passages = [&self.text, &self.code].into_iter().flatten().map(Passages::bytes).sum::<usize>();
        let head = self.head.as_ref().map_or(0, Head::bytes);
        head + self.unlearnt.bytes()
            + passages
            + self.tables.iter().map(Table::bytes).sum::<usize>()
            + self.documents.len() * size_of::<Document>()
    }

    /// Which of its findings have this label.
    pub(crate) fn part_of(&self, label: &Label) -> Option<Part> {
        let of = [(&self.exact, Part::Exact), (&self.document, Part::Document), (&self.classifier, Part::Classifier)];
        of.into_iter().find(|(known, _)| **known == *label).map(|(_, part)| part)
    }

    /// What people call findings of this label.
    pub(crate) fn name_of(&self, label: &Label) -> Option<&Words> {
        let of = [&self.exact, &self.document, &self.classifier];
        of.iter().zip(&self.names).find(|(known, _)| **known == label).map(|(_, name)| name)
    }

    /// What a document is called: its name, where names were kept, or its number.
    pub(crate) fn title(&self, document: usize) -> String {
        let Some(document) = self.documents.get(document) else { return String::new() };
        let id = identifier(document.id);
        self.manifest.names.get(&id).cloned().unwrap_or(id)
    }
}

/// How a document is named where its name is not kept.
pub(crate) fn identifier(id: u64) -> String {
    format!("{id:016x}").chars().take(8).collect()
}

pub(crate) fn write_documents(documents: &[Document]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.u64(documents.len() as u64);
    for Document { id, source, content, text, code } in documents {
        writer.u64(*id).u64(*source).u64(*content).u32(*text).u32(*code);
    }
    writer.0
}

pub(crate) fn read_documents(bytes: &[u8]) -> Result<Vec<Document>, Malformed> {
    let mut reader = Reader(bytes);
    let count = reader.count()?;
    let mut document =
        || Ok(Document { id: reader.u64()?, source: reader.u64()?, content: reader.u64()?, text: reader.u32()?, code: reader.u32()? });
    let documents = (0..count).map(|_| document()).collect::<Result<_, Malformed>>()?;
    reader.end()?;
    Ok(documents)
}
