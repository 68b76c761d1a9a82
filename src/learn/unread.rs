//! What could not be learnt, and why.

use crate::words::Words;
use std::{io, path::PathBuf};

/// A source, or a part of one, that was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why something was left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The file system says so.
    Io(io::ErrorKind),
    /// There is nothing in it.
    Empty,
    /// It is larger than a document should be.
    TooLarge,
    /// It is no text and no format that is read.
    NotText,
    /// A format that is known and not read.
    Format(&'static str),
    /// It is damaged.
    Damaged(String),
    /// So many rows are damaged; the others were learnt.
    Rows(usize),
    /// No column tells rows apart or says enough by itself.
    NoColumn,
    /// There is no column of that heading.
    NoSuchColumn(String),
}

impl Reason {
    /// The reason in words.
    pub fn words(&self) -> Words {
        match self {
            Self::Io(kind) => Words::new(format!("cannot be read: {kind}"), format!("无法读取：{kind}")),
            Self::Empty => Words::fixed("there is nothing in it", "内容为空"),
            Self::TooLarge => Words::fixed("it is larger than 64 MB; split it", "超过 64 MB，请拆分"),
            Self::NotText => Words::fixed("it is no text", "不是文本"),
            Self::Format(name) => {
                Words::new(format!("{name} is not read; export it as text or DOCX"), format!("暂不支持 {name}，请导出为文本或 DOCX"))
            }
            Self::Damaged(cause) => Words::new(format!("it is damaged: {cause}"), format!("文件已损坏：{cause}")),
            Self::Rows(count) => {
                Words::new(format!("{count} rows are damaged; the others were learnt"), format!("{count} 行已损坏，其余已学习"))
            }
            Self::NoColumn => Words::fixed(
                "no column tells its rows apart; name one with --primary, or use --dictionary for a list of words",
                "没有能区分各行的列；请用 --primary 指定，或用 --dictionary 学习词表",
            ),
            Self::NoSuchColumn(name) => Words::new(format!("there is no column {name:?}"), format!("没有名为“{name}”的列")),
        }
    }
}
