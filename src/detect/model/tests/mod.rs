mod tiny;

use super::*;
use crate::{content, finding::Gap};
use proptest::prelude::*;
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};
use tiny::{Reference, Tiny};

static LOOKUP: LazyLock<Model> = LazyLock::new(|| Tiny::lookup().model().expect("a tiny model"));

fn read(text: &str) -> Detection {
    let mut detection = Detection::default();
    LOOKUP.read(&Document::plain(text), None, &mut detection, &mut Budget::new(usize::MAX, None));
    detection
}

fn found(text: &str) -> Vec<(String, String)> {
    read(text).findings.iter().map(|finding| (finding.label.to_string(), finding.span.slice(text).to_owned())).collect()
}

fn name(text: &str) -> (String, String) {
    ("personal.name".to_owned(), text.to_owned())
}

#[test]
fn the_network_computes_what_candles_bert_computes() {
    let tiny = Tiny::random(7);
    let file = File::open(tiny.file()).expect("a file");
    let network = Network::load(&file).expect("a network");
    let dense = tiny.tensors.keys().map(|name| {
        let tensor = file_tensor(&tiny, name);
        (name.clone(), tensor)
    });
    let reference = Reference::of(&dense.collect(), file.shape.vocabulary, 2, 2, 24);
    let windows: Vec<Vec<u32>> = vec![vec![0, 5, 9, 30, 31, 2], vec![0, 40, 2], (0..20).map(|at| at * 4 % 90).collect()];
    let views: Vec<&[u32]> = windows.iter().map(Vec::as_slice).collect();
    for (ids, logits) in windows.iter().zip(network.read(&views)) {
        let (tokens, sequence) = reference.logits(ids);
        let (mut ours, mut theirs) = (logits.tokens, tokens.concat());
        ours.extend(logits.sequence);
        theirs.extend(sequence);
        assert_eq!(ours.len(), theirs.len());
        let spread = theirs.iter().map(|logit| logit.abs()).fold(0.0, f32::max);
        let worst = ours.iter().zip(&theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        // Eight bits in every product; a transposed or forgotten matrix would be off by the whole spread.
        assert!(spread > 0.5 && worst < 0.06 * spread.max(1.0), "{worst} of {spread}");
    }
}

/// A tensor as the file stores it, which is rounded.
fn file_tensor(tiny: &Tiny, name: &str) -> candle_core::Tensor {
    use candle_core::{Device, quantized::gguf_file::Content};
    let bytes = tiny.file();
    let content = Content::read(&mut std::io::Cursor::new(&bytes)).expect("gguf");
    let tensor = content.tensor(&mut std::io::Cursor::new(&bytes), name, &Device::Cpu).expect("a tensor");
    tensor.dequantize(&Device::Cpu).expect("numbers")
}

#[test]
fn a_window_is_read_alike_alone_and_among_others() {
    let file = File::open(Tiny::random(3).file()).expect("a file");
    let network = Network::load(&file).expect("a network");
    let (long, short): (Vec<u32>, Vec<u32>) = ((0..20).collect(), vec![0, 9, 2]);
    let together = network.read(&[&long, &short, &long]);
    assert_eq!(together[1], network.read(&[&short])[0]);
    assert_eq!(together[0], together[2]);
}

#[test]
fn a_model_that_computes_something_else_is_refused() {
    let mut tiny = Tiny::lookup();
    tiny.off = 2.0;
    assert!(
        matches!(tiny.model().expect_err("refused"), ModelError::SelfTest(cause) if cause.starts_with("sample 1: logits of tokens differ by 2"))
    );
    tiny = Tiny::lookup();
    tiny.samples.clear();
    assert!(matches!(tiny.model().expect_err("refused"), ModelError::SelfTest(_)));
}

#[test]
fn damaged_and_foreign_files_are_refused_with_what_is_wrong() {
    let file = Tiny::lookup().file();
    let load = |weights: Bytes, tokenizer: &[u8]| Model::load(weights, tokenizer, 1).expect_err("refused");
    assert_eq!(load(Bytes::from_static(b"GGUF"), &tiny::tokenizer()), ModelError::Unreadable);
    assert!(matches!(load(file.slice(..file.len() - 4000), &tiny::tokenizer()), ModelError::Tensor(_)));
    assert_eq!(load(file, b"{}"), ModelError::Tokenizer);
    let mut tiny = Tiny::lookup();
    tiny.tensors.remove("token_head.bias");
    assert_eq!(
        Model::load(tiny_file_without(&tiny), &tiny::tokenizer(), 1).expect_err("refused"),
        ModelError::Tensor("token_head.bias".to_owned())
    );
}

/// The file of a model that lacks a tensor, with the self-test of one that does not.
fn tiny_file_without(tiny: &Tiny) -> Bytes {
    let whole = Tiny::lookup();
    let mut file = whole.file().to_vec();
    for name in whole.tensors.keys().filter(|name| !tiny.tensors.contains_key(*name)) {
        let at = file.windows(name.len()).position(|window| window == name.as_bytes()).expect("the name");
        file[at] = b'x';
    }
    file.into()
}

#[test]
fn names_are_found_where_they_stand() {
    assert_eq!(found("please call Ada Lovelace, and Grace"), [name("Ada Lovelace"), name("Grace")]);
    assert_eq!(found("请致电张伟。"), [name("张伟")]);
    assert_eq!(found("please call the river"), []);
    assert_eq!(found("please call \u{200b}Ada\u{200b} Lovelace"), [name("Ada\u{200b} Lovelace")]);
    assert_eq!(found("please call Ａｄａ Lovelace"), [name("Ａｄａ Lovelace")]);
}

#[test]
fn a_name_at_the_end_of_a_long_text_is_found() {
    let text = format!("{}please call Ada Lovelace", "the river is long. ".repeat(400));
    assert_eq!(found(&text), [name("Ada Lovelace")]);
    // Longer than the network has positions, without a place to cut.
    let text = format!("{}call Ada Lovelace", "the river is long and ".repeat(8));
    assert_eq!(found(&text), [name("Ada Lovelace")]);
}

#[test]
fn a_passage_holds_what_stands_in_it() {
    let text = "the contract shall please Ada, and the contract shall call the contract";
    assert_eq!(found(text), [("business.contract".to_owned(), text.to_owned()), name("Ada")]);
    assert_eq!(found("the river is long and the river is long, and please call the river"), []);
}

#[test]
fn what_rules_found_stays_and_reaches_as_far_as_the_model_sees_the_same() {
    let text = "please call Ada Lovelace";
    let span = Span::of(text, 12, 15).expect("span");
    let rule = |label: &str| Finding {
        segment: 0,
        span,
        label: Label::parse(label).expect("label"),
        detector: "rule".into(),
        evidence: Evidence::Context,
        confidence: Confidence::new(0.5),
    };
    for (label, value) in [("personal.phone", "Ada"), ("personal.name", "Ada Lovelace")] {
        let mut detection = Detection { findings: vec![rule(label)], ..Detection::default() };
        LOOKUP.read(&Document::plain(text), None, &mut detection, &mut Budget::new(usize::MAX, None));
        let kept: Vec<_> = detection.findings.iter().map(|finding| (finding.label.as_str(), finding.span.slice(text))).collect();
        assert!(kept.contains(&(label, value)), "{kept:?}");
    }
}

#[test]
fn text_that_was_read_is_known() {
    let model = Tiny::lookup().model().expect("a model");
    let turn = |text: &str| {
        let mut detection = Detection::default();
        model.read(&Document::plain(text), None, &mut detection, &mut Budget::new(usize::MAX, None));
        (model.readings().windows, detection.findings.len())
    };
    let chat = "please call Ada Lovelace and the river. ".repeat(60);
    let (read, names) = turn(&chat);
    assert!(names == 60 && read > 5);
    let (again, names_again) = turn(&format!("{chat}please call Grace."));
    assert_eq!(names_again, 61);
    assert!(again - read <= 4, "{}", again - read);
    assert!(model.readings().known >= 5, "{:?}", model.readings());
}

#[test]
fn a_stretch_is_known_as_a_whole_only_when_it_was_read_to_its_end_and_with_the_same_parts_masked() {
    let model = Tiny::lookup().model().expect("a model");
    let text = "please call Ada Lovelace and the river. ".repeat(60);
    let read = |tokens: usize, masked: Option<Range<usize>>| {
        let mask = |range: Range<usize>| Finding {
            segment: 0,
            span: Span::of(&text, range.start, range.end).expect("a span"),
            label: Label::parse("identifier").expect("a label"),
            detector: "rule".into(),
            evidence: Evidence::Structure,
            confidence: Confidence::new(0.9),
        };
        let mut detection = Detection { findings: masked.map(mask).into_iter().collect(), ..Detection::default() };
        model.read(&Document::plain(&text), None, &mut detection, &mut Budget::new(usize::MAX, None).with_tokens(tokens));
        let own = detection.findings.into_iter().filter(|finding| finding.evidence == Evidence::Model);
        (detection.gap, own.map(|finding| finding.span.range()).collect::<Vec<_>>())
    };
    let first = text.find("Ada").expect("a name");
    let (gap, some) = read(250, None);
    assert!(gap == Some(Gap::ModelSkipped) && (1..60).contains(&some.len()), "{gap:?} {some:?}");
    let (gap, all) = read(usize::MAX, None);
    assert_eq!((gap, all.len()), (None, 60));
    assert_eq!(read(0, None), (None, all.clone()));
    assert_eq!(read(usize::MAX, Some(first..first + "Ada Lovelace".len())), (None, all[1..].to_vec()));
}

#[test]
fn what_is_beyond_the_budget_or_the_deadline_is_a_gap() {
    let text = "please call Ada Lovelace and the river. ".repeat(60);
    let model = Tiny::lookup().model().expect("a model");
    let run = |mut budget: Budget| {
        let mut detection = Detection::default();
        model.read(&Document::plain(&text), None, &mut detection, &mut budget);
        (detection.gap, detection.findings.len())
    };
    let (gap, names) = run(Budget::new(usize::MAX, None).with_tokens(250));
    assert!(gap == Some(Gap::ModelSkipped) && names > 0 && names < 60, "{gap:?} {names}");
    let fresh = Tiny::lookup().model().expect("a model");
    let mut detection = Detection::default();
    fresh.read(&Document::plain(&text), None, &mut detection, &mut Budget::new(usize::MAX, Some(Instant::now())));
    assert_eq!((detection.gap, detection.findings.len()), (Some(Gap::ModelSkipped), 0));
    assert_eq!(fresh.readings().skipped, 1);
    assert_eq!(run(Budget::new(usize::MAX, Some(Instant::now() + Duration::from_secs(60)))), (None, 60));
}

#[test]
fn the_words_that_carried_a_passage_are_told() {
    let text = "the river is long and please call, the contract";
    let document = Document::plain(text);
    let mut detection = read(text);
    if detection.findings.is_empty() {
        panic!("no passage");
    }
    let finding = detection.findings.remove(0);
    assert_eq!(finding.label.as_str(), "business.contract");
    let carried = LOOKUP.explain(&document, None, &[], &finding, &mut Budget::new(usize::MAX, None));
    assert_eq!(carried.first().map(|carried| carried.span.slice(text)), Some("contract"), "{carried:?}");
    assert!(carried[0].share > 0.5);
}

#[test]
fn messages_in_a_body_are_read_and_keys_lead_back() {
    let body = r#"{"messages":[{"role":"user","content":"please call \u0041da Lovelace and the river, please call Grace and the river"}]}"#;
    let headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
    let bytes = Bytes::from_static(body.as_bytes());
    let mut budget = Budget::new(1 << 20, None);
    let document = content::extract("/v1/chat?q=please+call+Ada", &headers, &bytes, &mut budget, &mut Vec::new());
    let mut detection = Detection::default();
    LOOKUP.read(&document, None, &mut detection, &mut budget);
    let found: Vec<_> =
        detection.findings.iter().map(|f| (document.place(f.segment, f.span), document.text(f.segment, f.span).to_owned())).collect();
    let expected = [("url", "Ada"), ("$.messages[0].content", "Ada Lovelace"), ("$.messages[0].content", "Grace")];
    assert_eq!(found, expected.map(|(place, text)| (place.to_owned(), text.to_owned())));
}

#[test]
fn hostile_text_is_bounded() {
    let storm = "🎉👩‍👩‍👧‍👦🇨🇳".repeat(20_000);
    let controls: String = (0..32_u8).map(char::from).cycle().take(1 << 20).collect();
    let unbroken = "x".repeat(1 << 20);
    let han = "张伟请致电".repeat(4_000);
    for text in [&storm, &controls, &unbroken, &han] {
        let begun = Instant::now();
        for finding in read(text).findings {
            assert!(text.is_char_boundary(finding.span.start()) && text.is_char_boundary(finding.span.end()));
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_text_is_read_without_a_panic(parts in proptest::collection::vec(prop_oneof![
        any::<String>(), Just("please call Ada Lovelace".to_owned()), Just("张伟<mask></s>".to_owned()), Just("\u{202e}Ａｄａ\u{200d} ".to_owned()),
        "\\PC{0,40}", "[\\p{Han}\\p{Arabic}\\p{Hangul} ]{0,60}", Just("\u{0}\n\r\t".to_owned()),
    ], 0..8)) {
        let text = parts.concat();
        let mut end = 0;
        for finding in read(&text).findings.iter().filter(|finding| finding.label.is_under("personal")) {
            prop_assert!(end <= finding.span.start() && text.get(finding.span.range()).is_some());
            end = finding.span.end();
        }
    }
}
