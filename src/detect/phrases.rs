//! A list of words looked for all at once: a candidate is asked for dozens of them.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};

/// Words, ASCII in any case.
pub(super) struct Phrases(AhoCorasick);

impl Phrases {
    /// The words of a list, separated by white space.
    pub(super) fn new(list: &str) -> Self {
        #[expect(clippy::expect_used, reason = "the lists are ours and short; a test builds them all")]
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Both)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(list.split_ascii_whitespace())
            .expect("a short list of words");
        Self(automaton)
    }

    /// Whether one of the words stands anywhere in `text`.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Length of the longest word that `bytes` begin with; 0 for none.
    pub(super) fn longest_at_start(&self, bytes: &[u8]) -> usize {
        self.0.find(Input::new(bytes).anchored(Anchored::Yes)).map_or(0, |found| found.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_the_longest_counts() {
        let phrases = Phrases::new("change change_me <your");
        assert!(phrases.stand_in("please CHANGE it") && phrases.stand_in("<Your key>") && !phrases.stand_in("chang <you"));
        assert_eq!(phrases.longest_at_start(b"Change_me!"), 9);
        assert_eq!(phrases.longest_at_start(b"change_m"), 6);
        assert_eq!(phrases.longest_at_start(b"exchange"), 0);
    }
}
