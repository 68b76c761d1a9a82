//! Heads: trained on documents, they find new text about the same matters, and give nothing away.

use super::*;
use crate::{
    content::Document,
    detect::{Detection, model::Model},
    knowledge::{head::Head, lexicon, wire::Reader},
};
use std::sync::LazyLock;

pub(super) static RULES: LazyLock<Detectors> = LazyLock::new(|| Detectors::embedded().expect("rules"));
pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| Model::embedded(2).expect("model"));

/// A page of invented prose: about pumps as the company builds them, or as everybody does.
pub(super) fn page(is_own: bool, seed: u64) -> String {
    let own = ["tidal impeller", "Halcyon seal", "ceramic volute", "Marrow test rig", "twin-lobe rotor", "cold-start curve"];
    let other = ["hand pump", "garden hose", "rubber valve", "water tank", "bicycle pump", "rain barrel"];
    let nouns = if is_own { own } else { other };
    let places = ["in the workshop", "before the trial", "at the river", "during the night shift", "behind the hall"];
    let verbs = ["was measured", "broke", "was replaced", "leaked a little", "ran without a fault", "was painted again"];
    let mut state = seed.wrapping_mul(2).wrapping_add(u64::from(is_own));
    let mut pick = |from: &[&'static str]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(state >> 33) as usize % from.len()]
    };
    (0..14).map(|_| format!("The {} {} {}. ", pick(&nouns), pick(&verbs), pick(&places))).collect()
}

pub(super) struct Lessons {
    pub(super) company: Company,
    pub(super) first: Learnt,
}

/// What this company learnt of two dozen pages, each with a word of its own in it, against as many public ones.
pub(super) static TAUGHT: LazyLock<Lessons> = LazyLock::new(|| {
    let company = with_pages();
    let first = lesson(&company, &lesson_of(&company), None).expect("learnt");
    Lessons { company, first }
});

fn with_pages() -> Company {
    // What falls on which part, and so what two dozen pages show, hangs on the key.
    let key = Key::parse(&"07".repeat(32)).expect("a key");
    let company = Company { key, ..Company::new() };
    for seed in 0..24 {
        company.write(&format!("docs/{seed}.txt"), format!("{}The password of page {seed} is canary{seed}word.", page(true, seed)));
        company.write(&format!("site/{seed}.txt"), page(false, seed));
    }
    company
}

fn lesson_of(company: &Company) -> Lesson {
    let root = company.folder.path();
    Lesson { documents: vec![root.join("docs")], public: vec![root.join("site")], ..company.lesson() }
}

pub(super) fn lesson(company: &Company, lesson: &Lesson, earlier: Option<Earlier<'_>>) -> Result<Learnt, LearnError> {
    let means = Means { key: &company.key, detectors: &RULES, model: Some(&MODEL) };
    learn(lesson, means, earlier, &mut |_| {})
}

pub(super) fn head(learnt: &Learnt) -> Option<Head> {
    let section = learnt.sections.iter().find(|section| section.kind == Kind::Head)?;
    Some(Head::read(&mut Reader(&section.bytes)).expect("a head"))
}

/// What the whole reading finds.
pub(super) fn read(detectors: &Detectors, text: &str, tokens: usize) -> Detection {
    let document = Document::plain(text);
    let mut budget = crate::budget::Budget::new(text.len(), None).with_tokens(tokens);
    let mut detection = detectors.run(&document, &budget);
    MODEL.read(&document, detectors.knowledge(), &mut detection, &mut budget);
    detection
}

#[test]
fn new_text_about_the_same_matters_is_found_and_nothing_else_is_and_the_pack_tells_no_word() {
    let Lessons { company, first } = &*TAUGHT;
    let report = first.head.expect("a head");
    assert_eq!((report.documents, report.public), (24, 24));
    assert!(report.features > 100 && report.found.of > 0 && report.ordinary_alarms.of > 10, "{report:?}");
    assert!(!report.shows_rate(), "a few dozen passages show no thousandth");
    let detectors = company.detectors(&first.sections);
    let flagged = |text: &str| {
        let found = read(&detectors, text, 1 << 20).findings;
        found.into_iter().filter(|finding| finding.label.as_str() == "company.classifier.acme").collect::<Vec<_>>()
    };
    let hits = (100..110).filter(|seed| !flagged(&page(true, *seed)).is_empty()).count();
    let alarms = (100..110).filter(|seed| !flagged(&page(false, *seed)).is_empty()).count();
    // Two dozen pages set a rough threshold.
    assert!(hits >= 8 && alarms <= 3, "{hits} {alarms}");

    let text = page(true, 200);
    let found = flagged(&text);
    assert!(found.len() == 1 && found[0].detector.starts_with("acme: new text about its matters, "), "{found:?}");
    let all = read(&detectors, &text, 1 << 20).findings;
    let mut budget = crate::budget::Budget::new(text.len(), None).with_tokens(1 << 20);
    let carried = MODEL.explain(&Document::plain(&text), detectors.knowledge(), &all, &found[0], &mut budget);
    let words: Vec<&str> = carried.iter().map(|carried| carried.span.slice(&text)).collect();
    let telling = ["tidal", "impeller", "Halcyon", "seal", "ceramic", "volute", "Marrow", "rig", "twin", "lobe", "rotor", "cold", "curve"];
    assert!(words.first().is_some_and(|word| telling.contains(word)), "{carried:?} {words:?}");

    let skipped = read(&detectors, &page(true, 300), 1);
    assert_eq!(skipped.gap, Some(crate::finding::Gap::ModelSkipped));
    // Training takes its time, so what can be tried on the same lesson is.
    a_pack_without_a_head_is_read_and_a_head_of_another_model_says_nothing(company, first);
    planted_words_cannot_be_guessed_from_a_pack_without_the_key(company, first);
}

