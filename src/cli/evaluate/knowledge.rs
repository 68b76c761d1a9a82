//! `exeat evaluate --knowledge`: how well a pack finds what it knows, and how often it finds what it should not.

use crate::cli::{
    Outcome, Problems,
    language::{self, choose},
    learn::{figures, left_out, progress, said, share_line},
};
use exeat::{
    config::Config,
    learn::{self, HeadEvaluation, Sample},
    words::Language,
};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PackArgs {
    /// The pack to try
    #[arg(long, value_name = "PACK")]
    pub(super) knowledge: Option<PathBuf>,
    /// Documents that are in it, or folders of them
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "knowledge")]
    documents: Vec<PathBuf>,
    /// The company's documents that are not in it: what a head should find
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "knowledge")]
    unseen: Vec<PathBuf>,
    /// Documents of the same kind that are public
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "knowledge")]
    public: Vec<PathBuf>,
}

pub(super) fn run(pack: &Path, args: &PackArgs, mut config: Config) -> anyhow::Result<Outcome> {
    config.knowledge.packs = vec![pack.to_owned()];
    let detectors = config.detectors().map_err(Problems)?;
    let language = language::of_environment();
    let (documents, public) = (samples(&args.documents, language), samples(&args.public, language));
    for pack in detectors.knowledge().into_iter().flat_map(|knowledge| knowledge.packs()) {
        let (name, created, tables, documents) = (pack.name(), pack.created(), pack.tables(), pack.documents());
        println!(
            "{}",
            choose(
                language,
                format!("{name}, learnt {created}: {tables} tables and lists, {documents} documents"),
                format!("{name}，学习于 {created}：表格和词表 {tables} 个，文档 {documents} 份")
            )
        );
    }
    let evaluation = learn::evaluate(&detectors, &documents, &[], &public);
    figures(language, &evaluation).iter().for_each(|line| println!("{line}"));
    if let Some(model) = config.model().map_err(Problems)? {
        let unseen = samples(&args.unseen, language);
        let bar = progress();
        let tell = &mut |progress: learn::Progress<'_>| bar.set_message(said(language, progress));
        let heads = learn::evaluate_heads(&detectors, &model, &unseen, &public, tell);
        bar.finish_and_clear();
        heads.iter().flat_map(|head| head_figures(language, head)).for_each(|line| println!("{line}"));
    }
    Ok(Outcome::Clean)
}

/// The texts of these files and folders; what cannot be read is told.
fn samples(paths: &[PathBuf], language: Language) -> Vec<Sample> {
    let mut unread = Vec::new();
    let samples = learn::samples(paths, &mut unread);
    unread.iter().for_each(|unread| eprintln!("{}", left_out(language, unread)));
    samples
}

/// What a head found of new text.
fn head_figures(language: Language, head: &HeadEvaluation) -> Vec<String> {
    let HeadEvaluation { name, found, renamed, alarms, at } = head;
    let title =
        choose(language, format!("new text about {name}, by passages of 900 bytes"), format!("涉及 {name} 的新内容，按 900 字节段落"));
    let mut rows = vec![
        (choose(language, "found".to_owned(), "命中".to_owned()), *found),
        (choose(language, "found, half of the names in code changed".to_owned(), "命中，代码中半数名称已改".to_owned()), *renamed),
        (choose(language, "false alarms, public".to_owned(), "误报：公开".to_owned()), *alarms),
    ];
    for (rate, own, renamed) in at {
        let percent = rate * 100.0;
        rows.push((choose(language, format!("found at {percent} % false alarms"), format!("误报率 {percent} % 时命中")), *own));
        let what = choose(language, format!("found at {percent} %, names changed"), format!("误报率 {percent} % 时命中，名称已改"));
        rows.push((what, *renamed));
    }
    [title].into_iter().chain(rows.into_iter().filter_map(|(what, share)| share_line(&format!("  {what}"), share))).collect()
}
