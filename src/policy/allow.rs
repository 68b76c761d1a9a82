//! The company's allow-list: what is no finding here, although it looks like one.

use super::{List, file};
use crate::{
    finding::Label,
    problem::Problem,
    table::{File, Table, Value},
};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::RegexSet;
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};
use unicode_normalization::UnicodeNormalization as _;

/// Entries in order; the first that allows a finding explains why it is none.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    entries: Vec<Entry>,
}

/// Where a text is, or where it goes.
#[derive(Clone, Copy, Debug)]
pub enum Whereabouts<'a> {
    /// In a file of this path, with forward slashes.
    File(&'a str),
    /// To these names of a host, and this path and query there.
    Request {
        /// In lower case, without port.
        hosts: &'a [String],
        /// Begins with `/`.
        target: &'a str,
    },
    /// Nobody knows: stdin.
    Unknown,
}

/// One `[[allow]]`. What is allowed, and where; what is not given allows anything, or anywhere.
#[derive(Clone, Debug)]
struct Entry {
    name: Arc<str>,
    labels: List<Label>,
    what: Option<What>,
    place: Option<Place>,
}

#[derive(Clone, Debug)]
struct What {
    /// Bare, see [`bare`].
    values: BTreeSet<String>,
    /// They match all of a value.
    patterns: RegexSet,
}

#[derive(Clone, Debug)]
struct Place {
    files: GlobSet,
    urls: GlobSet,
}

impl AllowList {
    /// Reads an allow-list; `file` is its name in problems.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        File::new(file, text).read(|root| {
            let mut names = HashSet::new();
            Self { entries: root.each("allow", |table| entry(table, &mut names)) }
        })
    }

    /// The name of the entry that allows `value`, which is of the kind `label`, at a place.
    pub fn entry_for(&self, label: &Label, value: &str, at: Whereabouts<'_>) -> Option<&Arc<str>> {
        let entry = self.entries.iter().find(|entry| {
            entry.labels.matches(|prefix| label.is_under(prefix.as_str()))
                && entry.what.as_ref().is_none_or(|what| what.holds(value))
                && entry.place.as_ref().is_none_or(|place| place.holds(at))
        });
        entry.map(|entry| &entry.name)
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Every entry's name with each label prefix it names.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().flat_map(|entry| entry.labels.items().map(|label| (&*entry.name, label.as_str())))
    }
}

impl What {
    fn holds(&self, value: &str) -> bool {
        self.values.contains(&bare(value)) || self.patterns.is_match(value)
    }
}

impl Place {
    fn holds(&self, at: Whereabouts<'_>) -> bool {
        match at {
            Whereabouts::File(path) => self.files.is_match(path),
            Whereabouts::Request { hosts, target } => {
                let path = target.split(['?', '#']).next().unwrap_or_default();
                hosts.iter().any(|host| self.urls.is_match(format!("{host}{path}")))
            }
            Whereabouts::Unknown => false,
        }
    }
}

/// Letters and digits in lower case, full-width ones made plain: `400-820 8820` and `４００８２０８８２０` are one number.
fn bare(value: &str) -> String {
    value.nfkc().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn entry(table: &Table<'_>, names: &mut HashSet<String>) -> Option<Entry> {
    let name = table.required("name", "say what the entry is for; explanations show it", |value| {
        let name = value.text()?;
        match name.trim().is_empty() || !names.insert(name.to_owned()) {
            true => value.wrong("the name is empty or taken by an earlier entry", "give every entry a name of its own"),
            false => Some(name),
        }
    });
    if let Some(name) = name {
        table.call(&format!("allow {name:?}"));
    }
    let labels = table.or("label", List::default(), file::labels);
    let values = table.optional("values", |list| list.list(value));
    let patterns = table.optional("patterns", |list| list.list(pattern));
    let files = table.optional("paths", |list| list.list(path));
    let urls = table.optional("urls", |list| list.list(url));
    if values.is_none() && patterns.is_none() && files.is_none() && urls.is_none() {
        table.problem("nothing is allowed by it", "name values, patterns, paths or urls");
        return None;
    }
    let what = (values.is_some() || patterns.is_some()).then(|| {
        let patterns = RegexSet::new(patterns.unwrap_or_default()).unwrap_or_default();
        What { values: values.unwrap_or_default().into_iter().collect(), patterns }
    });
    let place = (files.is_some() || urls.is_some())
        .then(|| Place { files: globs(files.unwrap_or_default().concat()), urls: globs(urls.unwrap_or_default()) });
    Some(Entry { name: name?.into(), labels, what, place })
}

fn value(value: &Value<'_>) -> Option<String> {
    let bare = bare(value.text()?);
    if bare.is_empty() { value.wrong("there is no letter or digit in it", "write the value itself") } else { Some(bare) }
}

/// A regular expression that has to match the whole value.
fn pattern(value: &Value<'_>) -> Option<String> {
    let whole = format!("^(?:{})$", value.text()?);
    match regex::Regex::new(&whole) {
        Ok(regex) if regex.is_match("") => value.wrong("it matches the empty text, so it is too wide", "say what the value looks like"),
        Ok(_) => Some(whole),
        Err(error) => {
            let text = error.to_string();
            let cause = text.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
            value.wrong(&format!("the pattern does not parse: {cause}"), "see https://docs.rs/regex for the notation")
        }
    }
}

/// A path as in `.gitignore`: at any depth unless it begins with `/`; what ends with `/` holds all below.
fn path(value: &Value<'_>) -> Option<Vec<globset::Glob>> {
    let text = value.text()?;
    let below = if text.ends_with('/') { format!("{text}**") } else { text.to_owned() };
    let anywhere = (!text.starts_with('/')).then(|| format!("**/{below}"));
    [Some(below), anywhere].into_iter().flatten().map(|text| glob(value, &text)).collect()
}

/// `host/path`, the host first, so that no path can pass for one.
fn url(value: &Value<'_>) -> Option<globset::Glob> {
    let text = value.text()?;
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    if text.contains("://") {
        return value.wrong("a scheme is no part of it", "write host and path, like \"wiki.example.com/**\"");
    }
    if host.is_empty() || host.contains("**") {
        return value.wrong("it has no host", "write host and path, like \"wiki.example.com/**\"");
    }
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}**") } else { path.to_owned() };
    glob(value, &format!("{}/{path}", host.to_lowercase()))
}

