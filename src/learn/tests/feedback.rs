//! What reviewers called false: left out of the next pack, taken back again, and weighed against what the pack loses by it.

use super::{heads::*, *};
use crate::{finding::Label, knowledge::Trace};

/// A reviewer calls `text` false that the pack found as `label`.
fn called_false(detectors: &Detectors, label: &str, text: &str) -> FalseFind {
    let knowledge = detectors.knowledge().expect("knowledge");
    let trace = Trace::of(knowledge, &Label::parse(label).expect("a label"), &detect::as_read(text));
    assert!(trace.is_some(), "{label} leaves a trace");
    FalseFind { label: label.to_owned(), trace }
}

fn with_reviews(reviews: Vec<FalseFind>) -> Lesson {
    Lesson { reviews: Some(reviews), ..Lesson::default() }
}

/// The trials of an update beside the pack before.
fn trials(company: &Company, earlier: &Learnt, update: &Learnt, model: Option<&crate::detect::model::Model>) -> Vec<Trial> {
    let tried = |of: &Learnt| evaluate(&company.detectors(&of.sections), &[], &update.rows, &update.held_out);
    compare(model, &earlier.sections, update, [&tried(earlier), &tried(update)]).expect("sound packs")
}

#[test]
fn a_value_called_false_is_none_in_the_next_pack_and_one_again_once_that_is_taken_back() {
    let company = Company::new();
    let lesson = Lesson {
        exact: vec![company.write("customers.csv", CUSTOMERS)],
        dictionaries: vec![company.write("names.txt", "Project Bluebird\nNightjar\n")],
        ..company.lesson()
    };
    let first = company.learn(&lesson);
    let before = company.detectors(&first.sections);
    let reviews = || {
        let of = |text: &str| called_false(&before, "company.exact.acme", text);
        vec![of("Jane  Doe"), of("137-1111-2222"), of("Nightjar")]
    };
    let elsewhere = FalseFind { label: "company.exact.other".to_owned(), ..reviews().remove(0) };
    let untraced = FalseFind { trace: None, ..reviews().remove(0) };
    let second = company.go_on(&with_reviews(reviews().into_iter().chain([elsewhere, untraced]).collect()), Some(&first.sections));
    assert_eq!(second.reviews, Some(Reviews { values: 3, passages: 0, texts: 0, untraced: 1 }));
    let texts = |sections: &[Section], text: &str| {
        found(&company.detectors(sections), text).into_iter().map(|(_, text)| text.to_owned()).collect::<Vec<_>>()
    };
    for (text, was, is) in [
        ("ring 13711112222", vec!["13711112222"], vec![]),
        ("the nightjar flies", vec!["nightjar"], vec![]),
        ("project bluebird flies", vec!["project bluebird"], vec!["project bluebird"]),
        // The row is still known by its name, which is no finding by itself any more.
        ("Doe, Jane: 5 Elm Street, Springfield", vec!["Doe, Jane", "5 Elm Street, Springfield"], vec!["5 Elm Street, Springfield"]),
    ] {
        assert_eq!(texts(&first.sections, text), was);
        assert_eq!(texts(&second.sections, text), is);
    }
    // An update that knows of no reviews leaves them as they were; one that knows of none any more takes them back.
    let third = company.go_on(&Lesson { dictionaries: lesson.dictionaries.clone(), ..Lesson::default() }, Some(&second.sections));
    assert!(third.reviews.is_none() && texts(&third.sections, "the nightjar flies").is_empty());
    let fourth = company.go_on(&with_reviews(Vec::new()), Some(&third.sections));
    assert_eq!(texts(&fourth.sections, "the nightjar flies"), ["nightjar"]);
}

#[test]
fn a_passage_called_false_is_nobody_s_and_the_rest_of_the_document_stays() {
    let company = Company::new();
    let (start, shared, end) = (prose(1, 4000), prose(2, 70), prose(3, 4000));
    company.write("docs/a.txt", format!("{start} {shared} {end}"));
    let first = company.learn(&Lesson { documents: vec![company.folder.path().join("docs")], ..company.lesson() });
    let before = company.detectors(&first.sections);
    let raised: Vec<_> = found(&before, &shared).into_iter().map(|(_, text)| text.to_owned()).collect();
    assert!(!raised.is_empty());
    let reviews = raised.iter().map(|text| called_false(&before, "company.document.acme", text)).collect();
    let second = company.go_on(&with_reviews(reviews), Some(&first.sections));
    let after = company.detectors(&second.sections);
    let edited = shared.replacen("margin", "profit", 3);
    for text in [&shared, &shared.to_uppercase(), &edited] {
        assert!(!found(&before, text).is_empty() && found(&after, text).is_empty(), "{text}");
    }
    for own in [&start, &end] {
        assert!(!found(&after, own).is_empty());
    }
    let trials = trials(&company, &first, &second, None);
    let [Trial { texts: Tried::Stretches, earlier, new }] = trials.as_slice() else { panic!("{trials:?}") };
    assert!(new.hits < earlier.hits && !trials[0].is_worse(), "a slip of 70 words in 8,070 is no point: {trials:?}");
}

