//! The two keys of a lesson, made on first use: one that encrypts the pack and goes where it is used, and one that signs it and stays here.

use crate::cli::{Problems, language::choose};
use anyhow::Context;
use exeat::{
    config::{Config, KEY_VARIABLE, SIGNING_KEY_VARIABLE},
    knowledge::seal::{Key, SigningKey},
    problem::Problem,
    state,
    words::Language,
};
use std::{env, path::Path};

/// The key of the packs at hand; on first use, a new one.
pub(super) fn key(config: &Config, update: bool, language: Language) -> anyhow::Result<Key> {
    let path = &config.knowledge.key_file;
    if !is_first(path, KEY_VARIABLE, update) {
        return config.knowledge_key().map_err(told);
    }
    let key = Key::random()?;
    keep(path, &key.text())?;
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

/// The key to sign with; on first use, a new one.
pub(super) fn signing(config: &Config, named: Option<&Path>, update: bool, language: Language) -> anyhow::Result<SigningKey> {
    let beside = config.signing_key_file();
    let path = named.unwrap_or(&beside);
    if !is_first(path, SIGNING_KEY_VARIABLE, update) {
        return config.signing_key(path).map_err(told);
    }
    let key = SigningKey::random()?;
    keep(path, &key.text()?)?;
    let path = path.display();
    eprintln!(
        "{}",
        choose(
            language,
            format!(
                "A new signing key was made: {path}. Keep it here and away from machines that only inspect: whoever has it signs packs in your name."
            ),
            format!("已生成新签名密钥：{path}。请仅保留在学习用的机器上，不要放到只做检查的机器上：持有者可以您的名义签署数据包。")
        )
    );
    Ok(key)
}

/// An update goes on with keys that are there: a new one would fit nothing.
fn is_first(path: &Path, variable: &str, update: bool) -> bool {
    !update && env::var_os(variable).is_none() && !path.exists()
}

fn keep(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        state::State::open(directory).with_context(|| directory.display().to_string())?;
    }
    state::write_private(path, format!("{text}\n").as_bytes()).with_context(|| path.display().to_string())
}

fn told(problem: Problem) -> anyhow::Error {
    Problems(vec![problem]).into()
}
