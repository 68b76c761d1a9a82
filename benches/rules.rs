//! How fast the rules read: clean and dense text, a chat message, and text made to slow them down; what a company's own words cost, and what
//! memory all of it takes.
//!
//! `cargo bench --no-default-features --bench rules`. One thread, whose CPU time is what counts, so that others on the machine disturb less;
//! the texts are made here, the same every time.

#![expect(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench that cannot make its text should stop")]

mod random;

use cpu_time::ThreadTime;
use criterion::{
    BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use exeat::detect::{Detectors, Options, RuleFile};
use random::Random;
use std::{fmt::Write, hint::black_box, time::Duration};

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = memory, start_up, clean_text, own_keywords, dense_text, message, hostile_text
}
criterion_main!(benches);

const SIZE: usize = 1 << 20;

fn rules() -> Detectors {
    Detectors::embedded().expect("the shipped rules are right")
}

/// Prints what the rules take: compiled, and when a text has had all of them compiled their patterns and search.
fn memory(_: &mut Criterion<CpuTime>) {
    let before = resident();
    let rules = rules();
    let compiled = resident() - before;
    let text = dense(&rules, SIZE);
    let before = resident();
    rules.scan(&text);
    let searched = compiled + resident() - before;
    println!("memory: {} MB of rules, {} MB when all have searched", compiled / 1_000_000, searched / 1_000_000);
}

/// Bytes of this process that are in memory (Linux; 0 elsewhere).
fn resident() -> usize {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * PAGE
}

fn start_up(criterion: &mut Criterion<CpuTime>) {
    criterion.bench_function("start-up", |bencher| bencher.iter(rules));
}

fn clean_text(criterion: &mut Criterion<CpuTime>) {
    read(criterion, "clean", &[("english", english(SIZE)), ("chinese", chinese(SIZE)), ("mixed", mixed(SIZE))]);
}

/// The same texts with a thousand words of a company's own: names of projects, customers and products.
fn own_keywords(criterion: &mut Criterion<CpuTime>) {
    const COUNT: usize = 1000;
    let mut random = Random(5);
    let letters = |random: &mut Random, from: &[u8], count: u64| (0..count).map(|_| random.pick(from)).collect::<String>();
    let word = |number: usize| match number % 2 {
        0 => {
            let len = random.below(6) + 5;
            letters(&mut random, b"abcdefghijklmnoprstuvwyz", len)
        }
        _ => {
            let names: Vec<char> = "鲲鹏昆仑麒麟凤凰青鸾玄武白泽天枢瑶光紫微北辰星河云帆沧海长风".chars().collect();
            (0..4).map(|_| names[random.below(names.len() as u64) as usize]).collect()
        }
    };
    let words: Vec<String> = (0..COUNT).map(word).collect();
    let file = format!(
        "[[rule]]\nid = \"own\"\nlabel = \"company.project\"\nname = {{ en = \"project\", zh = \"项目\" }}\npattern = '(?i:{})'\nkeywords = {words:?}\n\
         confidence = 0.9\nevidence = \"structure\"\nseverity = \"high\"\nexamples = [\"{first}\", \"a {first}\", \"{first}.\"]\n\
         counterexamples = [\"a\", \"b\", \"c\"]\nsource = \"the company\"\n",
        words.join("|"),
        first = words[0],
    );
    let own = Detectors::with(&[RuleFile { name: "own.toml", text: &file }], &Options::default()).expect("a rule of our own");
    read_with(&own, criterion, "own keywords", &[("english", english(SIZE)), ("chinese", chinese(SIZE)), ("mixed", mixed(SIZE))]);
}

fn dense_text(criterion: &mut Criterion<CpuTime>) {
    read(criterion, "dense", &[("findings", dense(&rules(), SIZE))]);
}

fn message(criterion: &mut Criterion<CpuTime>) {
    read(criterion, "message", &[("english 2 KiB", english(2048)), ("chinese 2 KiB", chinese(2048))]);
}

/// Time must stay in proportion to size, whatever the text.
fn hostile_text(criterion: &mut Criterion<CpuTime>) {
    let rules = rules();
    let near_misses: String = rules.rules().flat_map(|rule| &rule.counterexamples).fold(String::new(), |text, line| text + line + "\n");
    let mut random = Random(7);
    let texts = [
        ("digits", "7".repeat(SIZE)),
        ("escapes", "%25".repeat(SIZE / 3)),
        ("a million nested escapes", format!("%{}41", "25".repeat(1_000_000))),
        ("invalid UTF-8", String::from_utf8_lossy(&[0xFF, b'a', 0xE4, 0xBD].repeat(SIZE / 8)).into_owned()),
        ("backslashes", "\\".repeat(SIZE)),
        ("unfinished keys", "-----BEGIN RSA PRIVATE KEY-----\n".repeat(SIZE / 32)),
        ("near misses", near_misses.repeat(SIZE / near_misses.len() + 1)),
        ("shapes", (0..SIZE / 4).map(|_| random.pick(b"0123456789 -./:+()@abXY_")).collect()),
    ];
    read(criterion, "hostile", &texts);
}

