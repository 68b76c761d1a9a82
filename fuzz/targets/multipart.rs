//! A multipart body, well formed or not: it is read within its budget, and what is found in it can be cut out.

#![no_main]

use exeat_fuzz::{Input, cut};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input<'_>| {
    // Base64 and quoted-printable make a part longer, at most threefold.
    cut("multipart/form-data; boundary=b", input, |body, changed| assert!(changed.len() <= 3 * body.len() + 256));
});
