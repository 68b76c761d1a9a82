//! Files to texts.

use super::Reason;
use crate::knowledge::{build::Reading, seal::Key};
use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};
use ignore::WalkBuilder;
use std::{
    borrow::Cow,
    fs,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
};

/// A document as text.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) reading: Reading,
    bytes: Vec<u8>,
}

impl Document {
    /// The keyed digest of the file's bytes.
    pub(super) fn content(&self, key: &Key) -> u64 {
        key.digest(&self.bytes)
    }
}

/// Larger files are data rather than documents.
const LARGEST: u64 = 64 << 20;
/// What unpacking one may come to.
const UNPACKED: u64 = 256 << 20;

/// Every file below `path`, or `path` itself, by name; without `.git` and what ignore files name.
pub(super) fn below(path: &Path) -> Result<Vec<PathBuf>, Reason> {
    let about = fs::metadata(path).map_err(|error| Reason::Io(error.kind()))?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut walk = WalkBuilder::new(path);
    walk.hidden(false).require_git(false).add_custom_ignore_filename(".exeatignore").sort_by_file_path(Path::cmp);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    let entries = walk.build().filter_map(Result::ok);
    Ok(entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())).map(ignore::DirEntry::into_path).collect())
}

/// The text of a file: text and code of any usual charset, HTML and XML, Word, PowerPoint and Excel files since 2007, OpenDocument.
pub(super) fn read(path: &Path) -> Result<Document, Reason> {
    let io = |error: std::io::Error| Reason::Io(error.kind());
    if fs::metadata(path).map_err(io)?.len() > LARGEST {
        return Err(Reason::TooLarge);
    }
    let bytes = fs::read(path).map_err(io)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    let text = match extension.as_str() {
        "docx" | "docm" => packed(&bytes, |name| name == "word/document.xml" || is_note(name))?,
        "pptx" | "pptm" => packed(&bytes, |name| name.starts_with("ppt/slides/slide") || name.starts_with("ppt/notesSlides/notes"))?,
        "xlsx" | "xlsm" => packed(&bytes, |name| name == "xl/sharedStrings.xml" || name.starts_with("xl/worksheets/sheet"))?,
        "odt" | "ods" | "odp" => packed(&bytes, |name| name == "content.xml")?,
        "pdf" => return Err(Reason::Format("PDF")),
        "doc" | "xls" | "ppt" => return Err(Reason::Format("Office 97-2003")),
        "html" | "htm" | "xhtml" | "xml" | "svg" => untagged(&decoded(&bytes)?),
        _ => decoded(&bytes)?,
    };
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Reason::Empty);
    }
    let reading = if is_code(&extension) { Reading::Code } else { Reading::Prose };
    Ok(Document { text, reading, bytes })
}

fn is_note(name: &str) -> bool {
    ["word/footnotes.xml", "word/endnotes.xml", "word/comments.xml"].contains(&name)
        || name.starts_with("word/header")
        || name.starts_with("word/footer")
}

/// Bytes as text, in the charset that they seem to have.
pub(super) fn decoded(bytes: &[u8]) -> Result<String, Reason> {
    let charset = charset(bytes).ok_or(Reason::NotText)?;
    Ok(charset.decode(bytes).0.into_owned())
}

/// The charset of a text: by its mark, then the first that it is valid in. `None` if it is none.
pub(super) fn charset(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((charset, _)) = Encoding::for_bom(bytes) {
        return Some(charset);
    }
    let start = bytes.get(..bytes.len().min(1 << 20)).unwrap_or_default();
    if start.contains(&0) {
        return None;
    }
    // A character that is cut at the end of the sample is no error.
    let is_utf8 = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 {
        return Some(UTF_8);
    }
    let is_gb = GB18030.decode_without_bom_handling_and_without_replacement(start).is_some();
    let control = start.iter().filter(|byte| **byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C)).count();
    match (is_gb, control * 100 > start.len()) {
        (true, _) => Some(GB18030),
        (false, false) => Some(WINDOWS_1252),
        (false, true) => None,
    }
}

