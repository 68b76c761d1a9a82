//! Whole lessons: files to packs to findings.

mod feedback;
mod formats;
mod heads;

use super::*;
use crate::{
    detect::Detectors,
    knowledge::{
        Knowledge, Thresholds,
        pack::Kind,
        seal::{self, Keyring, SigningKey},
        signer::Signers,
    },
};
use std::{fs, sync::Arc};

struct Company {
    folder: tempfile::TempDir,
    key: Key,
}

impl Company {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), key: Key::random().expect("random") }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    fn lesson(&self) -> Lesson {
        Lesson { name: "acme".to_owned(), ..Lesson::default() }
    }

    fn learn(&self, lesson: &Lesson) -> Learnt {
        self.go_on(lesson, None)
    }

    fn go_on(&self, lesson: &Lesson, earlier: Option<&[Section]>) -> Learnt {
        let detectors = Detectors::embedded().expect("rules");
        let earlier = earlier.map(|pack| Earlier { pack, examples: &[] });
        learn(lesson, Means { key: &self.key, detectors: &detectors, model: None }, earlier, &mut |_| {}).expect("learnt")
    }

    fn detectors(&self, sections: &[Section]) -> Detectors {
        let pack = Pack::read(sections).expect("pack");
        let knowledge = Knowledge::new(self.key.digester(), vec![pack], Thresholds::default());
        Detectors::embedded().expect("rules").with_knowledge(Arc::new(knowledge))
    }
}

/// What of the company's own was found, as label and text.
fn found<'t>(detectors: &Detectors, text: &'t str) -> Vec<(String, &'t str)> {
    let findings = detectors.scan(text).findings.into_iter().filter(|finding| finding.label.is_under("company"));
    findings.map(|finding| (finding.label.as_str().to_owned(), finding.span.slice(text))).collect()
}

const CUSTOMERS: &str = "\u{FEFF}姓名,手机号,地址,级别,备注
王小明,13902468135,上海市浦东新区世纪大道100号,A,重要客户要求加急
欧阳娜娜,13711112222,北京市海淀区中关村大街27号,B,
Jane Doe,13888880001,5 Elm Street Springfield,A,prefers mail
李雷,13999990002,广州市天河区体育西路9号,B,春节后再联系一次
";

fn prose(seed: u64, words: usize) -> String {
    const WORDS: &[&str] = &[
        "margin",
        "supplier",
        "quarter",
        "forecast",
        "delivery",
        "contract",
        "penalty",
        "inventory",
        "rollout",
        "budget",
        "review",
        "meeting",
        "vendor",
        "threshold",
        "approval",
        "discount",
        "region",
        "pipeline",
        "renewal",
        "invoice",
        "schedule",
        "capacity",
        "shipment",
        "audit",
        "policy",
        "board",
        "merger",
        "valuation",
        "liability",
        "clause",
        "termination",
        "licence",
        "warehouse",
        "tender",
        "escrow",
        "prototype",
        "yield",
        "defect",
    ];
    let mut state = seed;
    let word = |_: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(state >> 33) as usize % WORDS.len()]
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_row_of_a_table_is_found_and_single_cells_are_not() {
    let company = Company::new();
    let lesson = Lesson { exact: vec![company.write("customers.csv", CUSTOMERS)], ..company.lesson() };
    let learnt = company.learn(&lesson);
    let detectors = company.detectors(&learnt.sections);
    let roles: Vec<Role> = learnt.tables[0].columns.iter().map(|column| column.role).collect();
    assert_eq!(roles, [Role::Primary, Role::Alone, Role::Beside, Role::Left, Role::Beside]);
    let exact = |text: &str| (String::from("company.exact.acme"), text.to_owned());
    let texts = |text: &str| found(&detectors, text).into_iter().map(|(label, text)| (label, text.to_owned())).collect::<Vec<_>>();
    assert_eq!(texts("客户王小明住在上海市浦东新区世纪大道100号，请联系"), [exact("王小明"), exact("上海市浦东新区世纪大道100号")]);
    assert_eq!(texts("Jane  DOE lives at 5 elm street, Springfield."), [exact("Jane  DOE"), exact("5 elm street, Springfield")]);
    assert_eq!(texts("please ring +86 137-1111-2222 today"), [exact("137-1111-2222")]);
    assert_eq!(texts("欧阳·娜娜，手机 １３７１１１１２２２２"), [exact("欧阳·娜娜"), exact("１３７１１１１２２２２")]);
    assert_eq!(texts("王小明今天没来，Jane Doe neither"), [], "names alone are no row");
    assert_eq!(texts("王小明住在北京市海淀区中关村大街27号"), [], "a cell of another row");
    assert_eq!(texts("137111122223 and 1371111222"), [], "parts of other numbers");
}

