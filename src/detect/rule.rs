//! Rule files: TOML text to validated [`Rule`]s, with every mistake listed at once.

use super::{
    check::{self, Check},
    pattern,
};
use crate::{
    finding::{Confidence, Evidence, Label},
    problem::Problem,
    words::Words,
};
use regex_syntax::hir::Hir;
use serde::Deserialize;
use std::{collections::HashMap, fmt, sync::Arc};
use toml::de::{DeTable, DeValue};

/// A file of rules: its name as people know it, and its text.
#[derive(Clone, Copy, Debug)]
pub struct RuleFile<'a> {
    /// `rules/bank.toml`.
    pub name: &'a str,
    /// TOML.
    pub text: &'a str,
}

/// One detector, validated.
pub struct Rule {
    /// Unique, kebab-case.
    pub id: Arc<str>,
    /// What kind of data it finds.
    pub label: Label,
    /// What a person reads.
    pub name: Words,
    /// How bad a leak is.
    pub severity: Severity,
    /// The grounds of its findings.
    pub evidence: Evidence,
    /// How sure a finding is with no word of [`context`](Self::context) near.
    pub confidence: Confidence,
    /// How sure it is with one near.
    pub confidence_in_context: Confidence,
    /// Words that tell, lower case.
    pub context: Vec<String>,
    /// Characters on each side in which they are looked for.
    pub context_within: usize,
    /// What becomes of a match with no such word near.
    pub without_context: WithoutContext,
    /// Whether sites send this about themselves routinely.
    pub traffic: Traffic,
    /// Literals, lower case, one of which every match contains. None: the rule is woken by digits and `@`.
    pub keywords: Vec<String>,
    /// Published sample values, letters and digits only, lower case.
    pub test_values: Vec<String>,
    /// Texts that it must find something in.
    pub examples: Vec<String>,
    /// Texts that it must find nothing in.
    pub counterexamples: Vec<String>,
    /// Where the format is published.
    pub source: String,
    /// File and line that define it.
    pub file: Arc<str>,
    /// 1-based.
    pub line: usize,
    /// Whether prefix and length of its values are the issuer's.
    pub(super) form: Form,
    pub(super) checks: Vec<Check>,
    pub(super) check_names: Vec<String>,
    pub(super) hir: Hir,
}

/// How bad a leak of such data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A nuisance.
    Low,
    /// Personal or internal.
    Medium,
    /// Identity, money, access.
    High,
    /// Opens systems.
    Critical,
}

/// What becomes of a match with no context word near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutContext {
    /// It is a finding of the lower confidence.
    Keep,
    /// It is none.
    Drop,
}

/// Whether ordinary sites send such data about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// A sign-in or a session carries it: as the whole value of a field it is no leak.
    Session,
    /// It has no business in a request.
    Foreign,
}

/// How much the shape of a rule's values says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// They have the issuer's prefix and length, so that even one of fillers is more than a word.
    Exact,
    /// Other texts have such a shape.
    Loose,
}

impl Form {
    /// Of a secret with these keywords.
    fn of(label: &Label, hir: &Hir, keywords: &[String]) -> Self {
        /// Shorter values are words and numbers.
        const SHORTEST: usize = 12;
        /// Lengths of a vendor's tokens vary so much.
        const VARIES: usize = 8;
        /// A literal that nobody writes by chance.
        const TELLING: usize = 5;
        let value = pattern::value(hir).unwrap_or(hir);
        let shortest = value.properties().minimum_len().unwrap_or(0);
        let one_length = value.properties().maximum_len().is_some_and(|longest| longest - shortest <= VARIES);
        let telling =
            !keywords.is_empty() && keywords.iter().all(|word| word.len() >= TELLING && !word.bytes().all(|b| b.is_ascii_alphabetic()));
        if label.is_under("secret") && shortest >= SHORTEST && (one_length || telling) { Self::Exact } else { Self::Loose }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({}:{} {})", self.file, self.line, self.id)
    }
}

