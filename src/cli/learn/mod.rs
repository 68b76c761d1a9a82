//! `exeat learn`: the company's own data to a pack.

mod keys;
mod promotion;
mod report;
mod reviews;

pub(super) use report::{figures, left_out, progress, said, share_line};

use super::{
    ConfigArgs, Outcome,
    language::{self, choose},
};
use anyhow::Context;
use exeat::{
    detect::Detectors,
    knowledge::{
        Knowledge, Pack, Thresholds,
        pack::Section,
        seal::{self, Keyring, Opened},
    },
    learn::{self, Against, Aim, Earlier, LearnError, Lesson, Means, Names, Trial},
    state,
    words::Language,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Teach Exeat the company's own data, so that it is found wherever it goes
///
/// Tables (--exact: CSV, TSV, XLSX, ODS, SQLite, Parquet) are found by their rows, listed words (--dictionary) by themselves, and
/// documents (--documents: text, code, HTML, Office files since 2007) by passages, also edited ones. What everybody may know
/// (--public) is left out. From 20 documents on, and with as many public ones of the same kind, new text about the same matters
/// is found too: by the model, with a head that is trained here. The result is a pack, encrypted with one key and signed with
/// another, both made in the state directory on first use; it holds digests and weights and no text. Name it in the configuration,
/// [knowledge] packs, and a running Exeat takes it up. The signing key stays where you learn; [knowledge] signers holds whose packs
/// are taken. What the head was trained on is kept beside it, sealed, as NAME.examples: only --update reads it.
///
///   exeat learn --name acme --exact customers.csv --documents contracts wiki --public website -o acme.exeat
///   exeat learn --update --documents contracts --remove old.csv -o acme.exeat
///
/// What reviewers called false joins the next --update, and the pack says nothing about it any more. An update that finds less of
/// what the earlier pack found, by more than one in a hundred, or raises more false alarms is not written.
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
    /// Train the head without public documents of the same kind: it will take many of them for the company's own
    #[arg(long)]
    without_public: bool,
    /// Share of other passages that the head may take for the company's own
    #[arg(long, default_value_t = 0.001, value_name = "SHARE", value_parser = share)]
    false_positives: f64,
    /// Go on with the pack at -o: sources named here are added, or replaced where they changed
    #[arg(long)]
    update: bool,
    /// Sources of the pack that are to be forgotten
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "update")]
    remove: Vec<PathBuf>,
    /// State directories whose reviewers' false positives are left out of the pack: all of them, since an earlier update's no
    /// longer count [default: that of the configuration, if anything was called false there]
    #[arg(long, num_args = 1.., value_name = "STATE", requires = "update")]
    reviews: Vec<PathBuf>,
    /// Write the updated pack even if it finds less or raises more false alarms than the earlier one
    #[arg(long, requires = "update")]
    force: bool,
    /// Keep the names of documents in the pack, so that a match can name them
    #[arg(long)]
    keep_names: bool,
    /// The pack
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// File of the key [default: knowledge.key_file of the configuration; EXEAT_KNOWLEDGE_KEY wins]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File of the key that signs the pack [default: knowledge.signing beside the other key; EXEAT_KNOWLEDGE_SIGNING_KEY wins]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What the examples are called, beside the pack.
const EXAMPLES: &str = "examples";

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut config = args.config.load()?;
    if let Some(path) = &args.key {
        config.knowledge.key_file.clone_from(path);
    }
    let language = language::of_environment();
    let key = keys::key(&config, args.update, language)?;
    let signing = keys::signing(&config, args.signing_key.as_deref(), args.update, language)?;
    let (signer, signers) = (signing.signer(), config.knowledge.signers.clone());
    let is_named = signers.take(&signer);
    let keyring = Keyring { key, signers: signers.and(signer) };
    let key = &keyring.key;
    let earlier = if args.update { Some(opened(&args.output, &keyring)?) } else { None };
    if let Some(earlier) = earlier.as_ref().filter(|earlier| earlier.signer != signer) {
        eprintln!("{}", report::other_signer(language, earlier.signer, signer));
    }
    let earlier = earlier.map(|pack| pack.sections);
    let beside = args.output.with_extension(EXAMPLES);
    let examples = if args.update { kept_examples(&beside, &keyring, language) } else { Vec::new() };
    let lesson = Lesson {
        name: args.name.clone(),
        exact: args.exact.clone(),
        dictionaries: args.dictionary.clone(),
        documents: args.documents.clone(),
        public: args.public.clone(),
        remove: args.remove.clone(),
        reviews: if args.update { reviews::read(&args.reviews, &config.state.directory)? } else { None },
        primary: args.primary.clone(),
        names: if args.keep_names { Names::Kept } else { Names::Dropped },
        aim: Aim { against: if args.without_public { Against::Ordinary } else { Against::Public }, false_positives: args.false_positives },
    };
    if args.without_public {
        eprintln!("{}", report::without_public(language));
    }
    // Earlier packs are no part of the lesson, and may be what is to be replaced.
    let detectors = config.untaught(&[]).map_err(super::Problems)?;
    let model = config.model().map_err(super::Problems)?;
    let begun = Instant::now();
    let bar = progress();
    let means = Means { key, detectors: &detectors, model: model.as_deref() };
    let earlier_lesson = earlier.as_deref().map(|pack| Earlier { pack, examples: &examples });
    let learnt = learn::learn(&lesson, means, earlier_lesson, &mut |progress| bar.set_message(said(language, progress)));
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
    let knowing =
        |detectors: Detectors, pack: Pack| detectors.with_knowledge(Arc::new(Knowledge::new(key.digester(), vec![pack], thresholds)));
    let mut detectors = detectors;
    let mut before = None;
    if let Some(earlier) = &earlier {
        detectors = knowing(detectors, Pack::read(earlier)?);
        before = Some(learn::evaluate(&detectors, &[], &learnt.rows, &learnt.held_out));
    }
    let evaluation = learn::evaluate(&knowing(detectors, pack), &learnt.samples, &learnt.rows, &learnt.held_out);
    let trials = match earlier.as_deref().zip(before.as_ref()) {
        Some((earlier, before)) => learn::compare(model.as_deref(), earlier, &learnt, [before, &evaluation])?,
        None => Vec::new(),
    };
    if !args.force && trials.iter().any(Trial::is_worse) {
        anyhow::bail!("{}: {}", args.output.display(), promotion::refused(language, &trials));
    }
    let report = report::report(language, &learnt, &evaluation, &trials, took, memory);
    let file = seal::seal(key, &signing, learnt.sections)?;
    state::write_private(&args.output, &file).with_context(|| args.output.display().to_string())?;
    if let Some(examples) = learnt.examples {
        let file = seal::seal(key, &signing, vec![examples])?;
        state::write_private(&beside, &file).with_context(|| beside.display().to_string())?;
    }
    print!("{report}");
    let (path, size) = (args.output.display(), report::megabytes(file.len()));
    println!(
        "{}",
        choose(
            language,
            format!("Written to {path} ({size}). Put it into force with  [knowledge] packs = [\"{path}\"]"),
            format!("已写入 {path}（{size}）。在配置中启用：[knowledge] packs = [\"{path}\"]")
        )
    );
    println!("{}", report::signed(language, signer));
    if !is_named {
        eprintln!("{}", report::unnamed(language, signer));
    }
    Ok(Outcome::Clean)
}

/// A pack, or what is kept beside it.
fn opened(path: &Path, keyring: &Keyring) -> anyhow::Result<Opened> {
    let mut file = fs::read(path).with_context(|| path.display().to_string())?;
    seal::open(keyring, &mut file).with_context(|| path.display().to_string())
}

/// What the head of an earlier lesson was trained on. It can be had again, so its loss is no error.
fn kept_examples(path: &Path, keyring: &Keyring, language: Language) -> Vec<Section> {
    match opened(path, keyring) {
        Ok(examples) => examples.sections,
        Err(error) => {
            let is_absent = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
            if !is_absent {
                let lost = choose(language, "the head is trained on the sources that are named now", "分类头仅用本次指定的来源训练");
                eprintln!("{error:#}; {lost}");
            }
            Vec::new()
        }
    }
}

/// A share in (0, 0.5].
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 0.5);
    share.ok_or_else(|| "a share above 0 and up to 0.5, such as 0.001".to_owned())
}
