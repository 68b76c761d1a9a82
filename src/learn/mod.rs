//! Learning: the company's own data to a pack.
//!
//! ```text
//! source -> tables: open, columns -> cells --+
//!        -> documents: walk, text ----------+--> PackBuilder -> sections -> seal -> file
//!        -> public: walk, text -------------+
//! ```
//!
//! What cannot be read is told by name and reason, and the rest is learnt. Nothing that is learnt is kept as text.

mod columns;
mod document;
mod evaluate;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod unread;

pub use self::{
    evaluate::{Alarms, Evaluation, Share, evaluate},
    table::{ColumnReport, Role, TableReport},
    unread::{Reason, Unread},
};

use crate::{
    detect::{self, Detectors},
    knowledge::{
        Malformed, Pack,
        build::{NewDocument, PackBuilder},
        pack::{Section, Source, SourceKind},
        seal::Key,
    },
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What to learn.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// The name to learn under: `company.exact.<name>`.
    pub name: String,
    /// Tables: CSV, TSV, XLSX, ODS, SQLite.
    pub exact: Vec<PathBuf>,
    /// Lists of words, one a line.
    pub dictionaries: Vec<PathBuf>,
    /// Documents, or folders of them.
    pub documents: Vec<PathBuf>,
    /// Documents that everybody may know.
    pub public: Vec<PathBuf>,
    /// Sources of an earlier lesson that are to be forgotten.
    pub remove: Vec<PathBuf>,
    /// The column that tells rows apart, by its heading; guessed where it is not given.
    pub primary: Option<String>,
    /// Whether names of documents are kept in the pack.
    pub names: Names,
}

/// Whether names of documents are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// A match names a document by a number.
    #[default]
    Dropped,
    /// A match names the file.
    Kept,
}

/// What came of a lesson.
#[derive(Debug)]
pub struct Learnt {
    /// The pack, to be sealed.
    pub sections: Vec<Section>,
    /// What was learnt from tables and word lists.
    pub tables: Vec<TableReport>,
    /// Documents that are new or changed.
    pub documents: usize,
    /// Documents that were as they are now.
    pub unchanged: usize,
    /// Documents that are gone.
    pub forgotten: usize,
    /// Public documents that were read.
    pub public: usize,
    /// Characters of documents read.
    pub characters: usize,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Some of the documents, to be tried.
    pub samples: Vec<Sample>,
    /// Public documents that were held back to be tried.
    pub held_out: Vec<Sample>,
    /// Rows of tables, to be tried.
    pub rows: Vec<Vec<String>>,
}

/// A text to try the pack on.
#[derive(Clone, Debug)]
pub struct Sample {
    /// As detectors read it.
    pub text: String,
}

/// Why nothing was learnt at all.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// Labels are made of the name.
    #[error("{0:?} cannot be the name of a pack; use lower-case letters, digits, - and _")]
    Name(String),
    /// The pack that was to be gone on with.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The pack that was to be gone on with has another name.
    #[error("the pack to update was learnt as {0:?}; leave --name out, or use that name")]
    OtherName(String),
    /// A source to be removed was never learnt.
    #[error("{} was not learnt into this pack; name it as it was named then", .0.display())]
    Unknown(PathBuf),
    /// All sources were empty or unreadable.
    #[error("nothing could be learnt from these sources")]
    Nothing(Vec<Unread>),
}

/// How far learning is, told to whoever shows it.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// What is being read.
    pub source: &'p Path,
    /// How many parts of it are done: rows or documents.
    pub done: usize,
}

/// Texts to try the pack on, at most.
const SAMPLES: usize = 300;
/// Of so many public documents one is held back.
const HELD_OUT: u64 = 5;