/// The rules of all `files`, in order; ids are unique over all of them.
pub(super) fn parse(files: &[RuleFile<'_>]) -> Result<Vec<Rule>, Vec<Problem>> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        read(file, &mut rules, &mut problems);
    }
    let mut seen: HashMap<&str, &Rule> = HashMap::new();
    for rule in &rules {
        if let Some(first) = seen.insert(&rule.id, rule) {
            let cause = format!("the id is taken at {}:{}", first.file, first.line);
            problems.push(problem(&rule.file, Some(rule.line), &rule.id, cause, "give it another"));
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn read(file: &RuleFile<'_>, rules: &mut Vec<Rule>, problems: &mut Vec<Problem>) {
    let table = match DeTable::parse(file.text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let line = error.span().map(|span| line_of(file.text, span.start));
            problems.push(problem(file.name, line, "TOML", error.message().trim().to_owned(), "mend the syntax"));
            return;
        }
    };
    let name: Arc<str> = file.name.into();
    for (key, value) in table {
        let line = line_of(file.text, key.span().start);
        match (key.get_ref().as_ref(), value.into_inner()) {
            ("rule", DeValue::Array(items)) => {
                for item in items {
                    let line = line_of(file.text, item.span().start);
                    match RawRule::deserialize(toml::de::ValueDeserializer::from(item)) {
                        Ok(raw) => rules.extend(raw.validate(&name, line, problems)),
                        Err(error) => {
                            let at = error.span().map_or(line, |span| line_of(file.text, span.start));
                            problems.push(problem(&name, Some(at), "rule", error.message().trim().to_owned(), ""));
                        }
                    }
                }
            }
            (other, _) => {
                problems.push(problem(&name, Some(line), other, "unknown key".to_owned(), "a rules file holds [[rule]] tables only"));
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The check whose name shares the longest beginning with `name`, as a suggestion.
fn nearest(name: &str) -> String {
    let shared = |known: &&str| known.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    check::names().max_by_key(shared).filter(|known| shared(known) > 1).map_or_else(String::new, |known| format!("did you mean {known:?}?"))
}

/// The regex crates draw the pattern first; what is wrong stands in the last line.
pub(super) fn last_line(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

pub(super) fn problem(file: &str, line: Option<usize>, item: &str, cause: String, fix: &str) -> Problem {
    Problem { file: file.to_owned(), line, item: item.to_owned(), cause, fix: fix.to_owned() }
}

/// A `[[rule]]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    label: String,
    name: Words,
    pattern: String,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    check: Vec<String>,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default = "sixty")]
    context_within: usize,
    #[serde(default)]
    context_required: bool,
    confidence: f32,
    confidence_in_context: Option<f32>,
    evidence: Evidence,
    severity: Severity,
    #[serde(default)]
    session: bool,
    #[serde(default)]
    test_values: Vec<String>,
    examples: Vec<String>,
    counterexamples: Vec<String>,
    source: String,
}

fn sixty() -> usize {
    60
}

/// Characters on each side beyond which a word says little.
const WIDEST_CONTEXT: usize = 400;

impl RawRule {
    fn validate(self, file: &Arc<str>, line: usize, problems: &mut Vec<Problem>) -> Option<Rule> {
        let before = problems.len();
        let mut wrong = |cause: String, fix: &str| problems.push(problem(file, Some(line), &self.id, cause, fix));

        if self.id.is_empty() || !self.id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            wrong("the id is not kebab-case".to_owned(), "use a-z, 0-9 and -");
        }
        let label = Label::parse(&self.label).map_err(|error| wrong(error.to_string(), "")).ok();
        let pattern = pattern::ascii(&self.pattern);
        let hir =
            regex_syntax::parse(&pattern).map_err(|error| wrong(format!("the pattern does not parse: {}", last_line(&error)), "")).ok();
        if hir.as_ref().is_some_and(|hir| hir.properties().minimum_len().is_none_or(|least| least == 0)) {
            wrong("the pattern matches the empty text".to_owned(), "make some part of it required");
        }
        if let Some(short) = self.keywords.iter().find(|word| word.len() < 3) {
            wrong(format!("keyword {short:?} is shorter than 3 bytes"), "a keyword must be rare enough to wake a rule");
        }
        let mut checks = Vec::with_capacity(self.check.len());
        for name in &self.check {
            match check::named(name) {
                Some(check) => checks.push(check),
                None => wrong(format!("there is no check {name:?}"), &nearest(name)),
            }
        }
        if self.context_required && self.context.is_empty() {
            wrong("context_required without context".to_owned(), "name the words");
        }
        if self.context.iter().any(|word| word.trim().is_empty()) {
            wrong("an empty context word".to_owned(), "remove it");
        }
        if let Some(word) = self.context.iter().find(|word| word.trim().len() < 2) {
            wrong(format!("context word {word:?} is a single letter"), "a letter tells nothing");
        }
        if self.context_within > WIDEST_CONTEXT {
            wrong(format!("context_within is over {WIDEST_CONTEXT}"), "words that far away say little");
        }
        let in_context = self.confidence_in_context.unwrap_or(self.confidence);
        for (key, value) in [("confidence", Some(self.confidence)), ("confidence_in_context", self.confidence_in_context)] {
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                wrong(format!("{key} is not between 0 and 1"), "");
            }
        }
        for (what, texts) in [("examples", &self.examples), ("counterexamples", &self.counterexamples)] {
            if texts.len() < 3 {
                wrong(format!("{} {what}", texts.len()), "give at least 3");
            }
        }
        if problems.len() > before {
            return None;
        }
        let (label, hir) = (label?, hir?);
        Some(Rule {
            id: self.id.into(),
            form: Form::of(&label, &hir, &self.keywords),
            label,
            name: self.name,
            severity: self.severity,
            evidence: self.evidence,
            confidence: Confidence::new(self.confidence),
            confidence_in_context: Confidence::new(in_context),
            context: self.context.iter().map(|word| word.trim().to_lowercase()).collect(),
            context_within: self.context_within,
            without_context: if self.context_required { WithoutContext::Drop } else { WithoutContext::Keep },
            traffic: if self.session { Traffic::Session } else { Traffic::Foreign },
            keywords: self.keywords.iter().map(|word| word.to_ascii_lowercase()).collect(),
            test_values: self.test_values.iter().map(|value| squeezed(value).collect()).collect(),
            examples: self.examples,
            counterexamples: self.counterexamples,
            source: self.source,
            file: file.clone(),
            line,
            checks,
            check_names: self.check,
            hir,
        })
    }
}

impl Rule {
    /// Whether `value` is one of the published samples.
    pub(super) fn is_sample(&self, value: &str) -> bool {
        self.test_values.iter().any(|sample| squeezed(value).eq(sample.chars()))
    }
}

/// Letters and digits of `text`, in ASCII lower case: how sample values are compared.
pub(super) fn squeezed(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|char| char.is_alphanumeric()).map(|char| char.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[rule]]
id = "badge"
label = "company.badge"
name = { en = "badge number", zh = "工牌号" }
pattern = '\bB-\d{6}\b'
confidence = 0.7
evidence = "structure"
severity = "low"
examples = ["B-100200", "B-100201", "B-100202"]
counterexamples = ["B-1002", "B 100200", "b-100200"]
source = "the gate"
"#;

    fn causes(text: &str) -> Vec<String> {
        parse(&[RuleFile { name: "own.toml", text }]).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_rule_parses() {
        let rules = parse(&[RuleFile { name: "own.toml", text: GOOD }]).expect("rules");
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].line, 2);
    }

    #[test]
    fn every_mistake_is_listed_with_its_line() {
        let text = GOOD.replace("severity = \"low\"", "severity = \"lwo\"")
            + &GOOD.replace("'\\bB-", "'(\\bB-").replace("0.7", "7.0").replace("company.badge", "Company")
            + &GOOD.replace("source", "sorce");
        let causes = causes(&text);
        assert_eq!(causes.len(), 5, "{causes:#?}");
        assert!(causes[0].starts_with("own.toml:9: rule: unknown variant `lwo`"), "{causes:#?}");
        assert!(causes[1].starts_with("own.toml:14: badge: a label is"), "{causes:#?}");
        assert!(causes[2].contains("the pattern does not parse"), "{causes:#?}");
        assert!(causes[3].contains("confidence is not between"), "{causes:#?}");
        assert!(causes[4].contains("unknown field `sorce`"), "{causes:#?}");
    }

    #[test]
    fn an_id_is_taken_once() {
        let causes = causes(&(GOOD.to_owned() + GOOD));
        assert_eq!(causes, ["own.toml:14: badge: the id is taken at own.toml:2; give it another"]);
    }

    #[test]
    fn misspelt_tables_are_named() {
        assert!(causes("[[rules]]\nid = 1\n")[0].starts_with("own.toml:1: rules: unknown key"));
        assert!(causes("[[rule]\n")[0].starts_with("own.toml:1: TOML:"));
    }
}