#[test]
fn an_update_goes_on_with_the_examples_that_were_kept() {
    let Lessons { company, first } = &*TAUGHT;
    let kept = [Section { kind: Kind::Examples, bytes: first.examples.as_ref().expect("examples").bytes.clone() }];
    let more: Vec<PathBuf> = (24..27).map(|seed| company.write(&format!("more/{seed}.txt"), page(true, seed))).collect();
    let update = Lesson { documents: more, ..Lesson::default() };
    let mut read = Vec::new();
    let means = Means { key: &company.key, detectors: &RULES, model: Some(&MODEL) };
    let earlier = Earlier { pack: &first.sections, examples: &kept };
    let second = learn(&update, means, Some(earlier), &mut |progress| {
        if let Progress::Model(_, of) = progress {
            read.push(of);
        }
    })
    .expect("learnt");
    assert_eq!(second.head.expect("a head").documents, 27);
    assert!(!read.is_empty() && read.iter().all(|of| *of == 3), "only what is new is read: {read:?}");
    // Without them there is too little, and the earlier head stays.
    let lost = lesson(company, &update, Some(Earlier { pack: &first.sections, examples: &[] })).expect("learnt");
    assert_eq!(lost.head.err(), Some(NoHead::Few(3)));
    assert_eq!(head(&lost), head(first));
}

#[test]
fn a_head_takes_documents_and_public_ones() {
    let company = &with_pages();
    let root = company.folder.path();
    let few = Lesson { documents: vec![company.write("one/1.txt", page(true, 1))], ..lesson_of(company) };
    let learnt = lesson(company, &few, None).expect("learnt");
    assert_eq!(learnt.head.err(), Some(NoHead::Few(1)));
    assert!(head(&learnt).is_none() && learnt.examples.is_none());
    let alone = Lesson { documents: vec![root.join("docs")], ..company.lesson() };
    assert_eq!(lesson(company, &alone, None).expect("learnt").head.err(), Some(NoHead::NoPublic(0)));
    assert_eq!(company.learn(&alone).head.err(), Some(NoHead::NoModel));
}

fn a_pack_without_a_head_is_read_and_a_head_of_another_model_says_nothing(company: &Company, first: &Learnt) {
    let without: Vec<Section> =
        first.sections.iter().filter(|s| s.kind != Kind::Head).map(|s| Section { kind: s.kind, bytes: s.bytes.clone() }).collect();
    let text = page(true, 400);
    let flagged = |detectors: &Detectors| read(detectors, &text, 1 << 20).findings.iter().any(|f| f.label.is_under("company.classifier"));
    assert!(!flagged(&company.detectors(&without)));
    assert!(flagged(&company.detectors(&first.sections)));
    let mut stale = without;
    let section = first.sections.iter().find(|section| section.kind == Kind::Head).expect("a head");
    let mut bytes = section.bytes.clone();
    bytes[4] ^= 1; // the model's identifier
    stale.push(Section { kind: Kind::Head, bytes });
    let detectors = company.detectors(&stale);
    assert!(!flagged(&detectors));
    assert_eq!(detectors.knowledge().expect("knowledge").stale_heads(MODEL.id()).map(Pack::name).collect::<Vec<_>>(), ["acme"]);
}

fn planted_words_cannot_be_guessed_from_a_pack_without_the_key(company: &Company, first: &Learnt) {
    let head = head(first).expect("a head");
    let guesses = |digester: &crate::knowledge::Digester, words: &[String]| {
        let features = words.iter().flat_map(|word| lexicon::features(digester, word)).collect::<Vec<_>>();
        features.iter().filter(|feature| head.weight(**feature).is_some()).count()
    };
    let canaries: Vec<String> = (0..24).map(|seed| format!("canary{seed}word")).collect();
    let common: Vec<String> = page(true, 1).split_whitespace().map(str::to_owned).collect();
    // With the key, common words are there to be guessed, and no word of one document alone.
    assert!(guesses(&company.key.digester(), &common) > 50);
    assert_eq!(guesses(&company.key.digester(), &canaries), 0);
    // Without the key, neither: the dictionary holds every word that was learnt.
    let other = Key::parse(&"08".repeat(32)).expect("a key").digester();
    assert!(guesses(&other, &common) <= 1 && guesses(&other, &canaries) <= 1);
    // Nor does any section of the opened pack hold a word as it is.
    let words: Vec<String> = canaries.iter().chain(&common).map(|word| word.to_lowercase()).filter(|word| word.len() > 6).collect();
    let held =
        |bytes: &[u8]| first.sections.iter().chain(&first.examples).any(|section| memchr::memmem::find(&section.bytes, bytes).is_some());
    assert_eq!(words.iter().find(|word| held(word.as_bytes())), None);
    // Digests do stand there; under another key they are others, and four bytes are met by chance once in four gigabytes.
    let met = |digester: &crate::knowledge::Digester| {
        let digests: std::collections::BTreeSet<_> = words.iter().flat_map(|word| lexicon::features(digester, word)).collect();
        digests.iter().filter(|digest| held(&digest.to_le_bytes())).count()
    };
    assert!(met(&company.key.digester()) >= 10);
    assert!(met(&other) <= 2);
}
