//! A JSON body, well formed or not: what is found in it can be cut out, and what was JSON stays JSON.

#![no_main]

use exeat_fuzz::{Input, cut};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input<'_>| {
    let is_json = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).is_ok();
    cut("application/json", input, |body, changed| assert!(!is_json(body) || is_json(changed)));
});
