//! Reads a TOML file that an operator wrote and collects *every* problem in it, each with place, cause and fix.
//!
//! serde stops at the first mistake and cannot say which key was meant. Here a reader asks a [`Table`] for the keys it
//! knows; what nobody asked for is a misspelling, and the keys that were asked for are the suggestions.

use crate::problem::Problem;
use std::{
    cell::RefCell,
    ops::{Range, RangeInclusive},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A TOML file being read.
#[derive(Debug)]
pub struct File<'a> {
    name: &'a str,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> File<'a> {
    /// The file that the operator calls `name`, with its text.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, problems: RefCell::default() }
    }

    /// Parses the text and hands its root to `read`.
    ///
    /// # Errors
    /// Every problem, in the order of the file: of TOML itself, and whatever `read` reported.
    pub fn read<T>(self, read: impl FnOnce(&Table<'_>) -> T) -> Result<T, Vec<Problem>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            for error in errors {
                let at = error.span().map_or(0, |span| span.start);
                self.report(at, "TOML", error.message(), "see https://toml.io for the notation");
            }
            // What was meant can only be guessed at: one mistake a line, and none about the keys.
            let mut problems = self.problems.into_inner();
            problems.sort_by_key(|problem| problem.line);
            problems.dedup_by_key(|problem| problem.line);
            return Err(problems);
        }
        let table = Table::new(&self, String::new(), String::new(), 0, root.get_ref());
        let value = read(&table);
        table.finish();
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }

    fn report(&self, at: usize, item: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        self.problems.borrow_mut().push(Problem {
            file: self.name.to_owned(),
            line: Some(line),
            item: item.into(),
            cause: cause.into(),
            fix: fix.into(),
        });
    }
}

/// A table of the file. Ask it for every key you know, then finish it.
#[derive(Debug)]
pub struct Table<'a> {
    file: &'a File<'a>,
    /// What the table itself is called in a problem: `proxy`, `rule "no secrets"`.
    name: RefCell<String>,
    /// What goes before a key's name in a problem: `proxy.`, `rule "no secrets": `.
    prefix: RefCell<String>,
    at: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    fn new(file: &'a File<'a>, name: String, prefix: String, at: usize, entries: &'a DeTable<'a>) -> Self {
        Self { file, name: name.into(), prefix: prefix.into(), at, entries, asked: RefCell::default() }
    }

    /// Names the table in problems, once its name has been read.
    pub fn call(&self, name: &str) {
        self.prefix.replace(format!("{name}: "));
        self.name.replace(name.to_owned());
    }

    /// The value of `key`, if it is there.
    pub fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.entries.iter().find(|(found, _)| found.get_ref() == key).map(|(_, value)| Value {
            file: self.file,
            item: format!("{}{key}", self.prefix.borrow()),
            value,
        })
    }

    /// What `read` makes of the value of `key`; `None` where it is absent, or wrong and reported.
    pub fn optional<T>(&self, key: &'static str, read: impl FnOnce(&Value<'a>) -> Option<T>) -> Option<T> {
        self.value(key).and_then(|value| read(&value))
    }

    /// What `read` makes of the value of `key`, or `default`.
    pub fn or<T>(&self, key: &'static str, default: T, read: impl FnOnce(&Value<'a>) -> Option<T>) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// Like [`optional`](Self::optional), and its absence is a problem, mended by `fix`.
    pub fn required<T>(&self, key: &'static str, fix: &str, read: impl FnOnce(&Value<'a>) -> Option<T>) -> Option<T> {
        let value = self.value(key);
        if value.is_none() {
            self.problem(&format!("`{key}` is missing"), fix);
        }
        value.and_then(|value| read(&value))
    }

    /// The table under `key`, handed to `read` and finished; an empty one where it is absent.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Table<'_>) -> T) -> T {
        let empty = DeTable::new();
        let value = self.value(key);
        let (entries, at) = match &value {
            Some(value) => (value.table().unwrap_or(&empty), value.value.span().start),
            None => (&empty, self.at),
        };
        let name = format!("{}{key}", self.prefix.borrow());
        let table = Table::new(self.file, name.clone(), format!("{name}."), at, entries);
        let read = read(&table);
        table.finish();
        read
    }

    /// The array of tables under `key`, each handed to `read` with its number from 1 on, and finished.
    pub fn each<T>(&self, key: &'static str, mut read: impl FnMut(&Table<'_>) -> Option<T>) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.value.get_ref() else {
            let _ = value.wrong::<()>("is not a list of tables", &format!("begin each with [[{key}]]"));
            return Vec::new();
        };
        let mut all = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let name = format!("{key} {}", index + 1);
            let value = Value { file: self.file, item: name.clone(), value: item };
            if let Some(entries) = value.table() {
                let table = Table::new(self.file, name.clone(), format!("{name}: "), item.span().start, entries);
                all.extend(read(&table));
                table.finish();
            }
        }
        all
    }

    /// Every key with its value, for tables whose keys are the operator's own names.
    pub fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let prefix = self.prefix.borrow();
        self.entries
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), Value { file: self.file, item: format!("{prefix}{}", key.get_ref()), value }))
            .collect()
    }

    /// Reports a problem with the table as a whole.
    pub fn problem(&self, cause: &str, fix: &str) {
        let name = self.name.borrow();
        self.file.report(self.at, if name.is_empty() { "file" } else { name.as_str() }, cause, fix);
    }

    /// Reports every key that nobody asked for, with the nearest one that somebody did.
    fn finish(&self) {
        let asked = self.asked.borrow();
        if asked.is_empty() {
            return; // its keys were read as `entries`
        }
        for (key, _) in self.entries.iter().filter(|(key, _)| !asked.iter().any(|asked| key.get_ref() == asked)) {
            let item = format!("{}{}", self.prefix.borrow(), key.get_ref());
            self.file.report(key.span().start, item, "unknown key", suggestion(key.get_ref(), asked.iter().copied()));
        }
    }
}

