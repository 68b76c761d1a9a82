//! Tables of any format as rows of cells, read as often as needed.

mod parquet;

use super::{Reason, document};
use calamine::{Data, Reader as _, Sheets};
use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::Encoding;
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use std::{
    borrow::Cow,
    fs::File,
    io::{BufReader, Read as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

/// A table.
pub(super) struct Sheet {
    path: PathBuf,
    /// Name of the sheet or the table within the file.
    part: String,
    pub(super) header: Vec<String>,
    source: Source,
}

enum Source {
    Text {
        delimiter: u8,
        charset: &'static Encoding,
    },
    /// A spreadsheet's rows.
    Memory(Vec<Vec<String>>),
    /// The query that reads it.
    Sqlite(String),
    Parquet,
}

/// The tables of a file; those of a spreadsheet or database have names.
pub(super) fn open(path: &Path) -> Result<Vec<Sheet>, Reason> {
    let mut start = Vec::new();
    let io = |error: std::io::Error| Reason::Io(error.kind());
    File::open(path).map_err(io)?.take(1 << 20).read_to_end(&mut start).map_err(io)?;
    if start.is_empty() {
        return Err(Reason::Empty);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    if start.starts_with(b"SQLite format 3\0") {
        return sqlite(path);
    }
    if start.starts_with(b"PAR1") {
        return Ok(vec![Sheet { path: path.to_owned(), part: String::new(), header: parquet::header(path)?, source: Source::Parquet }]);
    }
    match extension.as_str() {
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => spreadsheet(path),
        _ => text(path, &start).map(|sheet| vec![sheet]),
    }
}

fn text(path: &Path, start: &[u8]) -> Result<Sheet, Reason> {
    let charset = document::charset(start).ok_or(Reason::NotText)?;
    if !charset.is_ascii_compatible() {
        return Err(Reason::Format("UTF-16"));
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    let delimiter = [b',', b'\t', b';', b'|'].into_iter().max_by_key(|delimiter| (count(*delimiter), *delimiter == b',')).unwrap_or(b',');
    let mut sheet = Sheet { path: path.to_owned(), part: String::new(), header: Vec::new(), source: Source::Text { delimiter, charset } };
    let mut header = None;
    sheet.lines(&mut |cells| {
        header = Some(cells.iter().map(|cell| cell.trim().to_owned()).collect());
        ControlFlow::Break(())
    })?;
    sheet.header = header.ok_or(Reason::Empty)?;
    Ok(sheet)
}

fn spreadsheet(path: &Path) -> Result<Vec<Sheet>, Reason> {
    let damaged = |error: calamine::Error| Reason::Damaged(error.to_string());
    let mut book: Sheets<BufReader<File>> = calamine::open_workbook_auto(path).map_err(damaged)?;
    let mut sheets = Vec::new();
    for part in book.sheet_names() {
        let range = book.worksheet_range(&part).map_err(damaged)?;
        let mut rows = range.rows().map(|row| row.iter().map(cell).collect::<Vec<_>>());
        if let Some(header) = rows.next() {
            sheets.push(Sheet { path: path.to_owned(), part, header, source: Source::Memory(rows.collect()) });
        }
    }
    if sheets.is_empty() { Err(Reason::Empty) } else { Ok(sheets) }
}

/// A spreadsheet's cell as it would be typed. Numbers of persons and phones are often stored as floats.
fn cell(data: &Data) -> String {
    match data {
        Data::Float(number) => whole(*number).unwrap_or_else(|| data.to_string()),
        data => data.to_string(),
    }
}

/// A whole number without a fraction.
fn whole(number: f64) -> Option<String> {
    (number.fract() == 0.0 && number.abs() < 1e18).then(|| format!("{number:.0}"))
}

fn sqlite(path: &Path) -> Result<Vec<Sheet>, Reason> {
    let damaged = |error: rusqlite::Error| Reason::Damaged(error.to_string());
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(damaged)?;
    let mut names = connection
        .prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
        .map_err(damaged)?;
    let names: Vec<String> = names.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(damaged)?;
    let mut sheets = Vec::new();
    for name in names {
        let query = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
        let header = connection.prepare(&query).map_err(damaged)?.column_names().into_iter().map(str::to_owned).collect();
        sheets.push(Sheet { path: path.to_owned(), part: name, header, source: Source::Sqlite(query) });
    }
    if sheets.is_empty() { Err(Reason::Empty) } else { Ok(sheets) }
}

impl Sheet {
    /// The name of the sheet or the table; empty where the file is the table.
    pub(super) fn part(&self) -> &str {
        &self.part
    }

    /// How people call it.
    pub(super) fn title(&self) -> String {
        let path = self.path.display();
        if self.part.is_empty() { path.to_string() } else { format!("{path} ({})", self.part) }
    }

    /// Calls `each` with the cells of every row but the heading, until it breaks. Returns how many rows could not be read.
    pub(super) fn rows(&self, each: &mut dyn FnMut(&[Cow<'_, str>]) -> ControlFlow<()>) -> Result<usize, Reason> {
        match &self.source {
            Source::Text { .. } => {
                let mut is_heading = true;
                self.lines(&mut |cells| if std::mem::take(&mut is_heading) { ControlFlow::Continue(()) } else { each(cells) })
            }
            Source::Memory(rows) => {
                let _ = rows.iter().try_for_each(|row| each(&row.iter().map(|cell| Cow::Borrowed(cell.as_str())).collect::<Vec<_>>()));
                Ok(0)
            }
            Source::Sqlite(query) => self.query(query, each),
            Source::Parquet => parquet::rows(&self.path, each).map(|()| 0),
        }
    }

    /// Every record of a text, the heading too.
    fn lines(&self, each: &mut dyn FnMut(&[Cow<'_, str>]) -> ControlFlow<()>) -> Result<usize, Reason> {
        let Source::Text { delimiter, charset } = self.source else { return Ok(0) };
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_path(&self.path).map_err(broken)?;
        let mut record = ByteRecord::new();
        let mut damaged = 0;
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => return Ok(damaged),
                Ok(true) => {}
                Err(error) => return Err(broken(error)),
            }
            let mut wrong = false;
            let cells: Vec<Cow<'_, str>> = record
                .iter()
                .enumerate()
                .map(|(index, cell)| {
                    let cell = if index == 0 { cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell) } else { cell };
                    let (text, bad) = charset.decode_without_bom_handling(cell);
                    wrong |= bad;
                    text
                })
                .collect();
            if wrong {
                damaged += 1;
            } else if each(&cells).is_break() {
                return Ok(damaged);
            }
        }
    }

    fn query(&self, query: &str, each: &mut dyn FnMut(&[Cow<'_, str>]) -> ControlFlow<()>) -> Result<usize, Reason> {
        let damaged = |error: rusqlite::Error| Reason::Damaged(error.to_string());
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(damaged)?;
        let mut statement = connection.prepare(query).map_err(damaged)?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).map_err(damaged)?;
        while let Some(row) = rows.next().map_err(damaged)? {
            let cell = |index: usize| match row.get_ref(index) {
                Ok(ValueRef::Integer(number)) => Cow::Owned(number.to_string()),
                Ok(ValueRef::Real(number)) => Cow::Owned(number.to_string()),
                Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text),
                Ok(ValueRef::Null | ValueRef::Blob(_)) | Err(_) => Cow::Borrowed(""),
            };
            let cells: Vec<Cow<'_, str>> = (0..columns).map(cell).collect();
            if each(&cells).is_break() {
                break;
            }
        }
        Ok(0)
    }
}

fn broken(error: csv::Error) -> Reason {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Reason::Io(error.kind()),
        kind => Reason::Damaged(format!("{kind:?}")),
    }
}
