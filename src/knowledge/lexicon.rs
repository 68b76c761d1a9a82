//! The words of a passage as features: keyed digests of words, of neighbours, and of the shape of code.
//!
//! Words tell what a text is about, pairs of Chinese characters are Chinese words as a rule, and how code is put together stays when all names
//! in it are changed.

use super::{
    code,
    digest::{Digest, Digester, fold},
    head::Feature,
    words::{self, Word},
};
use std::{collections::HashSet, ops::Range};

/// Features with how much of each is a word's own.
pub(crate) type Shares = Vec<(Feature, f32)>;

/// Code tokens that make a shape.
const SHAPE: usize = 5;

/// The distinct features of a passage, in order.
pub(crate) fn features(digester: &Digester, text: &str) -> Vec<Feature> {
    let mut words = Vec::new();
    words::read(digester, text, &mut words);
    let mut features: Vec<Feature> = words.iter().map(|word| feature(digester, Of::Word, word.digest)).collect();
    features.extend(words.windows(2).filter_map(|pair| pair_feature(digester, pair)));
    if code::is_likely(text) {
        code::read(digester, text, &mut words);
        features.extend(words.windows(SHAPE).map(|shape| feature(digester, Of::Code, phrase(digester, shape))));
    }
    features.sort_unstable();
    features.dedup();
    features
}

/// The different words of a passage, where each stands first, with the features that hang on it and how much of each is its own.
pub(crate) fn words(digester: &Digester, text: &str) -> Vec<(Range<usize>, Shares)> {
    let mut words = Vec::new();
    words::read(digester, text, &mut words);
    let mut seen = HashSet::new();
    let pair = |pair: Option<&[Word]>| pair.and_then(|pair| pair_feature(digester, pair)).map(|feature| (feature, 0.5));
    let all = words.iter().enumerate().filter(|(_, word)| seen.insert(word.digest));
    let features = |(at, word): (usize, &Word)| {
        let before = pair(at.checked_sub(1).and_then(|before| words.get(before..=at)));
        let own = (feature(digester, Of::Word, word.digest), 1.0);
        let features = [Some(own), before, pair(words.get(at..at + 2))].into_iter().flatten().collect();
        (word.start as usize..word.end as usize, features)
    };
    all.map(features).collect()
}

/// The feature of two neighbours.
fn pair_feature(digester: &Digester, pair: &[Word]) -> Option<Feature> {
    let [one, next] = pair else { return None };
    let of = if one.is_character() && next.is_character() { Of::Characters } else { Of::Words };
    Some(feature(digester, of, phrase(digester, &[*one, *next])))
}

/// What a feature is made of.
#[derive(Clone, Copy)]
enum Of {
    Word = 1,
    Words,
    Characters,
    Code,
}

fn phrase(digester: &Digester, words: &[Word]) -> Digest {
    words.iter().fold(digester.phrase(), |phrase, word| digester.join(phrase, word.digest))
}

fn feature(digester: &Digester, of: Of, digest: Digest) -> Feature {
    (fold(digest ^ of as u64, digester.base()) >> 32) as Feature
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Feature> {
        features(&Digester::new(&[9; 32]), text)
    }

    fn shared(one: &str, other: &str) -> f64 {
        let (one, other) = (of(one), of(other));
        one.iter().filter(|feature| other.binary_search(feature).is_ok()).count() as f64 / one.len() as f64
    }

    #[test]
    fn words_and_their_neighbours_are_features_once() {
        assert_eq!(of("the pump, the PUMP").len(), 2 + 2, "the, pump; the pump, pump the");
        assert_eq!(of("水泵").len(), 2 + 1);
        assert!(of("").is_empty());
        assert_eq!(of("水 pump").len(), 2 + 1);
    }

    #[test]
    fn they_hang_on_the_key() {
        let other = features(&Digester::new(&[8; 32]), "the impeller of the pump wears");
        assert!(of("the impeller of the pump wears").iter().all(|feature| !other.contains(feature)));
    }

    #[test]
    fn code_keeps_its_shape_when_all_names_change() {
        let code = "fn total(items: &[Item]) -> u64 { items.iter().map(|item| item.price * item.count).sum() }\n".repeat(3);
        let renamed = code.replace("total", "gross").replace("item", "part").replace("Item", "Part").replace("price", "cost");
        let prose = "We add up what each of the items costs, and how many of them there are. ".repeat(4);
        assert!(shared(&code, &renamed) > 0.6, "{}", shared(&code, &renamed));
        assert!(shared(&code, &prose) < 0.1);
    }
}