/// Learns. `earlier` is the pack to go on with, `detectors` tell what columns hold.
///
/// # Errors
/// [`LearnError`]; sources that cannot be read are no error but told in [`Learnt::unread`].
pub fn learn(
    lesson: &Lesson,
    key: &Key,
    earlier: Option<&[Section]>,
    detectors: &Detectors,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Learnt, LearnError> {
    let builder = match earlier {
        Some(sections) => PackBuilder::of(key.digester(), sections)?,
        None => PackBuilder::new(key.digester(), &lesson.name),
    };
    if !lesson.name.is_empty() && builder.name() != lesson.name {
        return Err(LearnError::OtherName(builder.name().to_owned()));
    }
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if builder.name().is_empty() || !builder.name().bytes().all(is_plain) {
        return Err(LearnError::Name(builder.name().to_owned()));
    }
    let learnt = Learnt {
        sections: Vec::new(),
        tables: Vec::new(),
        documents: 0,
        unchanged: 0,
        forgotten: 0,
        public: 0,
        characters: 0,
        unread: Vec::new(),
        samples: Vec::new(),
        held_out: Vec::new(),
        rows: Vec::new(),
    };
    let mut teacher = Teacher { lesson, key, detectors, progress, builder, learnt };
    lesson.remove.iter().try_for_each(|path| teacher.remove(path))?;
    lesson.public.iter().for_each(|path| teacher.public(path));
    lesson.exact.iter().for_each(|path| teacher.table(path));
    lesson.dictionaries.iter().for_each(|path| teacher.dictionary(path));
    lesson.documents.iter().for_each(|path| teacher.documents(path));
    let Teacher { builder, mut learnt, .. } = teacher;
    if builder.sources().iter().all(|source| source.kind == SourceKind::Public) {
        return Err(LearnError::Nothing(learnt.unread));
    }
    learnt.sections = builder.finish(OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default());
    // A pack that cannot be read back must not be written.
    Pack::read(&learnt.sections)?;
    Ok(learnt)
}

/// The texts of these files and folders; adds what cannot be read to `unread`.
pub fn samples(paths: &[PathBuf], unread: &mut Vec<Unread>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for path in paths {
        let files = match document::below(path) {
            Ok(files) => files,
            Err(reason) => {
                unread.push(Unread { path: path.clone(), reason });
                continue;
            }
        };
        for file in files {
            match document::read(&file) {
                Ok(document) => samples.push(Sample { text: detect::as_read(&document.text).into_owned() }),
                Err(reason) => unread.push(Unread { path: file, reason }),
            }
        }
    }
    samples
}

/// A lesson under way.
struct Teacher<'t> {
    lesson: &'t Lesson,
    key: &'t Key,
    detectors: &'t Detectors,
    progress: &'t mut dyn FnMut(Progress<'_>),
    builder: PackBuilder,
    learnt: Learnt,
}

/// A source by the digest of its path.
struct Identity {
    number: u64,
    text: String,
}

