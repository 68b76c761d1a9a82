//! Whatever the text: a scan ends, its findings lie apart and in order, and a second one finds the same.

#![no_main]

use exeat::detect::Detectors;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static RULES: LazyLock<Detectors> = LazyLock::new(|| Detectors::embedded().expect("the shipped rules"));

fuzz_target!(|text: &str| {
    let found = RULES.scan(text).findings;
    for pair in found.windows(2) {
        assert!(pair[0].span.end() <= pair[1].span.start());
    }
    for finding in &found {
        assert!(text.get(finding.span.range()).is_some_and(|value| !value.is_empty()));
    }
    assert_eq!(RULES.scan(text).findings, found);
});
