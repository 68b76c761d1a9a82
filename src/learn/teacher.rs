//! A lesson under way: from source to source, into the pack and the examples.

use super::{
    LearnError, Learnt, Lesson, Names, NoHead, Progress, Reason, SAMPLES, Sample, Unread, document,
    examples::{Examples, Side},
    head, rows, table,
};
use crate::{
    detect::{self, Detectors, model::Model},
    knowledge::{
        build::{NewDocument, PackBuilder},
        pack::{Source, SourceKind},
        seal::Key,
    },
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// Of so many public documents one is held back.
const HELD_OUT: u64 = 5;

/// A lesson under way.
pub(super) struct Teacher<'t> {
    pub(super) lesson: &'t Lesson,
    pub(super) key: &'t Key,
    pub(super) detectors: &'t Detectors,
    pub(super) progress: &'t mut dyn FnMut(Progress<'_>),
    pub(super) builder: PackBuilder,
    /// What a head may be trained on; `None` without a model.
    pub(super) examples: Option<Examples>,
    pub(super) learnt: Learnt,
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

    pub(super) fn remove(&mut self, path: &Path) -> Result<(), LearnError> {
        let Identity { number, text } = self.identity(path);
        // Sheets and tables of a file are sources of their own.
        let part = |source: &Source| source.id == text || source.id.strip_prefix(text.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let ids: Vec<String> = self.builder.sources().iter().filter(|source| part(source)).map(|source| source.id.clone()).collect();
        let before = self.builder.documents_of(number).len();
        let gone = ids.iter().filter(|id| self.builder.forget(id, number)).count();
        self.learnt.forgotten += before;
        self.examples.iter_mut().for_each(|examples| examples.forget(Side::Own, |_, source| source == number));
        if gone == 0 { Err(LearnError::Unknown(path.to_owned())) } else { Ok(()) }
    }

    fn unread(&mut self, path: &Path, reason: Reason) {
        self.learnt.unread.push(Unread { path: path.to_owned(), reason });
    }

    /// What everybody may know. Some of it is held back, to see whether the pack raises alarms there.
    pub(super) fn public(&mut self, path: &Path) {
        let Some(files) = self.files(path) else { return };
        let source = self.identity(path).number;
        let ids: Vec<u64> = files.iter().map(|file| self.identity(file).number).collect();
        let seen: HashSet<u64> = ids.iter().copied().collect();
        let gone = |id: u64, of: u64| of == source && !seen.contains(&id);
        self.examples.iter_mut().for_each(|examples| examples.forget(Side::Public, gone));
        let mut count = 0;
        for (done, (file, id)) in files.iter().zip(ids).enumerate() {
            (self.progress)(Progress::Source(path, done));
            match document::read(file) {
                Ok(document) => {
                    let text = detect::as_read(&document.text);
                    self.example(Side::Public, id, source, document.content(self.key), &text);
                    let held = id.is_multiple_of(HELD_OUT) && self.learnt.held_out.len() < SAMPLES;
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

    pub(super) fn documents(&mut self, path: &Path) {
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
                Ok(content) if known.get(&id) == Some(&content) => {
                    self.learnt.unchanged += 1;
                    self.recall(file, id, source.number, content);
                }
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
        self.examples.iter_mut().for_each(|examples| examples.forget(Side::Own, |id, _| gone.contains(&id)));
        let mut count = self.learnt.unchanged;
        for (done, (file, id, content)) in new.into_iter().enumerate() {
            (self.progress)(Progress::Source(path, done));
            match document::read(file) {
                Ok(document) => {
                    let text = detect::as_read(&document.text);
                    self.example(Side::Own, id, source.number, content, &text);
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

    /// Takes a document as an example, unless it is known as it is.
    fn example(&mut self, side: Side, id: u64, source: u64, content: u64, text: &str) {
        if let Some(examples) = self.examples.as_mut().filter(|examples| !examples.knows(side, id, content)) {
            examples.add(side, id, source, content, text);
        }
    }

    /// Takes an unchanged document as an example, if the examples of the earlier lesson are gone.
    fn recall(&mut self, file: &Path, id: u64, source: u64, content: u64) {
        let Some(examples) = self.examples.as_mut().filter(|examples| !examples.knows(Side::Own, id, content)) else { return };
        // What cannot be read any more was told when it was learnt.
        if let Ok(document) = document::read(file) {
            examples.add(Side::Own, id, source, content, &detect::as_read(&document.text));
        }
    }

    /// Trains the head, if there is enough to train it on. Otherwise an earlier one stays, unless documents of it are to be forgotten.
    pub(super) fn head(&mut self, model: Option<&Model>) {
        let trained = match (model, &mut self.examples) {
            (Some(model), Some(examples)) => head::enough(examples, self.lesson.aim.against).map(|()| {
                examples.add_ordinary(self.key);
                examples.read(model, self.detectors, &self.key.digester(), self.progress);
                (self.progress)(Progress::Training);
                self.learnt.examples = Some(examples.section());
                head::train(examples, model.id(), self.lesson.aim.false_positives)
            }),
            (None, _) | (_, None) => Err(NoHead::NoModel),
        };
        self.learnt.head = trained.map(|(head, report)| {
            self.builder.head(&head);
            report
        });
        if self.learnt.head.is_err() && self.learnt.forgotten > 0 {
            self.builder.forget_head();
        }
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

    pub(super) fn table(&mut self, path: &Path) {
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
            let mut tell = |done: usize| progress(Progress::Source(path, done));
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

    pub(super) fn dictionary(&mut self, path: &Path) {
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
