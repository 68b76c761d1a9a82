//! How well a pack does: excerpts of what was learnt, as they are and changed, and texts that must raise no alarm.

use super::{
    Progress, Sample,
    examples::{Examples, Passage, Side},
    head,
};
use crate::{
    detect::{Detectors, model::Model},
    knowledge::{Pack, code, head::Head},
};
use std::collections::HashMap;

/// What a pack found of what it should find, and what it should not.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Excerpts of 300 characters, as they are.
    pub verbatim: Share,
    /// With a tenth of the words replaced.
    pub tenth: Share,
    /// With three tenths of the words replaced.
    pub three_tenths: Share,
    /// With line ends where there were none, as PDF readers copy them.
    pub broken_lines: Share,
    /// Rows of tables, written as sentences.
    pub rows: Share,
    /// Texts that everybody may know.
    pub alarms: Alarms,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that were found.
    pub hits: u64,
    /// All.
    pub of: u64,
}

/// How well a head tells new text about the company's matters from public text: its own threshold, and what others would come to.
#[derive(Clone, Debug)]
pub struct HeadEvaluation {
    /// The pack.
    pub name: String,
    /// New passages over the threshold.
    pub found: Share,
    /// Those of code with half of their names changed.
    pub renamed: Share,
    /// Public passages over the threshold.
    pub alarms: Share,
    /// For a share of public passages, what part of the new ones scores over all but so many: as they are, and renamed.
    pub at: Vec<(f64, Share, Share)>,
}

/// Tries the heads of the packs that detectors know: on new texts of the company's and on public ones.
pub fn evaluate_heads(
    detectors: &Detectors,
    model: &Model,
    new: &[Sample],
    public: &[Sample],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Vec<HeadEvaluation> {
    let Some(knowledge) = detectors.knowledge().filter(|knowledge| knowledge.heads_for(model.id()).next().is_some()) else {
        return Vec::new();
    };
    let mut read = |texts: &mut dyn Iterator<Item = String>| {
        let mut examples = Examples::new(model);
        (0..).zip(texts).for_each(|(number, text)| examples.add(Side::Own, number, 0, 0, &text));
        examples.read(model, detectors, &knowledge.digester, progress);
        examples.documents(Side::Own).flat_map(|(_, example)| example.passages.clone()).collect::<Vec<Passage>>()
    };
    let mut random = Random(0x5EED);
    let own = read(&mut new.iter().map(|sample| sample.text.clone()));
    let renamed = read(&mut new.iter().filter(|sample| code::is_likely(&sample.text)).map(|sample| renamed(&sample.text, &mut random)));
    let public = read(&mut public.iter().map(|sample| sample.text.clone()));
    let over = |scores: &[f32], threshold: f32| {
        scores.iter().fold(Share::default(), |mut share, score| {
            share.count(*score >= threshold);
            share
        })
    };
    let evaluate = |(pack, head): (&Pack, &Head)| {
        let scores = |passages: &[Passage]| passages.iter().map(|passage| head::score(head, passage)).collect::<Vec<f32>>();
        let (own, renamed, mut public) = (scores(&own), scores(&renamed), scores(&public));
        let threshold = head.threshold;
        let (found, of_renamed, alarms) = (over(&own, threshold), over(&renamed, threshold), over(&public, threshold));
        public.sort_by(|a, b| b.total_cmp(a));
        let at = [0.001, 0.01].into_iter().filter_map(|rate| {
            let strictest = public.get((public.len() as f64 * rate) as usize)?.next_up();
            Some((rate, over(&own, strictest), over(&renamed, strictest)))
        });
        HeadEvaluation { name: pack.name().to_owned(), found, renamed: of_renamed, alarms, at: at.collect() }
    };
    knowledge.heads_for(model.id()).map(evaluate).collect()
}

/// Code with half of its names changed, each throughout.
fn renamed(text: &str, random: &mut Random) -> String {
    let mut names: HashMap<&str, Option<String>> = HashMap::new();
    let mut out = String::with_capacity(text.len());
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = if is_name(first) { rest.find(|char| !is_name(char)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, behind) = rest.split_at_checked(len).unwrap_or((rest, ""));
        rest = behind;
        if !(first.is_ascii_alphabetic() || first == '_') || code::is_keyword(word) {
            out.push_str(word);
            continue;
        }
        let changed = names.entry(word).or_insert_with(|| (random.next() < 0.5).then(|| format!("v{}", (random.next() * 1e6) as u32)));
        out.push_str(changed.as_deref().unwrap_or(word));
    }
    out
}

/// Alarms on public texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Excerpts of 300 characters in which something was found.
    pub excerpts: Share,
    /// Whole texts.
    pub texts: Share,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.of += 1;
    }

    /// The share, and its 95 % Wilson interval: `[share, low, high]`; `None` of nothing.
    pub fn interval(self) -> Option<[f64; 3]> {
        if self.of == 0 {
            return None;
        }
        const Z: f64 = 1.959_963_985;
        let (n, p) = (self.of as f64, self.hits as f64 / self.of as f64);
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        Some([p, (centre - half).max(0.0), (centre + half).min(1.0)])
    }
}

/// Characters of an excerpt.
const EXCERPT: usize = 300;
/// Excerpts of one text.
const EXCERPTS: usize = 3;

