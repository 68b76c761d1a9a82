//! Tables and documents to a pack.

use super::{
    code,
    digest::{Digest, Digester},
    documents::{COUNTED, Entry, Passages, STEP},
    filter::Set,
    head::Head,
    pack::{Document, Kind, Manifest, Section, Source, SourceKind, read_documents, write_documents},
    passage::{self, CODE, Scheme, TEXT},
    table::TableBuilder,
    wire::{Malformed, Reader, Writer},
    words::{self, Word},
};
use std::collections::{BTreeMap, HashMap, HashSet};
use xorf::BinaryFuse8;

/// A passage that stands in more documents than this, and in more than one of a hundred, is boilerplate.
const BOILERPLATE: usize = 16;

/// A pack that is being put together.
#[derive(Debug)]
pub struct PackBuilder {
    digester: Digester,
    name: String,
    sources: Vec<Source>,
    names: BTreeMap<String, String>,
    /// In the order of the tables and dictionaries among the sources.
    tables: Vec<Vec<u8>>,
    documents: Vec<Document>,
    text: Vec<Entry>,
    code: Vec<Entry>,
    /// Passages that are never learnt, from earlier lessons.
    common: Vec<Set<BinaryFuse8>>,
    /// And of this one.
    public: HashSet<Digest>,
    /// As it is written.
    head: Option<Vec<u8>>,
    words: Vec<Word>,
}

/// How a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As words.
    Prose,
    /// As words, and as code whose names may change.
    Code,
}

/// A document to learn.
#[derive(Clone, Copy, Debug)]
pub struct NewDocument<'d> {
    /// Keyed digest of its path.
    pub id: u64,
    /// Keyed digest of the path of the source that it belongs to.
    pub source: u64,
    /// Keyed digest of its bytes.
    pub content: u64,
    /// Its text, as detectors read it.
    pub text: &'d str,
    /// How it is read.
    pub reading: Reading,
}

impl PackBuilder {
    /// An empty pack.
    pub fn new(digester: Digester, name: &str) -> Self {
        Self {
            digester,
            name: name.to_owned(),
            sources: Vec::new(),
            names: BTreeMap::new(),
            tables: Vec::new(),
            documents: Vec::new(),
            text: Vec::new(),
            code: Vec::new(),
            common: Vec::new(),
            public: HashSet::new(),
            head: None,
            words: Vec::new(),
        }
    }

