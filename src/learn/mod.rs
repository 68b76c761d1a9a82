//! Learning: the company's own data to a pack.
//!
//! ```text
//! source -> tables: open, columns -> cells --+
//!        -> documents: walk, text ----------+--> PackBuilder -> sections -> seal -> file
//!        -> public: walk, text -------------+
//!                          |
//!                          +-> Examples -model-> means, features -train-> Head
//! ```
//!
//! What cannot be read is told by name and reason, and the rest is learnt. Nothing that is learnt is kept as text.

mod columns;
mod document;
mod evaluate;
mod examples;
mod head;
mod logistic;
mod rows;
mod table;
mod teacher;
#[cfg(test)]
mod tests;
mod unread;

pub use self::{
    evaluate::{Alarms, Evaluation, HeadEvaluation, Share, evaluate, evaluate_heads},
    head::{Against, FEWEST, FEWEST_PUBLIC, HeadReport, NoHead},
    table::{ColumnReport, Role, TableReport},
    unread::{Reason, Unread},
};

use crate::{
    detect::{self, Detectors, model::Model},
    knowledge::{
        Malformed, Pack,
        build::PackBuilder,
        pack::{Section, SourceKind},
        seal::Key,
    },
};
use examples::Examples;
use std::path::{Path, PathBuf};
use teacher::Teacher;
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
    /// What a head is to be like.
    pub aim: Aim,
}

/// What a head is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// What it is trained against.
    pub against: Against,
    /// Share of other passages that it may take for the company's, in (0, 0.5].
    pub false_positives: f64,
}

impl Default for Aim {
    fn default() -> Self {
        Self { against: Against::default(), false_positives: 0.001 }
    }
}

/// What there is to learn with.
#[derive(Clone, Copy, Debug)]
pub struct Means<'m> {
    /// Of the digests.
    pub key: &'m Key,
    /// They tell what columns hold.
    pub detectors: &'m Detectors,
    /// Heads are trained on what it makes of texts.
    pub model: Option<&'m Model>,
}

/// An earlier lesson to go on with.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'e> {
    /// Its pack.
    pub pack: &'e [Section],
    /// Its [examples](Learnt::examples); empty where they are gone.
    pub examples: &'e [Section],
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
    /// What the head was trained on, to be sealed and kept beside the pack for the next lesson; `None` where none was.
    pub examples: Option<Section>,
    /// What the head turned out to be worth, or why there is none.
    pub head: Result<HeadReport, NoHead>,
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
pub enum Progress<'p> {
    /// So many rows or documents of a source are read.
    Source(&'p Path, usize),
    /// The model has read so many excerpts of so many.
    Model(usize, usize),
    /// The head is being trained.
    Training,
}

/// Texts to try the pack on, at most.
const SAMPLES: usize = 300;

/// Learns, or goes on with an earlier lesson.
///
/// # Errors
/// [`LearnError`]; sources that cannot be read are no error but told in [`Learnt::unread`].
pub fn learn(
    lesson: &Lesson,
    means: Means<'_>,
    earlier: Option<Earlier<'_>>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Learnt, LearnError> {
    let Means { key, detectors, model } = means;
    let builder = match earlier {
        Some(Earlier { pack, .. }) => PackBuilder::of(key.digester(), pack)?,
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
        examples: None,
        head: Err(NoHead::Few(0)),
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
    let examples = model.map(|model| Examples::of(model, earlier.map_or(&[], |earlier| earlier.examples))).transpose()?;
    let mut teacher = Teacher { lesson, key, detectors, progress, builder, examples, learnt };
    lesson.remove.iter().try_for_each(|path| teacher.remove(path))?;
    lesson.public.iter().for_each(|path| teacher.public(path));
    lesson.exact.iter().for_each(|path| teacher.table(path));
    lesson.dictionaries.iter().for_each(|path| teacher.dictionary(path));
    lesson.documents.iter().for_each(|path| teacher.documents(path));
    teacher.head(model);
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