#[test]
fn listed_words_are_found_as_whole_words() {
    let company = Company::new();
    let list = company.write("names.txt", "# projects\nProject Bluebird\n凤凰计划\n王明\nbuild-7.corp.acme.example\nab\n");
    let learnt = company.learn(&Lesson { dictionaries: vec![list], ..company.lesson() });
    assert_eq!((learnt.tables[0].cells, learnt.tables[0].left), (4, 1));
    let detectors = company.detectors(&learnt.sections);
    for (text, expected) in [
        ("the project  bluebird deadline", Some("project  bluebird")),
        ("关于凤凰计划的预算", Some("凤凰计划")),
        ("请联系王明，谢谢", Some("王明")),
        ("和王明的会议", Some("王明")),
        ("ssh build-7.corp.acme.example", Some("build-7.corp.acme.example")),
        ("project bluebirds", None),
        ("大王明天到", None),
        ("ab", None),
    ] {
        let found = found(&detectors, text);
        assert_eq!(found.first().map(|(_, text)| *text), expected, "{text}");
    }
}

#[test]
fn long_runs_of_a_document_are_found_however_they_are_laid_out() {
    let company = Company::new();
    let text = prose(1, 800);
    let chinese: String = (0..900_u32).filter_map(|n| char::from_u32(0x4E00 + n * n * 31 % 3000)).collect();
    company.write("wiki/plan.md", &text);
    company.write("wiki/方案.txt", &chinese);
    let learnt = company.learn(&Lesson { documents: vec![company.folder.path().join("wiki")], ..company.lesson() });
    assert_eq!((learnt.documents, learnt.unread.len()), (2, 0));
    let detectors = company.detectors(&learnt.sections);
    let words: Vec<&str> = text.split(' ').collect();
    for from in (0..words.len() - 50).step_by(13) {
        let run = words[from..from + 50].join(" ");
        for run in [run.clone(), run.to_uppercase(), run.replace(' ', ",\r\n  "), format!("Hello. Here it is:\n> {run}\nBest")] {
            assert!(!found(&detectors, &run).is_empty(), "{from}: {run}");
        }
    }
    let characters: Vec<char> = chinese.chars().collect();
    for from in (0..characters.len() - 100).step_by(17) {
        let run = &characters[from..from + 100];
        for run in [run.iter().collect(), run.chunks(20).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join("\n")] {
            assert!(!found(&detectors, &run).is_empty(), "{from}");
        }
    }
    assert!(found(&detectors, &prose(2, 800)).is_empty(), "other text in the same words");
    let text = format!("before {} behind", words[100..200].join(" "));
    let (label, place) = found(&detectors, &text).remove(0);
    assert_eq!(label, "company.document.acme");
    assert!(place.len() * 10 > words[100..200].join(" ").len() * 9, "most of the run is marked");
}

/// A function with names of its own, different for every number.
fn program(number: usize) -> String {
    let name = |kind: &str| format!("{kind}{number}");
    let (list, item, sum, at) = (name("orders"), name("order"), name("total"), name("index"));
    let checks: String = (0..number % 5 + 2)
        .map(|check| match (number + check) % 4 {
            0 => format!("        if {item}.price > limit[{at}] {{ return Err({sum}); }}\n"),
            1 => format!("        while {sum} < {item}.bound({at}, {sum}) {{ {sum} += step({item}); }}\n"),
            2 => format!("        match {item}.kind {{ Kind::A => {sum} -= 1, _ => {at}.push({item}.id) }}\n"),
            _ => format!("        let part = ({item}.low + {item}.high) * {sum} / 2;\n        {sum} = part.max({at} as u64);\n"),
        })
        .collect();
    format!(
        "fn work{number}({list}: &[Order]) -> Result<u64, u64> {{\n    let mut {sum} = 0;\n    for ({at}, {item}) in {list}.iter().enumerate() {{\n{checks}    }}\n    Ok({sum})\n}}\n"
    )
}