fn read(criterion: &mut Criterion<CpuTime>, group: &str, texts: &[(&str, String)]) {
    read_with(&rules(), criterion, group, texts);
}

fn read_with(rules: &Detectors, criterion: &mut Criterion<CpuTime>, group: &str, texts: &[(&str, String)]) {
    let mut group = criterion.benchmark_group(group);
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(10);
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), text, |bencher, text| bencher.iter(|| rules.scan(black_box(text))));
    }
    group.finish();
}

/// The CPU time of the thread, in nanoseconds.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }

    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        static WALL: WallTime = WallTime;
        WALL.formatter()
    }
}

impl Random {
    fn pick(&mut self, bytes: &[u8]) -> char {
        char::from(bytes[self.below(bytes.len() as u64) as usize])
    }

    fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len() as u64) as usize]
    }
}

fn english(size: usize) -> String {
    const WORDS: &str = "the of and to in a is that it was for on are as with his they at be this from have or by one had not but what all were \
        when we there can an your which their said if do will each about how up out them then she many some so these would other into has more \
        her two like him see time could no make than first been its who now people my made over did down only way find use may water long little \
        very after words called just where most know get through back much before go good new write our used me man too any day same right look \
        think also around another came come work three word must because does part even place well such here take why things help put years";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut random = Random(1);
    let mut text = String::with_capacity(size + 16);
    while text.len() < size {
        for _ in 0..random.below(12) + 4 {
            text += random.word(&words);
            text.push(' ');
        }
        text.pop();
        text += random.word(&[". ", ", ", ".\n", "? "]);
    }
    text.truncate(size);
    text
}

fn chinese(size: usize) -> String {
    const SYLLABLES: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着\
        等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么\
        利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将";
    let characters: Vec<char> = SYLLABLES.chars().filter(|char| !char.is_whitespace()).collect();
    let mut random = Random(2);
    let mut text = String::with_capacity(size + 8);
    while text.len() + 3 <= size {
        text.push(match random.below(12) {
            0 => ['，', '。', '；', '！'][random.below(4) as usize],
            _ => characters[random.below(characters.len() as u64) as usize],
        });
    }
    text
}

/// JSON lines, code and logs by turns.
fn mixed(size: usize) -> String {
    let prose = english(1 << 16);
    let mut random = Random(3);
    let mut text = String::with_capacity(size + 1024);
    while text.len() < size {
        let from = random.below(60_000) as usize;
        let line = prose[from..from + 90].replace('\n', " ");
        let (id, time) = (random.below(1_000_000), random.below(28) + 1);
        let written = match random.below(3) {
            0 => writeln!(
                text,
                "{{\"id\": {id}, \"ts\": \"2026-11-{time:02}T10:{:02}:00Z\", \"score\": 0.{id}, \"text\": \"{line}\"}}",
                time + 20
            ),
            1 => writeln!(
                text,
                "pub fn step_{id}(x: u32, y: &str) -> Result<u32, Error> {{\n    // {line}\n    Ok(x.wrapping_mul({time}))\n}}"
            ),
            _ => {
                let request = random.below(u64::MAX);
                writeln!(
                    text,
                    "2026-11-{time:02} 10:15:{:02} INFO [worker-{time}] req={request:016x} path=/v1/list status=200 ms={}",
                    time + 11,
                    id % 900
                )
            }
        };
        written.expect("a string takes all");
    }
    text
}

/// A finding about every 150 bytes: the rules' own examples among prose.
fn dense(rules: &Detectors, size: usize) -> String {
    let examples: Vec<&str> = rules.rules().flat_map(|rule| &rule.examples).map(String::as_str).filter(|text| text.len() < 120).collect();
    let prose = english(1 << 16);
    let mut random = Random(4);
    let mut text = String::with_capacity(size + 1024);
    while text.len() < size {
        let from = random.below(60_000) as usize;
        text += &prose[from..from + 100];
        text += " ";
        text += random.word(&examples);
        text += "\n";
    }
    text
}
