//! A table, or a list of words, to the sets of digests that stand for it.

pub use super::columns::Role;

use super::{Reason, columns, document, rows::Sheet};
use crate::{
    detect::{self, Detectors},
    knowledge::{Digester, TableBuilder, cell},
};
use std::{fs, ops::ControlFlow, path::Path};

/// What was learnt from a table.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// How people call it.
    pub title: String,
    /// Its rows, or words.
    pub rows: usize,
    /// Cells that are known now.
    pub cells: usize,
    /// Rows, or words, that say too little or are damaged.
    pub left: usize,
    /// Its columns; none for a list of words.
    pub columns: Vec<ColumnReport>,
}

/// What became of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnReport {
    /// Its heading.
    pub heading: String,
    /// What it is good for.
    pub role: Role,
}

/// Rows that are kept to be tried.
const SAMPLES: usize = 200;

/// Learns a table. Beside the report it returns some rows, of which the primary cell comes first, or a cell that says enough by itself.
pub(super) fn read(
    sheet: &Sheet,
    primary: Option<&str>,
    digester: &Digester,
    detectors: &Detectors,
    progress: &mut dyn FnMut(usize),
) -> Result<(TableBuilder, TableReport, Vec<Vec<String>>), Reason> {
    let roles = columns::roles(sheet, primary, digester, detectors)?;
    let mut builder = TableBuilder::new(roles.len());
    let columns = sheet.header.iter().zip(&roles).map(|(heading, role)| ColumnReport { heading: heading.clone(), role: *role }).collect();
    let mut report = TableReport { title: sheet.title(), rows: 0, cells: 0, left: 0, columns };
    let mut samples: Vec<Vec<String>> = Vec::new();
    let mut scratch = Vec::new();
    let damaged = sheet.rows(&mut |cells| {
        report.rows += 1;
        if report.rows.is_multiple_of(1000) {
            progress(report.rows);
        }
        let mut first = Vec::new();
        let mut others = Vec::new();
        let mut sample = Vec::new();
        for (column, (cell, role)) in cells.iter().zip(&roles).enumerate() {
            let text = detect::as_read(cell.trim());
            let forms = match role {
                Role::Left => continue,
                Role::Alone | Role::Primary | Role::Beside => cell::forms(digester, &text, &mut scratch),
            };
            if forms.is_empty() {
                continue;
            }
            report.cells += 1;
            match role {
                Role::Left => {}
                Role::Alone => {
                    forms.iter().for_each(|form| builder.alone(*form));
                    others.extend(forms.iter().map(|form| (column, *form)));
                    sample.push(cell.trim().to_owned());
                }
                Role::Primary => {
                    first = forms;
                    sample.insert(0, cell.trim().to_owned());
                }
                Role::Beside => {
                    others.extend(forms.iter().map(|form| (column, *form)));
                    sample.push(cell.trim().to_owned());
                }
            }
        }
        let is_known = if first.is_empty() { !others.is_empty() } else { !others.is_empty() || sample.len() > 1 };
        report.left += usize::from(!is_known);
        builder.row(&first, &others);
        if is_known && samples.len() < SAMPLES {
            samples.push(sample);
        }
        ControlFlow::Continue(())
    })?;
    report.left += damaged;
    if report.cells == 0 { Err(Reason::Empty) } else { Ok((builder, report, samples)) }
}

/// Learns a list of words or phrases, one a line; lines that begin with `#` are remarks.
pub(super) fn dictionary(path: &Path, digester: &Digester) -> Result<(TableBuilder, TableReport), Reason> {
    let bytes = fs::read(path).map_err(|error| Reason::Io(error.kind()))?;
    let text = document::decoded(&bytes)?;
    let mut builder = TableBuilder::new(0);
    let mut report = TableReport { title: path.display().to_string(), rows: 0, cells: 0, left: 0, columns: Vec::new() };
    let mut scratch = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        report.rows += 1;
        let forms = cell::forms(digester, &detect::as_read(line), &mut scratch);
        // The plain form alone: a project called "blue moon" is not "moon blue".
        match forms.first() {
            Some(form) => {
                builder.alone(*form);
                report.cells += 1;
            }
            None => report.left += 1,
        }
    }
    if report.cells == 0 { Err(Reason::Empty) } else { Ok((builder, report)) }
}