/// The texts of those members of a ZIP file that are asked for.
fn packed(bytes: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<String, Reason> {
    let damaged = |error: zip::result::ZipError| Reason::Damaged(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut names: Vec<String> = archive.file_names().flatten().filter(|name| is_wanted(name)).map(Cow::into_owned).collect();
    names.sort();
    let mut text = String::new();
    let mut left = UNPACKED;
    for name in names {
        let mut member = Vec::new();
        archive.by_name(&name).map_err(damaged)?.take(left).read_to_end(&mut member).map_err(|error| Reason::Damaged(error.to_string()))?;
        left = left.saturating_sub(member.len() as u64);
        text.push_str(&untagged(&String::from_utf8_lossy(&member)));
        text.push('\n');
    }
    Ok(text)
}

/// Tags after which a new word begins; others, such as those that change the typeface, may stand within one.
const BREAKS: [&str; 24] = [
    "p",
    "div",
    "br",
    "td",
    "th",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "w:p",
    "w:tab",
    "w:br",
    "w:tc",
    "a:p",
    "a:br",
    "si",
    "c",
    "text:p",
    "text:h",
    "table:table-cell",
];

/// What stands between the tags; nothing of scripts and styles.
pub(super) fn untagged(markup: &str) -> String {
    let mut text = String::with_capacity(markup.len() / 2);
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let name: String =
            tag.trim_start_matches('/').chars().take_while(|char| !char.is_whitespace() && !">/".contains(*char)).take(20).collect();
        let name = name.to_lowercase();
        let end = match name.as_str() {
            "script" | "style" if !tag.starts_with('/') => tag.to_ascii_lowercase().find(&format!("</{name}")),
            _ if tag.starts_with("!--") => tag.find("-->"),
            _ => tag.find('>'),
        };
        rest = end.and_then(|end| tag.get(end..)).unwrap_or_default();
        // The end of a script is a tag of its own.
        rest = if rest.starts_with('<') { rest } else { rest.trim_start_matches("--").strip_prefix('>').unwrap_or(rest) };
        if BREAKS.contains(&name.as_str()) {
            text.push('\n');
        }
    }
    text.push_str(rest);
    text
}

/// Whether files of this extension are programs.
fn is_code(extension: &str) -> bool {
    const EXTENSIONS: [&str; 38] = [
        "bash", "c", "cc", "clj", "cpp", "cs", "cxx", "dart", "erl", "ex", "f90", "go", "groovy", "h", "hpp", "hs", "java", "jl", "js",
        "jsx", "kt", "lua", "m", "mjs", "ml", "php", "pl", "proto", "py", "r", "rb", "rs", "scala", "sh", "sql", "swift", "ts", "tsx",
    ];
    EXTENSIONS.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_left_out_and_words_stay_whole() {
        let text = untagged(
            "<html><head><style>p { x }</style><script>if (a < b) {}</script></head><p>con<b>fid</b>ential<br/>A &amp; B<!-- <i> no --></p>end",
        );
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["confidential", "A", "&amp;", "B", "end"]);
        assert_eq!(untagged("a < b"), "a ");
    }

    #[test]
    fn charsets_are_told_apart() {
        let chinese = "项目预算与合同条款，仅限内部使用。";
        assert_eq!(decoded(chinese.as_bytes()).as_deref(), Ok(chinese));
        assert_eq!(decoded(&GB18030.encode(chinese).0).as_deref(), Ok(chinese));
        assert_eq!(decoded(b"caf\xe9 au lait, s'il vous pla\xeet").as_deref(), Ok("café au lait, s'il vous plaît"));
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain("plan".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decoded(&utf16).as_deref(), Ok("plan"));
        assert_eq!(decoded(b"\x7fELF\0\0\0"), Err(Reason::NotText));
    }
}
