//! What reviewers called false joins a lesson: the pack says nothing about it any more, and the head is trained on it as on public text.

use crate::knowledge::{Part, Trace, build::PackBuilder};

/// A finding that a reviewer called false.
#[derive(Clone, Debug)]
pub struct FalseFind {
    /// As what it was found.
    pub label: String,
    /// What it met of the pack; `None` where nothing was kept that says so, or it cannot be opened.
    pub trace: Option<Trace>,
}

/// What of the findings that reviewers called false is left out of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reviews {
    /// Values of tables and lists.
    pub values: usize,
    /// Passages of documents.
    pub passages: usize,
    /// Texts that a head took for the company's.
    pub texts: usize,
    /// Those of this pack that left no trace: they stay dismissed where they were, and nothing is learnt from them.
    pub untraced: usize,
}

/// Leaves out of the pack what of `all` it found, and nothing else any more.
pub(super) fn join(builder: &mut PackBuilder, all: &[FalseFind]) -> Reviews {
    let name = builder.name();
    let part = |find: &FalseFind| match find.label.strip_prefix("company.")?.split_once('.')? {
        ("exact", of) if of == name => Some(Part::Exact),
        ("document", of) if of == name => Some(Part::Document),
        ("classifier", of) if of == name => Some(Part::Classifier),
        _ => None,
    };
    let mut reviews = Reviews::default();
    let mut traces = Vec::new();
    for (find, part) in all.iter().filter_map(|find| Some((find, part(find)?))) {
        let Some(trace) = find.trace.as_ref().filter(|trace| trace.part() == part) else {
            reviews.untraced += 1;
            continue;
        };
        match part {
            Part::Exact => reviews.values += 1,
            Part::Document => reviews.passages += 1,
            Part::Classifier => reviews.texts += 1,
        }
        traces.push(trace.clone());
    }
    builder.unlearn(traces);
    reviews
}
