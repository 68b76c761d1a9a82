//! `exeat evaluate --knowledge`: how well a pack finds what it knows, and how often it finds what it should not.

use crate::cli::{
    Outcome, Problems,
    language::{self, choose},
    learn::{figures, left_out},
};
use exeat::{config::Config, learn};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PackArgs {
    /// The pack to try
    #[arg(long, value_name = "PACK")]
    pub(super) knowledge: Option<PathBuf>,
    /// Documents that are in it, or folders of them
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "knowledge")]
    documents: Vec<PathBuf>,
    /// Documents of the same kind that are not
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "knowledge")]
    public: Vec<PathBuf>,
}

pub(super) fn run(pack: &Path, args: &PackArgs, mut config: Config) -> anyhow::Result<Outcome> {
    config.knowledge.packs = vec![pack.to_owned()];
    let detectors = config.detectors().map_err(Problems)?;
    let language = language::of_environment();
    let mut unread = Vec::new();
    let documents = learn::samples(&args.documents, &mut unread);
    let public = learn::samples(&args.public, &mut unread);
    unread.iter().for_each(|unread| eprintln!("{}", left_out(language, unread)));
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
    Ok(Outcome::Clean)
}
