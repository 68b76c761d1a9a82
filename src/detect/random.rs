//! Was this made by a machine? The judge of values in assignments like `token = "..."`.

use super::check::Check;

pub(super) const TABLE: &[(&str, Check)] = &[("random", random)];

/// Whether `text` looks drawn at random rather than written.
fn random(text: &str) -> bool {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let len = text.len() as f32;
    let entropy: f32 = counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / len).map(|p| -p * p.log2()).sum();
    text.len() >= 8 && entropy >= 3.0 && text.bytes().any(|byte| byte.is_ascii_digit())
}