fn glob(value: &Value<'_>, text: &str) -> Option<globset::Glob> {
    match GlobBuilder::new(text).literal_separator(true).build() {
        Ok(glob) => Some(glob),
        Err(error) => value.wrong(&error.kind().to_string(), "write * for part of a name, ** for any folders"),
    }
}

fn globs(globs: Vec<globset::Glob>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    globs.into_iter().for_each(|glob| {
        set.add(glob);
    });
    // Each of them has been built before; all together they are too large for memory at worst, and then allow nothing.
    set.build().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AllowList {
        AllowList::parse("allow.toml", text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn problems(text: &str) -> Vec<String> {
        AllowList::parse("allow.toml", text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn allows(list: &AllowList, label: &str, value: &str, at: Whereabouts<'_>) -> bool {
        list.entry_for(&Label::parse(label).expect("label"), value, at).is_some()
    }

    #[test]
    fn the_shipped_example_is_sound() {
        assert!(list(include_str!("../../config/allow.toml")).len() >= 3);
    }

    #[test]
    fn values_are_compared_without_spaces_signs_and_case() {
        let list = list("[[allow]]\nname = \"hotline\"\nvalues = [\"400-820-8820\", \"Press@Example.com\"]\n");
        for value in ["4008208820", "400 820 8820", "４００-８２０-８８２０", "press@example.com"] {
            assert!(allows(&list, "personal.phone", value, Whereabouts::Unknown), "{value}");
        }
        assert!(!allows(&list, "personal.phone", "400-820-88201", Whereabouts::Unknown));
    }

    #[test]
    fn patterns_match_the_whole_value_and_labels_narrow() {
        let list = list("[[allow]]\nname = \"ours\"\nlabel = \"personal.email\"\npatterns = ['[a-z.]+@example\\.com']\n");
        assert!(allows(&list, "personal.email", "jane.roe@example.com", Whereabouts::Unknown));
        assert!(!allows(&list, "personal.email", "jane.roe@example.com.evil.net", Whereabouts::Unknown));
        assert!(!allows(&list, "secret.password", "jane.roe@example.com", Whereabouts::Unknown));
    }

    #[test]
    fn paths_are_of_files_and_urls_of_requests() {
        let list = list("[[allow]]\nname = \"fixtures\"\npaths = [\"tests/data/\", \"*.md\"]\nurls = [\"wiki.example.com/public/\"]\n");
        for path in ["tests/data/a/b.json", "/home/jane/app/tests/data/x", "README.md", "docs/a.md"] {
            assert!(allows(&list, "secret", "x", Whereabouts::File(path)), "{path}");
        }
        assert!(!allows(&list, "secret", "x", Whereabouts::File("src/tests/data.rs")));
        let request = |host: &str, target: &str| {
            let hosts = [host.to_owned()];
            allows(&list, "secret", "x", Whereabouts::Request { hosts: &hosts, target })
        };
        assert!(request("wiki.example.com", "/public/page?x=1"));
        assert!(!request("wiki.example.com", "/private/page") && !request("evil.net", "/wiki.example.com/public/page"));
        assert!(!request("evil.net", "/tests/data/x.md"), "a path of a request is no file's");
        assert!(!allows(&list, "secret", "x", Whereabouts::Unknown));
    }

    #[test]
    fn every_mistake_is_a_problem_with_its_place() {
        let text = "[[allow]]\nname = \"a\"\n\n[[allow]]\nname = \"b\"\npatterns = [\"(\", \".*\"]\nvalues = [\"--\"]\nurls = [\"https://x.com/\", \"**/x\"]\nlabel = \"Bad\"\npath = []\n";
        let problems = problems(text);
        for part in [
            "allow.toml:1: allow \"a\": nothing is allowed by it",
            "allow.toml:6: allow \"b\": patterns: the pattern does not parse",
            "allow.toml:6: allow \"b\": patterns: it matches the empty text",
            "allow.toml:7: allow \"b\": values: there is no letter or digit in it",
            "allow.toml:8: allow \"b\": urls: a scheme is no part of it",
            "allow.toml:8: allow \"b\": urls: it has no host",
            "allow.toml:9: allow \"b\": label: \"Bad\" is not a label",
            "allow.toml:10: allow \"b\": path: unknown key; did you mean `paths`?",
        ] {
            assert!(problems.iter().any(|problem| problem.starts_with(part)), "{part}: {problems:#?}");
        }
    }
}
