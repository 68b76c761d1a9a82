//! `exeat learn`: the company's own data to a pack.

use super::{
    ConfigArgs, Outcome,
    language::{self, choose},
};
use anyhow::Context;
use exeat::{
    config::Config,
    knowledge::{
        Knowledge, Pack, Thresholds,
        pack::Section,
        seal::{self, Key},
    },
    learn::{self, ColumnReport, Evaluation, LearnError, Learnt, Lesson, Names, Role, Share, Unread},
    state,
    words::Language,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    env, fs, io,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Teach Exeat the company's own data, so that it is found wherever it goes
///
/// Tables (--exact: CSV, TSV, XLSX, ODS, SQLite) are found by their rows, listed words (--dictionary) by themselves, and
/// documents (--documents: text, code, HTML, Office files since 2007) by passages, also edited ones. What everybody may know
/// (--public) is left out. The result is a pack, encrypted with a key that is made in the state directory on first use; it
/// holds digests and no text. Name it in the configuration, [knowledge] packs, and a running Exeat takes it up.
///
///   exeat learn --name acme --exact customers.csv --documents contracts wiki --public website -o acme.exeat
///   exeat learn --update --documents contracts --remove old.csv -o acme.exeat
///
/// What cannot be read is told, and the rest is learnt.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// What findings are named after: company.exact.NAME, company.document.NAME
    #[arg(long, required_unless_present = "update", default_value = "", hide_default_value = true)]
    name: String,
    /// Tables, with a heading for every column
    #[arg(long, num_args = 1.., value_name = "FILE")]
    exact: Vec<PathBuf>,
    /// The column that tells rows apart, such as a person's name [default: guessed]
    #[arg(long, value_name = "HEADING")]
    primary: Option<String>,
    /// Lists of words and phrases, one a line: project names, customers, hosts
    #[arg(long, num_args = 1.., value_name = "FILE")]
    dictionary: Vec<PathBuf>,
    /// Documents, folders and git working trees
    #[arg(long, num_args = 1.., value_name = "PATH")]
    documents: Vec<PathBuf>,
    /// The same kind of documents, but known to everybody: the website, open-source code, the text of laws
    #[arg(long, num_args = 1.., value_name = "PATH")]
    public: Vec<PathBuf>,
    /// Go on with the pack at -o: sources named here are added, or replaced where they changed
    #[arg(long)]
    update: bool,
    /// Sources of the pack that are to be forgotten
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "update")]
    remove: Vec<PathBuf>,
    /// Keep the names of documents in the pack, so that a match can name them
    #[arg(long)]
    keep_names: bool,
    /// The pack
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// File of the key [default: knowledge.key_file of the configuration; EXEAT_KNOWLEDGE_KEY wins]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut config = args.config.load()?;
    // Earlier packs are no part of the lesson, and may be what is to be replaced.
    config.knowledge.packs.clear();
    if let Some(path) = &args.key {
        config.knowledge.key_file.clone_from(path);
    }
    let language = language::of_environment();
    let key = key(&config, args.update, language)?;
    let earlier = if args.update { Some(opened(&args.output, &key)?) } else { None };
    let lesson = Lesson {
        name: args.name.clone(),
        exact: args.exact.clone(),
        dictionaries: args.dictionary.clone(),
        documents: args.documents.clone(),
        public: args.public.clone(),
        remove: args.remove.clone(),
        primary: args.primary.clone(),
        names: if args.keep_names { Names::Kept } else { Names::Dropped },
    };
    let detectors = config.detectors().map_err(super::Problems)?;
    let begun = Instant::now();
    let bar = progress();
    let learnt = learn::learn(&lesson, &key, earlier.as_deref(), &detectors, &mut |progress| {
        bar.set_message(format!("{}: {}", progress.source.display(), progress.done));
    });
    bar.finish_and_clear();
    let learnt = match learnt {
        Err(LearnError::Nothing(unread)) => {
            unread.iter().for_each(|unread| eprintln!("{}", left_out(language, unread)));
            return Err(LearnError::Nothing(Vec::new()).into());
        }
        learnt => learnt?,
    };
    let took = begun.elapsed();

    let pack = Pack::read(&learnt.sections)?;
    let memory = pack.bytes();
    let thresholds = Thresholds { cells: config.knowledge.min_cells, characters: config.knowledge.min_characters };
    let detectors = detectors.with_knowledge(Arc::new(Knowledge::new(key.digester(), vec![pack], thresholds)));
    let evaluation = learn::evaluate(&detectors, &learnt.samples, &learnt.rows, &learnt.held_out);
    let report = report(language, &learnt, &evaluation, took, memory);
    let file = seal::seal(&key, learnt.sections)?;
    state::write_private(&args.output, &file).with_context(|| args.output.display().to_string())?;
    print!("{report}");
    let (path, size) = (args.output.display(), megabytes(file.len()));
    println!(
        "{}",
        choose(
            language,
            format!("Written to {path} ({size}). Put it into force with  [knowledge] packs = [\"{path}\"]"),
            format!("已写入 {path}（{size}）。在配置中启用：[knowledge] packs = [\"{path}\"]")
        )
    );
    Ok(Outcome::Clean)
}