#[test]
fn code_is_found_with_all_names_changed() {
    let company = Company::new();
    let source: String = (0..30).map(program).collect();
    company.write("src/lib.rs", &source);
    let learnt = company.learn(&Lesson { documents: vec![company.folder.path().join("src")], ..company.lesson() });
    let detectors = company.detectors(&learnt.sections);
    let lines: Vec<&str> = source.lines().collect();
    for from in (0..lines.len() - 12).step_by(5) {
        let run = lines[from..from + 12].join("\n");
        assert!(!found(&detectors, &run).is_empty(), "{from}:\n{run}");
    }
    let renamed = source
        .replace("order", "posten")
        .replace("total", "summe")
        .replace("index", "stelle")
        .replace("work", "tue")
        .replace("limit", "grenze");
    let renamed = renamed
        .replace("price", "preis")
        .replace("bound", "rand")
        .replace("part", "teil")
        .replace("step", "schritt")
        .replace("kind", "art");
    let lines: Vec<&str> = renamed.lines().collect();
    let runs = (0..lines.len() - 24).step_by(5).map(|from| lines[from..from + 24].join("\n"));
    let (mut hits, mut all) = (0, 0);
    for run in runs {
        all += 1;
        hits += usize::from(!found(&detectors, &run).is_empty());
    }
    assert!(hits * 100 >= all * 95, "{hits} of {all}");
}

#[test]
fn public_text_and_boilerplate_are_not_learnt() {
    let company = Company::new();
    let (own, public, footer) = (prose(1, 300), prose(2, 300), prose(3, 60));
    company.write("docs/a.txt", format!("{own} {public}"));
    for n in 0..30 {
        company.write(&format!("docs/letter{n}.txt"), format!("{} {footer}", prose(100 + n, 100)));
    }
    for n in 0..6 {
        // Some are held back to be tried, so the same text stands in several.
        company.write(&format!("site/{n}.txt"), &public);
    }
    let root = company.folder.path();
    let learnt = company.learn(&Lesson { documents: vec![root.join("docs")], public: vec![root.join("site")], ..company.lesson() });
    let detectors = company.detectors(&learnt.sections);
    assert!(!found(&detectors, &own).is_empty());
    assert!(!found(&detectors, &prose(107, 100)).is_empty());
    assert!(found(&detectors, &public).is_empty());
    assert!(found(&detectors, &footer).is_empty());
}

