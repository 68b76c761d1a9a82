//! Passages: runs of words that are looked up, and which of a document's passages are kept (winnowing; Schleimer, Wilkerson and Aiken 2003).
//!
//! Of a document only some passages are kept: in every window of neighbouring passages the one with the least digest. Of a text that passes,
//! all are looked up. So every run of words that is longer than a passage and a window together has a passage that is kept, and a passage
//! survives whatever is changed outside of it.

use super::{
    digest::{Digest, Digester},
    words::Word,
};

/// As what a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// As words.
    Text,
    /// As code whose names do not count.
    Code,
}

/// How long passages are and how densely they are kept, both in [weight](Word::weight).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheme {
    pub(crate) channel: Channel,
    /// Least weight of a passage.
    pub(crate) passage: u32,
    /// Weight of a window of which one passage is kept.
    pub(crate) window: u32,
    /// Weight that passages of one document must cover in a text to be a match: so much in a row is no accident.
    pub(crate) least: u32,
    /// How many of them it takes at least.
    pub(crate) count: u32,
}

/// Text: three words or six characters; of four words' passages one is kept.
pub(crate) const TEXT: Scheme = Scheme { channel: Channel::Text, passage: 6, window: 8, least: 12, count: 3 };
/// Code: twenty tokens, which all weigh one.
pub(crate) const CODE: Scheme = Scheme { channel: Channel::Code, passage: 20, window: 12, least: 40, count: 2 };

/// Most words of a passage of any scheme.
const MOST_WORDS: usize = 32;

/// A run of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) digest: Digest,
    /// Index of its first word.
    pub(crate) first: usize,
    /// Index of its last word.
    pub(crate) last: usize,
    /// Weight of all words before its last.
    pub(crate) at: u32,
}

/// Calls `each` with every passage of `words`, in order.
#[inline(always)]
pub(crate) fn each(digester: &Digester, scheme: Scheme, words: &[Word], mut each: impl FnMut(Passage)) {
    let mut powers = [1_u64; MOST_WORDS];
    for index in 1..MOST_WORDS {
        let last = powers.get(index - 1).copied().unwrap_or_default();
        powers.iter_mut().skip(index).take(1).for_each(|power| *power = last.wrapping_mul(digester.base()));
    }
    let (mut sum, mut weight, mut at, mut first) = (0_u64, 0, 0, 0);
    for (last, word) in words.iter().enumerate() {
        sum = sum.wrapping_mul(digester.base()).wrapping_add(word.digest);
        weight += word.weight();
        // The shortest run up to here that weighs enough.
        while let Some(oldest) = words.get(first).filter(|oldest| weight - oldest.weight() >= scheme.passage) {
            sum = sum.wrapping_sub(oldest.digest.wrapping_mul(powers.get(last - first).copied().unwrap_or_default()));
            weight -= oldest.weight();
            first += 1;
        }
        if weight >= scheme.passage {
            each(Passage { digest: digester.passage(sum), first, last, at });
        }
        at += word.weight();
    }
}

/// The passages of `words` that are kept, of those that `may_be_kept`.
pub(crate) fn winnow(digester: &Digester, scheme: Scheme, words: &[Word], may_be_kept: impl Fn(Digest) -> bool) -> Vec<Passage> {
    let mut all = Vec::with_capacity(words.len());
    each(digester, scheme, words, |passage| all.extend(may_be_kept(passage.digest).then_some(passage)));
    let mut kept: Vec<Passage> = Vec::new();
    let mut first = 0;
    for last in 0..all.len() {
        let Some(end) = all.get(last).map(|passage| passage.at) else { break };
        while all.get(first).is_some_and(|passage| end - passage.at >= scheme.window) {
            first += 1;
        }
        // A window that is not full yet counts only where the text ends in it.
        let full = all.first().is_some_and(|passage| end - passage.at + 2 >= scheme.window) || last + 1 == all.len();
        let window = all.get(first..=last).unwrap_or_default();
        let least = window.iter().min_by_key(|passage| (passage.digest, std::cmp::Reverse(passage.at)));
        if let Some(least) = least.filter(|least| full && kept.last() != Some(least)) {
            kept.push(*least);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::words;
    use proptest::prelude::*;

    fn read(text: &str) -> (Digester, Vec<Word>) {
        let digester = Digester::new(&[3; 32]);
        let mut words = Vec::new();
        words::read(&digester, text, &mut words);
        (digester, words)
    }

    fn passages(text: &str) -> Vec<Passage> {
        let (digester, words) = read(text);
        let mut all = Vec::new();
        each(&digester, TEXT, &words, |passage| all.push(passage));
        all
    }

    #[test]
    fn a_passage_is_three_words_or_six_characters() {
        let lengths = |text: &str| passages(text).iter().map(|p| p.last - p.first + 1).collect::<Vec<_>>();
        assert_eq!(lengths("one two three four five"), [3, 3, 3]);
        assert_eq!(lengths("一二三四五六七八"), [6, 6, 6]);
        assert_eq!(lengths("一二三 four five 六七"), [4, 4, 4], "1 + 1 + 2 + 2, 1 + 2 + 2 + 1, 2 + 2 + 1 + 1");
        assert!(passages("one two").is_empty());
    }

    #[test]
    fn a_passage_has_the_same_digest_wherever_it_stands() {
        let one = passages("the quick brown fox jumps over the lazy dog");
        let other = passages("so they said: the quick brown fox jumps over a lazy dog");
        assert!(one[..4].iter().all(|passage| other.iter().any(|other| other.digest == passage.digest)));
        assert_eq!(one.iter().filter(|passage| other.iter().any(|other| other.digest == passage.digest)).count(), 4);
    }

    proptest! {
        /// The guarantee: wherever a run of 50 words or 100 characters is cut out of a document, some of its passages are kept ones; enough for a match.
        #[test]
        fn every_long_run_has_kept_passages(seed in 0_u64..1 << 40, from in 0_usize..400, chinese: bool) {
            let mut state = seed;
            let mut next = |bound: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % bound
            };
            // Few different words, so that passages repeat.
            let text: String = (0..500).map(|_| match chinese {
                true => char::from_u32(0x4E00 + next(40) as u32).map(String::from).unwrap_or_default(),
                false => format!("w{} ", next(40)),
            }).collect();
            let (digester, words) = read(&text);
            let kept = winnow(&digester, TEXT, &words, |_| true);
            let run = if chinese { 100 } else { 50 };
            let end = from + run;
            let inside = kept.iter().filter(|passage| passage.first >= from && passage.last < end).count();
            prop_assert!(inside >= 7 || end > words.len(), "{inside}");
        }
    }

    #[test]
    fn keeping_is_sparse() {
        let text: String = (0..10_000).map(|n| format!("w{} ", n * 7919 % 5003)).collect();
        let (digester, words) = read(&text);
        let density = winnow(&digester, TEXT, &words, |_| true).len() as f64 / words.len() as f64;
        assert!((0.3..0.48).contains(&density), "{density}");
    }
}
