//! Words near a match that tell what it is.

/// Whether one of `words` (lower case) stands as a whole token within `within` characters of `start..end`.
pub(super) fn near(text: &str, start: usize, end: usize, within: usize, words: &[String]) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let from = before.char_indices().rev().nth(within.saturating_sub(1)).map_or(0, |(at, _)| at);
    let to = after.char_indices().nth(within).map_or(after.len(), |(at, _)| at);
    let sides = [before.get(from..), after.get(..to)];
    sides.into_iter().flatten().any(|side| {
        let side = side.to_lowercase();
        words.iter().any(|word| has_token(&side, word))
    })
}

fn has_token(text: &str, word: &str) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.match_indices(word).any(|(at, found)| {
        let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let after = text.as_bytes().get(at + found.len());
        let starts = !letter(found.as_bytes().first()) || !letter(before);
        let ends = !letter(found.as_bytes().last()) || !letter(after);
        starts && ends
    })
}