    /// The pack of these sections, to be gone on with.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn of(digester: Digester, sections: &[Section]) -> Result<Self, Malformed> {
        let of = |kind: Kind| sections.iter().filter(move |section| section.kind == kind);
        let Manifest { name, sources, names, .. } =
            serde_json::from_slice(&of(Kind::Manifest).next().ok_or(Malformed)?.bytes).map_err(|_| Malformed)?;
        let entries = |kind: Kind| match of(kind).next() {
            Some(section) => Ok(Passages::read(&mut Reader(&section.bytes))?.entries().collect()),
            None => Ok(Vec::new()),
        };
        let common = |section: &Section| Set::read(&mut Reader(&section.bytes));
        Ok(Self {
            tables: of(Kind::Table).map(|section| section.bytes.clone()).collect(),
            documents: of(Kind::Documents).next().map_or(Ok(Vec::new()), |section| read_documents(&section.bytes))?,
            text: entries(Kind::Text)?,
            code: entries(Kind::Code)?,
            head: of(Kind::Head).next().map(|section| section.bytes.clone()),
            common: of(Kind::Common).map(common).collect::<Result<_, _>>()?,
            sources,
            names,
            ..Self::new(digester, &name)
        })
    }

    /// The name that it is learnt under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was learnt from so far.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The digests of the contents of a source's documents, by those of their paths.
    pub fn documents_of(&self, source: u64) -> HashMap<u64, u64> {
        self.documents.iter().filter(|document| document.source == source).map(|document| (document.id, document.content)).collect()
    }

    /// Puts a head in place of any earlier one.
    pub fn head(&mut self, head: &Head) {
        let mut writer = Writer::default();
        head.write(&mut writer);
        self.head = Some(writer.0);
    }

    /// Whether there is a head.
    pub fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// Leaves the head out.
    pub fn forget_head(&mut self) {
        self.head = None;
    }

    /// Keeps the name of a document.
    pub fn keep_name(&mut self, id: u64, name: &str) {
        self.names.insert(super::pack::identifier(id), name.to_owned());
    }

    /// Notes a source of documents, or how many it has now.
    pub fn note(&mut self, source: Source) {
        match self.sources.iter_mut().find(|known| known.id == source.id && known.kind == source.kind) {
            Some(known) => *known = source,
            None => self.sources.push(source),
        }
    }

    /// Adds a table or word list; one of the same source is replaced.
    pub fn table(&mut self, source: Source, table: TableBuilder) {
        self.forget_table(&source.id);
        let mut writer = Writer::default();
        table.build(&self.digester).write(&mut writer);
        self.tables.push(writer.0);
        // Tables come in the order of their sources.
        self.sources.push(source);
    }

    /// Drops whatever was learnt from the source with this identifier, whose number is `number`. Says whether there was such a source.
    pub fn forget(&mut self, id: &str, number: u64) -> bool {
        let before = self.sources.len();
        self.forget_table(id);
        let gone: Vec<u64> = self.documents.iter().filter(|document| document.source == number).map(|document| document.id).collect();
        self.forget_documents(&gone.into_iter().collect());
        // What is public stays so.
        self.sources.retain(|source| source.id != id || source.kind == SourceKind::Public);
        self.sources.len() < before
    }

    fn forget_table(&mut self, id: &str) {
        let is_table = |source: &Source| matches!(source.kind, SourceKind::Table | SourceKind::Dictionary);
        let index = self.sources.iter().filter(|source| is_table(source)).position(|source| source.id == id);
        if let Some(index) = index.filter(|index| *index < self.tables.len()) {
            self.tables.remove(index);
            self.sources.retain(|source| source.id != id || !is_table(source));
        }
    }

    /// Drops the documents with these identifiers.
    pub fn forget_documents(&mut self, gone: &HashSet<u64>) {
        if gone.is_empty() {
            return;
        }
        let mut numbers = Vec::with_capacity(self.documents.len());
        let mut next = 0_u32;
        for document in &self.documents {
            let stays = !gone.contains(&document.id);
            numbers.push(stays.then_some(next));
            next += u32::from(stays);
            if !stays {
                self.names.remove(&super::pack::identifier(document.id));
            }
        }
        let renumber = |entries: &mut Vec<Entry>| {
            entries.retain_mut(|entry| match numbers.get(entry.document as usize).copied().flatten() {
                Some(number) => {
                    entry.document = number;
                    true
                }
                None => false,
            });
        };
        renumber(&mut self.text);
        renumber(&mut self.code);
        self.documents.retain(|document| !gone.contains(&document.id));
    }

    /// What this text says is known to everybody: it is never learnt, and forgotten where it was.
    pub fn public(&mut self, text: &str, reading: Reading) {
        let (public, mut words) = (&mut self.public, std::mem::take(&mut self.words));
        for scheme in schemes(reading) {
            read(&self.digester, scheme, text, &mut words);
            passage::each(&self.digester, scheme, &words, |passage| {
                public.insert(passage.digest & COUNTED);
            });
        }
        self.words = words;
    }

    /// Learns a document. What was called [`public`](Self::public) before is left out of it.
    pub fn document(&mut self, new: &NewDocument<'_>) {
        let number = u32::try_from(self.documents.len()).unwrap_or(u32::MAX);
        let mut document = Document { id: new.id, source: new.source, content: new.content, text: 0, code: 0 };
        let mut words = std::mem::take(&mut self.words);
        for scheme in schemes(new.reading) {
            read(&self.digester, scheme, new.text, &mut words);
            let (entries, length) = match scheme.channel {
                passage::Channel::Text => (&mut self.text, &mut document.text),
                passage::Channel::Code => (&mut self.code, &mut document.code),
            };
            *length = words.iter().map(|word| word.weight()).sum::<u32>() / STEP + 1;
            let (public, common) = (&self.public, &self.common);
            let is_own = |digest: Digest| {
                let digest = digest & COUNTED;
                !public.contains(&digest) && !common.iter().any(|common| common.may_contain(digest))
            };
            let kept = passage::winnow(&self.digester, scheme, &words, is_own);
            let entry = |passage: passage::Passage| Entry { digest: passage.digest, document: number, place: passage.at / STEP };
            entries.extend(kept.into_iter().map(entry));
        }
        self.words = words;
        self.documents.push(document);
    }

    /// The pack, as of `created` (RFC 3339).
    pub fn finish(self, created: String) -> Vec<Section> {
        let Self { name, sources, names, tables, documents, mut text, mut code, common, public, head, .. } = self;
        let most = BOILERPLATE.max(documents.len() / 100);
        let mut never = public;
        for entries in [&mut text, &mut code] {
            entries.iter_mut().for_each(|entry| entry.digest &= COUNTED);
            entries.sort_unstable();
            never.extend(boilerplate(entries, most));
        }
        for entries in [&mut text, &mut code] {
            entries.retain(|entry| !never.contains(&entry.digest));
        }
        let manifest = Manifest { name, created, sources, names };
        let section = |kind: Kind, write: &dyn Fn(&mut Writer)| {
            let mut writer = Writer::default();
            write(&mut writer);
            Section { kind, bytes: writer.0 }
        };
        let mut sections = vec![Section { kind: Kind::Manifest, bytes: serde_json::to_vec(&manifest).unwrap_or_default() }];
        sections.extend(tables.into_iter().map(|bytes| Section { kind: Kind::Table, bytes }));
        if !documents.is_empty() {
            let lengths: Vec<u32> = documents.iter().map(|document| document.text).collect();
            let passages = Passages::of(text, &lengths);
            sections.push(section(Kind::Text, &|writer| passages.write(writer)));
        }
        if !code.is_empty() {
            let lengths: Vec<u32> = documents.iter().map(|document| document.code).collect();
            let passages = Passages::of(code, &lengths);
            sections.push(section(Kind::Code, &|writer| passages.write(writer)));
        }
        if !documents.is_empty() {
            sections.push(Section { kind: Kind::Documents, bytes: write_documents(&documents) });
        }
        sections.extend(head.map(|bytes| Section { kind: Kind::Head, bytes }));
        let never = (!never.is_empty()).then(|| Set::<BinaryFuse8>::of(never.into_iter().collect()));
        sections.extend(common.iter().chain(&never).map(|set| section(Kind::Common, &|writer| set.write(writer))));
        sections
    }
}

/// The digests of entries, which are sorted, that stand in more than `most` documents.
fn boilerplate(entries: &[Entry], most: usize) -> impl Iterator<Item = Digest> {
    entries.chunk_by(|a, b| a.digest == b.digest).filter(move |same| same.len() > most).filter_map(move |same| {
        let documents = same.chunk_by(|a, b| a.document == b.document).count();
        same.first().filter(|_| documents > most).map(|entry| entry.digest)
    })
}

fn schemes(reading: Reading) -> impl Iterator<Item = Scheme> {
    [Some(TEXT), (reading == Reading::Code).then_some(CODE)].into_iter().flatten()
}

fn read(digester: &Digester, scheme: Scheme, text: &str, words: &mut Vec<Word>) {
    match scheme.channel {
        passage::Channel::Text => words::read(digester, text, words),
        passage::Channel::Code => code::read(digester, text, words),
    }
}
