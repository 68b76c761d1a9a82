//! However the characters of a mail address are written, it is found, and the finding holds all that was written.

#![no_main]

use exeat::detect::Detectors;
use libfuzzer_sys::fuzz_target;
use std::{fmt::Write, sync::LazyLock};

static RULES: LazyLock<Detectors> = LazyLock::new(|| Detectors::embedded().expect("the shipped rules"));

const ADDRESS: &str = "ada.lovelace@analytical-engine.org";

fuzz_target!(|ways: [u8; ADDRESS.len()]| {
    let mut text = String::from("write to ");
    let start = text.len();
    for (char, way) in ADDRESS.chars().zip(ways) {
        let code = u32::from(char);
        match way % 5 {
            0 => text.push(char),
            1 => write!(text, "%{code:02X}").expect("a string takes all"),
            2 => write!(text, "&#{code};").expect("a string takes all"),
            3 => write!(text, "\\u{code:04x}").expect("a string takes all"),
            _ => text.extend(char::from_u32(code + 0xFEE0)),
        }
    }
    let end = text.len();
    text += " soon";
    let found = RULES.scan(&text).findings;
    assert!(found.iter().any(|finding| finding.span.range() == (start..end)), "{text}: {found:?}");
});