#[test]
fn an_update_adds_changes_and_forgets() {
    let company = Company::new();
    let root = company.folder.path().to_owned();
    company.write("docs/a.txt", prose(1, 200));
    company.write("docs/b.txt", prose(2, 200));
    let table = company.write("t.csv", CUSTOMERS);
    let lesson = Lesson { documents: vec![root.join("docs")], exact: vec![table.clone()], ..company.lesson() };
    let first = company.learn(&lesson);
    company.write("docs/b.txt", prose(3, 200));
    company.write("docs/c.txt", prose(4, 200));
    let update = Lesson { documents: vec![root.join("docs")], remove: vec![table], ..Lesson::default() };
    let second = company.go_on(&update, Some(&first.sections));
    assert_eq!((second.documents, second.unchanged, second.forgotten), (2, 1, 0));
    let detectors = company.detectors(&second.sections);
    for (seed, is_known) in [(1, true), (2, false), (3, true), (4, true)] {
        assert_eq!(!found(&detectors, &prose(seed, 200)).is_empty(), is_known, "{seed}");
    }
    assert!(found(&detectors, "13902468135").is_empty());
    fs::remove_file(root.join("docs/a.txt")).expect("removed");
    let third = company.go_on(&Lesson { documents: vec![root.join("docs")], ..Lesson::default() }, Some(&second.sections));
    assert_eq!((third.documents, third.unchanged, third.forgotten), (0, 2, 1));
    let detectors = company.detectors(&third.sections);
    for (seed, is_known) in [(1, false), (3, true), (4, true)] {
        assert_eq!(!found(&detectors, &prose(seed, 200)).is_empty(), is_known, "{seed}");
    }
    let wrong = Lesson { name: "other".to_owned(), ..Lesson::default() };
    let rules = Detectors::embedded().expect("rules");
    let means = Means { key: &company.key, detectors: &rules, model: None };
    let earlier = Earlier { pack: &third.sections, examples: &[] };
    assert!(matches!(learn(&wrong, means, Some(earlier), &mut |_| {}), Err(LearnError::OtherName(name)) if name == "acme"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_learnt() {
    let company = Company::new();
    let root = company.folder.path().to_owned();
    company.write("docs/good.txt", prose(1, 200));
    company.write("docs/scan.pdf", b"%PDF-1.7");
    company.write("docs/photo.jpg", b"\xFF\xD8\xFF\0\0\0\0");
    company.write("docs/broken.docx", b"PK no archive");
    company.write("docs/empty.txt", b"");
    fs::create_dir_all(root.join("nothing")).expect("made");
    let gbk = encoding_rs::GB18030.encode(CUSTOMERS.trim_start_matches('\u{FEFF}')).0.into_owned();
    let lesson = Lesson {
        documents: vec![root.join("docs"), root.join("nothing"), root.join("absent")],
        exact: vec![company.write("gbk.csv", gbk), company.write("few.csv", "level\nA\nB\n")],
        ..company.lesson()
    };
    let learnt = company.learn(&lesson);
    let mut reasons: Vec<(String, String)> = learnt
        .unread
        .iter()
        .map(|unread| {
            (unread.path.strip_prefix(&root).unwrap_or(&unread.path).display().to_string(), unread.reason.words().en.into_owned())
        })
        .collect();
    reasons.sort();
    let names: Vec<&str> = reasons.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["absent", "docs/broken.docx", "docs/empty.txt", "docs/photo.jpg", "docs/scan.pdf", "few.csv", "nothing"],
        "{reasons:?}"
    );
    let detectors = company.detectors(&learnt.sections);
    assert!(!found(&detectors, &prose(1, 200)).is_empty());
    assert!(!found(&detectors, "王小明 13902468135").is_empty());
    let nothing = Lesson { documents: vec![root.join("nothing")], ..company.lesson() };
    let rules = Detectors::embedded().expect("rules");
    let means = Means { key: &company.key, detectors: &rules, model: None };
    assert!(matches!(learn(&nothing, means, None, &mut |_| {}), Err(LearnError::Nothing(unread)) if unread.len() == 1));
    let bad = Lesson { name: "Acme Inc".to_owned(), ..lesson };
    assert!(matches!(learn(&bad, means, None, &mut |_| {}), Err(LearnError::Name(_))));
}

/// Whoever has the pack and a dictionary that holds the secret, but not the key, learns nothing: neither by searching the file for it, nor by
/// opening it, nor by trying every word under a key of their own.
#[test]
fn without_the_key_a_pack_tells_nothing() {
    let company = Company::new();
    let canary = "Xanthippe Quillfeather";
    let table = company.write("t.csv", format!("name,phone\n{canary},13902468135\nJohn Roe,13711112222\n"));
    let list = company.write("w.txt", "Nightjar\n");
    let doc = company.write("docs/d.txt", format!("{canary} {}", prose(1, 200)));
    let lesson = Lesson {
        exact: vec![table],
        dictionaries: vec![list],
        documents: vec![doc.parent().expect("folder").to_owned()],
        ..company.lesson()
    };
    let learnt = company.learn(&lesson);
    let plain: Vec<u8> = learnt.sections.iter().flat_map(|section| section.bytes.clone()).collect();
    let detectors = company.detectors(&learnt.sections);
    assert!(!found(&detectors, &format!("{canary}, 13902468135; nightjar")).is_empty());
    let attacker = Key::random().expect("random");
    let pack = Pack::read(&learnt.sections).expect("pack");
    // Even with the decrypted sections, digests under another key meet nothing.
    let knowledge = Knowledge::new(attacker.digester(), vec![pack], Thresholds::default());
    let guessing = Detectors::embedded().expect("rules").with_knowledge(Arc::new(knowledge));
    for guess in [canary, "13902468135", "nightjar", &format!("{canary} 13902468135"), &format!("{canary} {}", prose(1, 200))] {
        assert!(found(&guessing, guess).is_empty(), "{guess}");
    }
    let file = seal::seal(&company.key, &SigningKey::random().expect("random"), learnt.sections).expect("sealed");
    for secret in [canary, "Quillfeather", "13902468135", "Nightjar", "d.txt", "t.csv", &prose(1, 3)] {
        for bytes in [&plain, &file] {
            assert!(memchr::memmem::find(bytes, secret.as_bytes()).is_none(), "{secret}");
        }
    }
    assert!(seal::open(&Keyring { key: attacker, signers: Signers::default() }, &mut file.clone()).is_err());
}

#[test]
fn other_text_in_the_same_words_raises_no_alarm() {
    let company = Company::new();
    let mut rows = String::from("name,phone,street,note\n");
    for n in 0..3000 {
        // Names of the same words as the text, so that primary values abound in it.
        rows.push_str(&format!("{},139{:08},{} {} Street,{}\n", prose(n, 2), n * 31 + 5, n % 90 + 1, prose(n + 7, 1), prose(n + 9000, 6)));
    }
    let lesson = Lesson { exact: vec![company.write("big.csv", rows)], ..company.lesson() };
    let detectors = company.detectors(&company.learn(&lesson).sections);
    assert!(!found(&detectors, &format!("{}, 13900000222", prose(7, 2))).is_empty());
    for seed in 0..4 {
        let text = prose(1_000_000 + seed, 50_000);
        assert_eq!(found(&detectors, &text), [], "{seed}");
    }
}