/// Tries detectors that know a pack: on `documents` and `rows` that are in it, and on `public` texts that are not.
pub fn evaluate(detectors: &Detectors, documents: &[Sample], rows: &[Vec<String>], public: &[Sample]) -> Evaluation {
    let mut evaluation = Evaluation::default();
    let finds = |text: &str, kind: &str| detectors.scan(text).findings.iter().any(|finding| finding.label.is_under(kind));
    let mut random = Random(0x5EED);
    for excerpt in documents.iter().flat_map(|sample| excerpts(&sample.text)) {
        evaluation.verbatim.count(finds(excerpt, "company.document"));
        evaluation.tenth.count(finds(&edited(excerpt, 0.1, &mut random), "company.document"));
        evaluation.three_tenths.count(finds(&edited(excerpt, 0.3, &mut random), "company.document"));
        evaluation.broken_lines.count(finds(&broken(excerpt), "company.document"));
    }
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).take(4).collect();
        evaluation.rows.count(finds(&format!("Please look into this 请处理: {}.", cells.join(", ")), "company.exact"));
    }
    for sample in public {
        evaluation.alarms.texts.count(finds(&sample.text, "company"));
        excerpts(&sample.text).into_iter().for_each(|excerpt| evaluation.alarms.excerpts.count(finds(excerpt, "company")));
    }
    evaluation
}

/// Excerpts from the beginning, the middle and the end of a text.
fn excerpts(text: &str) -> Vec<&str> {
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let characters = borders.len() - 1;
    let Some(room) = characters.checked_sub(EXCERPT) else { return Vec::new() };
    let count = EXCERPTS.min(1 + room / EXCERPT);
    let cut = |number: usize| {
        let from = room * number / count.max(2).saturating_sub(1);
        let (start, end) = (borders.get(from.min(room))?, borders.get(from.min(room) + EXCERPT)?);
        text.get(*start..*end)
    };
    let has_words = |excerpt: &&str| excerpt.chars().filter(|char| char.is_alphanumeric()).count() * 2 > EXCERPT;
    (0..count).filter_map(cut).filter(has_words).collect()
}

/// The text with a share of its words replaced by others; Chinese is changed two characters at a time, as its words are long.
fn edited(text: &str, share: f64, random: &mut Random) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_chinese = |char: char| ('\u{4E00}'..='\u{9FFF}').contains(&char);
        let len = match first {
            char if is_chinese(char) => rest.chars().take(2).take_while(|char| is_chinese(*char)).map(char::len_utf8).sum(),
            char if char.is_alphanumeric() => rest.find(|char: char| !char.is_alphanumeric() || is_chinese(char)).unwrap_or(rest.len()),
            char => char.len_utf8(),
        };
        let (word, behind) = rest.split_at_checked(len).unwrap_or((rest, ""));
        if !first.is_alphanumeric() || random.next() >= share {
            edited.push_str(word);
        } else if is_chinese(first) {
            edited.extend((0..word.chars().count()).filter_map(|_| char::from_u32(0x4E00 + (random.next() * 2000.0) as u32)));
        } else {
            edited.push_str(&format!("w{}", (random.next() * 1e6) as u32));
        }
        rest = behind;
    }
    edited
}

/// The text as it is copied out of a PDF: a line end every 60 characters or so, in the middle of words too.
fn broken(text: &str) -> String {
    let mut broken = String::with_capacity(text.len() + 16);
    let mut column = 0;
    for char in text.chars() {
        column += 1;
        match char {
            ' ' if column > 60 => {
                broken.push('\n');
                column = 0;
            }
            char => broken.push(char),
        }
        if column > 60 && ('\u{4E00}'..='\u{9FFF}').contains(&char) {
            broken.push('\n');
            column = 0;
        }
    }
    broken
}

/// The same numbers every time (splitmix64).
struct Random(u64);

impl Random {
    /// In `[0, 1)`.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_replace_about_so_many_words() {
        let text = "one two three four five six seven eight nine ten ".repeat(40);
        let edited = edited(&text, 0.3, &mut Random(1));
        let changed = text.split(' ').zip(edited.split(' ')).filter(|(a, b)| a != b).count();
        assert!((80..160).contains(&changed), "{changed}");
        assert_eq!(self::edited(&text, 0.0, &mut Random(1)), text);
    }

    #[test]
    fn half_of_the_names_change_each_throughout() {
        let code = "fn total(items: &[Item]) { items.iter().sum(); let total = items; }";
        let words = |text: &str| {
            text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let (before, after) = (words(code), words(&renamed(code, &mut Random(3))));
        let changed: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
        assert!(changed.contains(&true) && changed.contains(&false) && before.len() == after.len(), "{after:?}");
        assert_eq!((after[0].as_str(), after[1] == after[8], after[2] == after[9]), ("fn", true, true), "{after:?}");
    }

    #[test]
    fn excerpts_are_cut_at_characters() {
        assert!(excerpts("short").is_empty());
        assert_eq!(excerpts(&"字".repeat(300)), ["字".repeat(300)]);
        let long: String = "word ".repeat(1000);
        assert_eq!(excerpts(&long).len(), 3);
        assert!(excerpts(&long).iter().all(|excerpt| excerpt.chars().count() == 300));
    }

    #[test]
    fn intervals_are_wilson_s() {
        let [share, low, high] = Share { hits: 81, of: 263 }.interval().expect("some");
        assert!((share - 0.308).abs() < 1e-3 && (low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4);
    }
}