/// A value of the file, with its name and place.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    file: &'a File<'a>,
    item: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    /// Reports that the value is wrong; always `None`, to return with.
    pub fn wrong<T>(&self, cause: &str, fix: &str) -> Option<T> {
        self.file.report(self.value.span().start, self.item.as_str(), cause, fix);
        None
    }

    /// A string.
    pub fn text(&self) -> Option<&'a str> {
        self.text_or("put it in quotes")
    }

    fn text_or(&self, fix: &str) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text),
            other => self.wrong(&format!("expected a string, found {}", kind(other)), fix),
        }
    }

    /// A string that `parse` understands; `what` says what it should be, and gives an example.
    pub fn parsed<T>(&self, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text_or(&format!("write {what}"))?;
        parse(text).or_else(|| self.wrong(&format!("{text:?} is not {}", what.split(',').next().unwrap_or(what)), &format!("write {what}")))
    }

    /// One of the words in `choices`.
    pub fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let quoted: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        let text = self.text_or(&format!("write {}", quoted.join(" or ")))?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.or_else(|| self.wrong(&format!("{text:?} is not a choice"), &suggestion(text, choices.iter().map(|(word, _)| *word))))
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let (least, most) = (*range.start(), *range.end());
        let fix = format!("write a whole number from {least} to {most}");
        let number = match self.value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            other => return self.wrong(&format!("expected a whole number, found {}", kind(other)), &fix),
        };
        number.filter(|number| range.contains(number)).or_else(|| self.wrong("the number is out of range", &fix))
    }

    /// A number from 0 to 1.
    pub fn fraction(&self) -> Option<f32> {
        let fix = "write a number from 0.0 to 1.0";
        let number = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().parse::<f32>().ok(),
            DeValue::Integer(number) => number.as_str().parse::<f32>().ok(),
            other => return self.wrong(&format!("expected a number, found {}", kind(other)), fix),
        };
        number.filter(|number| (0.0..=1.0).contains(number)).or_else(|| self.wrong("the number is out of range", fix))
    }

    /// The elements of a list that `read` accepts; a single value stands for a list of one.
    pub fn list<T>(&self, mut read: impl FnMut(&Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        match self.value.get_ref() {
            DeValue::Array(items) => {
                let element = |value| Value { file: self.file, item: self.item.clone(), value };
                Some(items.iter().filter_map(|value| read(&element(value))).collect())
            }
            _one => Some(read(self).into_iter().collect()),
        }
    }

    /// A table that is read and finished by `read`.
    pub fn section<T>(&self, read: impl FnOnce(&Table<'a>) -> T) -> Option<T> {
        let entries = self.table()?;
        let table = Table::new(self.file, self.item.clone(), format!("{}.", self.item), self.value.span().start, entries);
        let read = read(&table);
        table.finish();
        Some(read)
    }

    /// The value's place, to report on later.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    fn table(&self) -> Option<&'a DeTable<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => self.wrong(&format!("expected a table, found {}", kind(other)), "see the shipped file for its keys"),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// `did you mean "listen"?`, or all that is known where nothing is near.
pub(crate) fn suggestion<'k>(wrong: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let likeness = |word: &str| strsim::normalized_damerau_levenshtein(&wrong.to_lowercase().replace('-', "_"), &word.replace('-', "_"));
    let nearest = known.clone().map(|word| (likeness(word), word)).max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, word)) if likeness >= 0.5 => format!("did you mean `{word}`?"),
        _nothing_near => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let file = File::new("some.toml", text);
        let read = file.read(|root| {
            root.section("server", |table| {
                table.or("port", 1, |value| value.integer(1..=65_535));
                table.or("mode", 0, |value| value.choice(&[("fast", 1), ("slow", 2)]));
                table.optional("names", |value| value.list(|value| value.text().map(str::to_owned)));
            });
            root.each("rule", |table| {
                if let Some(name) = table.required("name", "give it one", |value| value.text()) {
                    table.call(&format!("rule {name:?}"));
                }
                table.optional("weight", |value| value.fraction())
            });
        });
        read.expect_err("problems").iter().map(|problem| format!("{problem}\n")).collect()
    }

    #[test]
    fn every_problem_is_listed_at_once_with_place_cause_and_fix() {
        let text = "[server]\nprot = 1\nmode = \"fats\"\nnames = [\"a\", 2]\n\n[[rule]]\nweight = 0.5\n\n[[rule]]\nname = \"b\"\nweight = 7\nheight = 1\n[sever]\n";
        insta::assert_snapshot!(problems(text));
    }

    #[test]
    fn broken_toml_is_a_problem_with_its_line() {
        insta::assert_snapshot!(problems("[server]\nport = = 3\nmode = fast\n"));
    }
}