/// The key at hand; on first use, a new one.
fn key(config: &Config, update: bool, language: Language) -> anyhow::Result<Key> {
    let path = &config.knowledge.key_file;
    let is_first = !update && env::var_os("EXEAT_KNOWLEDGE_KEY").is_none() && !path.exists();
    if !is_first {
        return config.knowledge_key().map_err(|problem| super::Problems(vec![problem]).into());
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        state::State::open(directory).with_context(|| directory.display().to_string())?;
    }
    let key = Key::random()?;
    state::write_private(path, format!("{}\n", key.text()).as_bytes()).with_context(|| path.display().to_string())?;
    let path = path.display();
    eprintln!(
        "{}",
        choose(
            language,
            format!(
                "A new key was made: {path}. Keep it, apart from the packs: without it they cannot be used, with it they can be guessed at."
            ),
            format!("已生成新密钥：{path}。请妥善保管，并与数据包分开存放：没有它，数据包无法使用；有了它，数据包可被猜测。")
        )
    );
    Ok(key)
}

/// The sections of a pack.
pub(super) fn opened(path: &Path, key: &Key) -> anyhow::Result<Vec<Section>> {
    let mut file = fs::read(path).with_context(|| path.display().to_string())?;
    seal::open(key, &mut file).with_context(|| path.display().to_string())
}

/// A line that says what is being read, on a terminal.
fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.with_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// A source that was left out, and why.
pub(super) fn left_out(language: Language, unread: &Unread) -> String {
    format!("{}: {}", unread.path.display(), unread.reason.words().say(language))
}

/// The page that says what was learnt, how well it does, and what it costs.
fn report(language: Language, learnt: &Learnt, evaluation: &Evaluation, took: Duration, memory: usize) -> String {
    let mut lines = Vec::new();
    for table in &learnt.tables {
        let (title, rows, cells, left) = (&table.title, table.rows, table.cells, table.left);
        lines.push(match table.columns.as_slice() {
            [] => choose(
                language,
                format!("{title}: {cells} of {rows} listed words; {left} say too little"),
                format!("{title}：学习词条 {cells}/{rows}；{left} 条信息量过少"),
            ),
            _ => choose(
                language,
                format!("{title}: {rows} rows, {cells} cells; {left} rows say too little or are damaged"),
                format!("{title}：{rows} 行，{cells} 个单元格；{left} 行信息量过少或已损坏"),
            ),
        });
        lines.extend(table.columns.iter().map(|column| format!("  {}", describe(language, column))));
    }
    if learnt.documents + learnt.unchanged + learnt.forgotten > 0 {
        let Learnt { documents, unchanged, forgotten, characters, .. } = learnt;
        lines.push(choose(
            language,
            format!("documents: {documents} learnt ({characters} characters), {unchanged} unchanged, {forgotten} forgotten"),
            format!("文档：新学 {documents} 份（{characters} 字符），未变 {unchanged} 份，移除 {forgotten} 份"),
        ));
    }
    if learnt.public > 0 {
        let (public, held) = (learnt.public, learnt.held_out.len());
        lines.push(choose(
            language,
            format!("public documents: {public} left out of it, {held} of them tried instead"),
            format!("公开文档：{public} 份不计入，其中 {held} 份用于测试误报"),
        ));
    }
    lines.push(String::new());
    lines.extend(figures(language, evaluation));
    lines.push(String::new());
    let (seconds, megabytes) = (took.as_secs_f64(), megabytes(memory));
    lines.push(choose(
        language,
        format!("It took {seconds:.1} s, and takes {megabytes} of memory in use."),
        format!("用时 {seconds:.1} 秒，使用时占内存 {megabytes}。"),
    ));
    if !learnt.unread.is_empty() {
        lines.push(choose(language, "\nLeft out:".to_owned(), "\n未能学习：".to_owned()));
        lines.extend(learnt.unread.iter().map(|unread| format!("  {}", left_out(language, unread))));
    }
    lines.push(String::new());
    lines.join("\n") + "\n"
}

fn describe(language: Language, column: &ColumnReport) -> String {
    let role = match column.role {
        Role::Alone => choose(language, "counts alone", "单独即可判定"),
        Role::Primary => choose(language, "tells rows apart", "用于区分各行"),
        Role::Beside => choose(language, "counts beside it", "与其同现时计入"),
        Role::Left => choose(language, "left out: too few different values, or too short", "不计入：取值过少或过短"),
    };
    format!("{}: {role}", column.heading)
}

/// What was tried and what came of it, with intervals.
pub(super) fn figures(language: Language, evaluation: &Evaluation) -> Vec<String> {
    let Evaluation { verbatim, tenth, three_tenths, broken_lines, rows, alarms } = evaluation;
    let rows_of = [
        (choose(language, "excerpts of 300 characters, as they are", "300 字摘录，原样"), verbatim),
        (choose(language, "  lines broken as in a PDF", "  按 PDF 方式断行"), broken_lines),
        (choose(language, "  10 % of the words changed", "  改动 10 % 的词"), tenth),
        (choose(language, "  30 % of the words changed", "  改动 30 % 的词"), three_tenths),
        (choose(language, "rows of tables", "表格行"), rows),
        (choose(language, "false alarms, public excerpts of 300 characters", "误报：公开文档 300 字摘录"), &alarms.excerpts),
        (choose(language, "false alarms, whole public documents", "误报：公开文档全文"), &alarms.texts),
    ];
    let mut lines =
        vec![choose(language, "tried: found, of, share [95 % interval]".to_owned(), "测试项：命中 总数 比例 [95 % 区间]".to_owned())];
    lines.extend(rows_of.into_iter().filter_map(|(what, share)| {
        let Share { hits, of } = *share;
        let [value, low, high] = share.interval()?;
        Some(format!("  {what}: {hits} {of} {value:.4} [{low:.4},{high:.4}]"))
    }));
    if alarms.texts.of == 0 {
        lines.push(choose(
            language,
            "  false alarms: not measured; name documents of the same kind with --public".to_owned(),
            "  误报：未测量；请用 --public 提供同类公开文档".to_owned(),
        ));
    }
    lines
}

fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
