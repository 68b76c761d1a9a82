//! The files that a configuration names: policy and rules. Packs are opened in `packs`.

use super::{Config, Inspect};
use crate::{
    detect::{Detectors, Options, RuleFile, model::Model},
    inspect::{Inspector, Limits, Readers},
    policy::{AllowList, ModelUse, Policy},
    problem::Problem,
    redact::DigestKey,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

impl Config {
    /// Everything that inspection needs, from the files that the configuration names. `model` is what [`model`](Self::model) loaded: a reload keeps it.
    ///
    /// # Errors
    /// Every problem of all files.
    pub fn inspector(&self, key: DigestKey, model: Option<Arc<Model>>) -> Result<Inspector, Vec<Problem>> {
        let inspect = &self.inspect;
        let limits = Limits { max_bytes: inspect.max_memory_bytes, deadline: inspect.deadline, tokens: inspect.model_max_tokens };
        match (self.detectors(), self.policy()) {
            (Ok(detectors), Ok(policy)) => Ok(Inspector::new(Readers::new(Arc::new(detectors)).with_model(model), policy, key, limits)),
            (detectors, policy) => Err(detectors.err().into_iter().chain(policy.err()).flatten().collect()),
        }
    }

    /// The model, loaded and tested; `None` if it is off.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn model(&self) -> Result<Option<Arc<Model>>, Vec<Problem>> {
        let Inspect { model, model_directory, model_threads, .. } = &self.inspect;
        if *model == ModelUse::Off {
            return Ok(None);
        }
        let loaded = match model_directory {
            None => Model::embedded(*model_threads),
            Some(directory) => {
                let file = |name: &str| {
                    let path = directory.join(name);
                    fs::read(&path).map_err(|error| vec![unreadable(&path, "inspect.model_directory", &error)])
                };
                Model::load(file("exeat-zh-en.gguf")?.into(), &file("tokenizer.json")?, *model_threads)
            }
        };
        loaded.map(|model| Some(Arc::new(model))).map_err(|error| {
            let file = model_directory.as_deref().map_or("the shipped model".to_owned(), |directory| directory.display().to_string());
            let text = error.to_string();
            let (cause, fix) = text.split_once("; ").unwrap_or((&text, "set inspect.model = \"off\""));
            vec![Problem { file, line: None, item: "inspect.model".to_owned(), cause: cause.to_owned(), fix: fix.to_owned() }]
        })
    }

    /// The policy and the allow-list that the configuration names.
    ///
    /// # Errors
    /// Every problem of both files.
    pub fn policy(&self) -> Result<Policy, Vec<Problem>> {
        match (self.policy_file(), self.allow_list()) {
            (Ok(policy), Ok(allow)) => Ok(policy.with_allow_list(allow).with_model(self.inspect.model)),
            (policy, allow) => Err(policy.err().into_iter().chain(allow.err()).flatten().collect()),
        }
    }

    fn allow_list(&self) -> Result<AllowList, Vec<Problem>> {
        let Some(path) = &self.policy.allow else { return Ok(AllowList::default()) };
        let text = text(path, "policy.allow").map_err(|problem| vec![problem])?;
        AllowList::parse(&path.display().to_string(), &text)
    }

    fn policy_file(&self) -> Result<Policy, Vec<Problem>> {
        match &self.policy.file {
            None => Ok(Policy::embedded()),
            Some(path) => {
                let text = text(path, "policy.file").map_err(|problem| vec![problem])?;
                Policy::parse(&path.display().to_string(), &text)
            }
        }
    }

    /// The shipped rules, those of the directories and the packs that the configuration names.
    ///
    /// # Errors
    /// Every problem of all files.
    pub fn detectors(&self) -> Result<Detectors, Vec<Problem>> {
        self.detectors_and(&[])
    }

    /// Like [`detectors`](Self::detectors), with the rules of further files or directories.
    ///
    /// # Errors
    /// Every problem of all files.
    pub fn detectors_and(&self, more: &[PathBuf]) -> Result<Detectors, Vec<Problem>> {
        match (self.untaught(more), self.taught()) {
            (Ok(detectors), Ok(taught)) => Ok(match taught {
                Some(knowledge) => detectors.with_knowledge(Arc::new(knowledge)),
                None => detectors,
            }),
            (detectors, taught) => Err(detectors.err().into_iter().chain(taught.err()).flatten().collect()),
        }
    }

    /// The shipped rules, those of the directories and of further files or directories, without any pack.
    ///
    /// # Errors
    /// Every problem of all files.
    pub fn untaught(&self, more: &[PathBuf]) -> Result<Detectors, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut texts = Vec::new();
        let paths = self.rules.directories.iter().map(|path| (path, "rules.directories"));
        for (path, item) in paths.chain(more.iter().map(|path| (path, "RULES"))) {
            match rule_files(path, item) {
                Ok(files) => texts.extend(files),
                Err(problem) => problems.push(problem),
            }
        }
        let files: Vec<RuleFile<'_>> = texts.iter().map(|(name, text)| RuleFile { name, text }).collect();
        match Detectors::with(&files, &Options { test_values: self.rules.test_values }) {
            Ok(detectors) if problems.is_empty() => Ok(detectors),
            detectors => Err(problems.into_iter().chain(detectors.err().into_iter().flatten()).collect()),
        }
    }
}

/// Name and text of the rule file at `path`, or of every `*.toml` in that directory, by name.
fn rule_files(path: &Path, item: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut paths = Vec::new();
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| unreadable(path, item, &error))?;
        let toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()).filter(toml));
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    paths.iter().map(|path| Ok((path.display().to_string(), text(path, item)?))).collect()
}

/// The text of a file that the operator named in `item`.
pub(super) fn text(path: &Path, item: &str) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| unreadable(path, item, &error))
}

fn unreadable(path: &Path, item: &str, error: &std::io::Error) -> Problem {
    Problem {
        file: path.display().to_string(),
        line: None,
        item: item.to_owned(),
        cause: format!("cannot be read: {error}"),
        fix: "check the path and its permissions".to_owned(),
    }
}