#[test]
fn whoever_calls_a_document_false_as_a_whole_makes_a_worse_pack() {
    let company = Company::new();
    let (secret, rest) = (prose(1, 300), prose(2, 3000));
    company.write("docs/a.txt", &secret);
    company.write("docs/b.txt", &rest);
    let first = company.learn(&Lesson { documents: vec![company.folder.path().join("docs")], ..company.lesson() });
    let before = company.detectors(&first.sections);
    let second = company.go_on(&with_reviews(vec![called_false(&before, "company.document.acme", &secret)]), Some(&first.sections));
    assert!(found(&company.detectors(&second.sections), &secret).is_empty());
    let trials = trials(&company, &first, &second, None);
    assert!(trials.iter().any(|trial| trial.texts == Tried::Stretches && trial.is_worse()), "{trials:?}");
}

#[test]
fn a_text_called_false_is_not_raised_again_and_the_head_learns_from_its_words() {
    let Lessons { company, first } = &*TAUGHT;
    let kept = [Section { kind: Kind::Examples, bytes: first.examples.as_ref().expect("examples").bytes.clone() }];
    let earlier = || Earlier { pack: &first.sections, examples: &kept };
    let before = company.detectors(&first.sections);
    let raised = |detectors: &Detectors, text: &str| {
        let found = read(detectors, text, 1 << 20).findings.into_iter().filter(|found| found.label.is_under("company.classifier"));
        found.map(|found| found.span.slice(text).to_owned()).collect::<Vec<_>>()
    };
    let text = page(true, 500);
    let passages = raised(&before, &text);
    assert_eq!(passages.len(), 1);
    let reviews = passages.iter().map(|text| called_false(&before, "company.classifier.acme", text)).collect();
    let second = lesson(company, &with_reviews(reviews), Some(earlier())).expect("learnt");
    assert_eq!(second.reviews, Some(Reviews { texts: 1, ..Reviews::default() }));
    let after = company.detectors(&second.sections);
    for same in [text.clone(), text.to_lowercase(), text.replace(". ", ".  ")] {
        assert!(raised(&after, &same).is_empty(), "{same}");
    }
    // What is left of it in other words is less the company's than it was; the margins are of the heads, beside the threshold of each.
    let margin = |learnt: &Learnt, text: &str| {
        let passage = examples::passage(&MODEL, &RULES, &company.key.digester(), text).expect("a passage");
        let head = head(learnt).expect("a head");
        head::score(&head, &passage) - head.threshold
    };
    let near = text.replacen("broke", "cracked", 2);
    let fell = margin(first, &near) - margin(&second, &near);
    let others: Vec<f32> = (600..606).map(|seed| page(true, seed)).map(|page| margin(first, &page) - margin(&second, &page)).collect();
    let mean = others.iter().sum::<f32>() / others.len() as f32;
    assert!(fell > 0.0 && fell > mean, "{fell} of what was called false, {others:?} of other pages");

    // Both heads are tried on what neither saw.
    let trials = trials(company, first, &second, Some(&MODEL));
    let of = |texts: Tried| trials.iter().find(|trial| trial.texts == texts).map(|trial| (trial.earlier.of, trial.new.of));
    let held = first.head.expect("a head");
    assert_eq!(of(Tried::OwnPassages), Some((held.found.of, held.found.of)), "{trials:?}");
    assert_eq!(of(Tried::OtherPassages), Some((held.alarms().of, held.alarms().of)), "{trials:?}");
    // The trace is in the pack for the next lesson, and tells no word.
    let third = lesson(company, &Lesson { documents: vec![company.write("more/1.txt", page(true, 30))], ..Lesson::default() }, {
        let examples = std::slice::from_ref(second.examples.as_ref().expect("examples"));
        Some(Earlier { pack: &second.sections, examples })
    });
    assert!(raised(&company.detectors(&third.expect("learnt").sections), &text).is_empty());
    assert!(second.sections.iter().all(|section| memchr::memmem::find(&section.bytes, b"impeller").is_none()));
    a_head_that_is_told_that_the_company_s_matters_are_public_is_worse(company, first, earlier());
}

fn a_head_that_is_told_that_the_company_s_matters_are_public_is_worse(company: &Company, first: &Learnt, earlier: Earlier<'_>) {
    for seed in 700..724 {
        // As the company's own pages are, down to their last sentence.
        company.write(&format!("leaked/{seed}.txt"), format!("{}The password of page {seed} is canary{seed}word.", page(true, seed)));
    }
    let public = Lesson { public: vec![company.folder.path().join("leaked")], ..Lesson::default() };
    let update = lesson(company, &public, Some(earlier)).expect("learnt");
    let trials = trials(company, first, &update, Some(&MODEL));
    assert!(trials.iter().any(|trial| trial.texts == Tried::OwnPassages && trial.is_worse()), "{trials:?}");
}
