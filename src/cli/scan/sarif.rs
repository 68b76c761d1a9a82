//! SARIF 2.1.0 (OASIS Standard, 27 March 2020): findings for code-scanning dashboards.

use super::examine::{Hit, Source};
use exeat::{
    detect::{Detectors, Rule, Severity},
    words::Language,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Results collected for one run.
pub(super) struct Sarif<'a> {
    detectors: &'a Detectors,
    language: Language,
    results: Vec<Value>,
    /// Index of each rule used, in order of first use.
    used: BTreeMap<Arc<str>, usize>,
    rules: Vec<Value>,
}

impl<'a> Sarif<'a> {
    pub(super) fn new(detectors: &'a Detectors, language: Language) -> Self {
        Self { detectors, language, results: Vec::new(), used: BTreeMap::new(), rules: Vec::new() }
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, source: &Source, hit: &Hit) {
        let rule = self.detectors.rules().find(|rule| rule.id == hit.detector);
        let name = rule.map_or(hit.label.as_str(), |rule| rule.name.say(self.language));
        let index = *self.used.entry(Arc::clone(&hit.detector)).or_insert_with(|| {
            self.rules.push(describe(&hit.detector, rule));
            self.rules.len() - 1
        });
        let mut properties = json!({ "label": hit.label.as_str(), "confidence": hit.confidence, "action": hit.action });
        if let (Some(commit), Some(properties)) = (&source.commit, properties.as_object_mut()) {
            properties.insert("commit".to_owned(), json!(commit));
        }
        self.results.push(json!({
            "ruleId": &*hit.detector,
            "ruleIndex": index,
            "level": level(rule),
            "message": { "text": format!("{name}: {}", hit.excerpt) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": uri(&source.path) },
                "region": {
                    "startLine": hit.at.start.0, "startColumn": hit.at.start.1, "endLine": hit.at.end.0, "endColumn": hit.at.end.1,
                    "byteOffset": hit.at.bytes.start, "byteLength": hit.at.bytes.len(),
                },
            } }],
            "partialFingerprints": { "exeatValue/v1": hit.digest },
            "properties": properties,
        }));
    }

    /// The whole log.
    pub(super) fn log(&self) -> Value {
        json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "exeat", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": self.rules } },
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        })
    }
}

fn describe(id: &str, rule: Option<&Rule>) -> Value {
    let text = |language| rule.map_or(id, |rule| rule.name.say(language));
    json!({
        "id": id,
        "shortDescription": { "text": text(Language::English) },
        "fullDescription": { "text": format!("{} / {}", text(Language::English), text(Language::Chinese)) },
        "defaultConfiguration": { "level": level(rule) },
        "properties": { "tags": ["security", "privacy"] },
    })
}

fn level(rule: Option<&Rule>) -> &'static str {
    match rule.map(|rule| rule.severity) {
        Some(Severity::Critical | Severity::High) => "error",
        Some(Severity::Medium) | None => "warning",
        Some(Severity::Low) => "note",
    }
}

/// A path as a relative or absolute URI reference (RFC 3986): other bytes than unreserved ones and `/` are escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("src/a b#1.py"), "src/a%20b%231.py");
        assert_eq!(uri("/数据"), "file:///%E6%95%B0%E6%8D%AE");
    }
}
