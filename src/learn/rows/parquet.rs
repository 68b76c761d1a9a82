//! Parquet files: what a data warehouse exports.

use super::{Reason, whole};
use parquet::{
    errors::ParquetError,
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use std::{
    borrow::Cow,
    fs::File,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// The names of the columns.
pub(super) fn header(path: &Path) -> Result<Vec<String>, Reason> {
    let file = open(path)?;
    let columns = file.metadata().file_metadata().schema().get_fields();
    Ok(columns.iter().map(|column| column.name().to_owned()).collect())
}

/// Calls `each` with the cells of every row, until it breaks.
pub(super) fn rows(path: &Path, each: &mut dyn FnMut(&[Cow<'_, str>]) -> ControlFlow<()>) -> Result<(), Reason> {
    let file = open(path)?;
    let mut rows = reading(|| file.get_row_iter(None))?;
    while let Some(row) = reading(|| rows.next().transpose())? {
        let cells: Vec<Cow<'_, str>> = row.get_column_iter().map(|(_, field)| cell(field)).collect();
        if each(&cells).is_break() {
            break;
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, Reason> {
    let file = File::open(path).map_err(|error| Reason::Io(error.kind()))?;
    reading(|| SerializedFileReader::new(file))
}

/// What the library reads. Some damage makes it panic, and one bad file must not end a lesson.
fn reading<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Reason> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| Reason::Damaged(error.to_string())),
        Err(_) => Err(Reason::Damaged("its parts contradict each other".to_owned())),
    }
}

/// A cell as it would be typed. What has cells of its own (a list, a map, a group) is none.
fn cell(field: &Field) -> Cow<'_, str> {
    match field {
        Field::Null | Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => Cow::Borrowed(""),
        Field::Str(text) => Cow::Borrowed(text),
        // Writers that do not say which bytes are text are common.
        Field::Bytes(bytes) => Cow::Borrowed(std::str::from_utf8(bytes.data()).unwrap_or_default()),
        Field::Double(number) => Cow::Owned(whole(*number).unwrap_or_else(|| number.to_string())),
        Field::Float(number) => Cow::Owned(whole(f64::from(*number)).unwrap_or_else(|| number.to_string())),
        field => Cow::Owned(field.to_string()),
    }
}