impl Teacher<'_> {
    fn identity(&self, path: &Path) -> Identity {
        // Of the path as it is on this machine, so that ./contracts and contracts are one source.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let number = self.key.digest(absolute.as_os_str().as_encoded_bytes());
        Identity { number, text: format!("{number:016x}") }
    }

    fn remove(&mut self, path: &Path) -> Result<(), LearnError> {
        let Identity { number, text } = self.identity(path);
        // Sheets and tables of a file are sources of their own.
        let part = |source: &Source| source.id == text || source.id.strip_prefix(text.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let ids: Vec<String> = self.builder.sources().iter().filter(|source| part(source)).map(|source| source.id.clone()).collect();
        let before = self.builder.documents_of(number).len();
        let gone = ids.iter().filter(|id| self.builder.forget(id, number)).count();
        self.learnt.forgotten += before;
        if gone == 0 { Err(LearnError::Unknown(path.to_owned())) } else { Ok(()) }
    }

    fn unread(&mut self, path: &Path, reason: Reason) {
        self.learnt.unread.push(Unread { path: path.to_owned(), reason });
    }

    /// What everybody may know. Some of it is held back, to see whether the pack raises alarms there.
    fn public(&mut self, path: &Path) {
        let Some(files) = self.files(path) else { return };
        let mut count = 0;
        for (done, file) in files.iter().enumerate() {
            (self.progress)(Progress { source: path, done });
            match document::read(file) {
                Ok(document) => {
                    let text = detect::as_read(&document.text);
                    let held = self.identity(file).number.is_multiple_of(HELD_OUT) && self.learnt.held_out.len() < SAMPLES;
                    if held {
                        self.learnt.held_out.push(Sample { text: text.into_owned() });
                    } else {
                        self.builder.public(&text, document.reading);
                    }
                    count += 1;
                }
                Err(reason) => self.unread(file, reason),
            }
        }
        self.learnt.public += count;
        self.note(path, SourceKind::Public, count);
    }

    fn documents(&mut self, path: &Path) {
        let Some(files) = self.files(path) else { return };
        let source = self.identity(path);
        let known: HashMap<u64, u64> = self.builder.documents_of(source.number);
        let mut seen = HashSet::new();
        let mut gone = HashSet::new();
        let mut new = Vec::new();
        for file in &files {
            let id = self.identity(file).number;
            seen.insert(id);
            match std::fs::read(file).map(|bytes| self.key.digest(&bytes)) {
                Ok(content) if known.get(&id) == Some(&content) => self.learnt.unchanged += 1,
                Ok(content) => {
                    gone.extend(known.contains_key(&id).then_some(id));
                    new.push((file, id, content));
                }
                Err(error) => self.unread(file, Reason::Io(error.kind())),
            }
        }
        let missing: Vec<u64> = known.keys().filter(|id| !seen.contains(id)).copied().collect();
        self.learnt.forgotten += missing.len();
        gone.extend(missing);
        self.builder.forget_documents(&gone);
        let mut count = self.learnt.unchanged;
        for (done, (file, id, content)) in new.into_iter().enumerate() {
            (self.progress)(Progress { source: path, done });
            match document::read(file) {
                Ok(document) => {
                    let text = detect::as_read(&document.text);
                    self.builder.document(&NewDocument { id, source: source.number, content, text: &text, reading: document.reading });
                    if self.lesson.names == Names::Kept {
                        self.builder.keep_name(id, &file.display().to_string());
                    }
                    self.learnt.characters += text.chars().count();
                    self.learnt.documents += 1;
                    count += 1;
                    self.sample(id, &text);
                }
                Err(reason) => self.unread(file, reason),
            }
        }
        self.note(path, SourceKind::Documents, count);
    }

    /// Keeps some documents to be tried, spread over all: those with the least digests.
    fn sample(&mut self, id: u64, text: &str) {
        if self.learnt.samples.len() < SAMPLES {
            self.learnt.samples.push(Sample { text: text.to_owned() });
        } else if let Some(slot) = usize::try_from(id % (self.learnt.documents as u64)).ok().and_then(|at| self.learnt.samples.get_mut(at))
        {
            *slot = Sample { text: text.to_owned() };
        }
    }

    fn note(&mut self, path: &Path, kind: SourceKind, count: usize) {
        let id = self.identity(path).text;
        if count > 0 {
            self.builder.note(Source { id, kind, content: String::new(), count: count as u64 });
        } else {
            self.unread(path, Reason::Empty);
        }
    }

    /// The files below a path; tells why there are none.
    fn files(&mut self, path: &Path) -> Option<Vec<PathBuf>> {
        match document::below(path) {
            Ok(files) => Some(files),
            Err(reason) => {
                self.unread(path, reason);
                None
            }
        }
    }

    fn table(&mut self, path: &Path) {
        let opened = match rows::open(path) {
            Ok(opened) => opened,
            Err(reason) => return self.unread(path, reason),
        };
        let identity = self.identity(path).text;
        // Sheets that are gone from the file since the last lesson.
        let part = |source: &Source| source.id.strip_prefix(identity.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let earlier: Vec<String> = self.builder.sources().iter().filter(|source| part(source)).map(|source| source.id.clone()).collect();
        earlier.iter().for_each(|id| {
            self.builder.forget(id, 0);
        });
        for sheet in &opened {
            let identity = identity.clone();
            let id =
                if sheet.part().is_empty() { identity } else { format!("{identity}/{:016x}", self.key.digest(sheet.part().as_bytes())) };
            let title = sheet.title();
            let progress = &mut *self.progress;
            let mut tell = |done: usize| progress(Progress { source: path, done });
            match table::read(sheet, self.lesson.primary.as_deref(), &self.key.digester(), self.detectors, &mut tell) {
                Ok((table, report, samples)) => {
                    self.builder.table(Source { id, kind: SourceKind::Table, content: String::new(), count: report.rows as u64 }, table);
                    self.learnt.rows.extend(samples);
                    self.learnt.tables.push(report);
                }
                Err(reason) => self.unread(Path::new(&title), reason),
            }
        }
    }

    fn dictionary(&mut self, path: &Path) {
        match table::dictionary(path, &self.key.digester()) {
            Ok((table, report)) => {
                let id = self.identity(path).text;
                self.builder.table(Source { id, kind: SourceKind::Dictionary, content: String::new(), count: report.rows as u64 }, table);
                self.learnt.tables.push(report);
            }
            Err(reason) => self.unread(path, reason),
        }
    }
}
