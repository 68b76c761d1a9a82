//! `exeat check`: every problem of configuration, policy and rules at once.

mod cost;

use super::{
    ConfigArgs, Outcome, Problems,
    language::{self, choose, counted},
};
use exeat::{
    detect::{Detectors, model},
    problem::Problem,
    words::Language,
};
use std::path::PathBuf;

/// Validate configuration, policy and rules, and list every problem
///
/// Rules are proved on their own examples and counterexamples, the shipped ones and the operator's against each other.
/// For each of the operator's rules it prints what it costs and how often it fires on ordinary text.
///
/// Exit status: 0 all good, 2 a problem.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Further rule files, or folders of them, to check as if they were configured
    #[arg(value_name = "RULES")]
    rules: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let config = args.config.load()?;
    let (detectors, policy) = match (config.detectors_and(&args.rules), config.policy()) {
        (Ok(detectors), Ok(policy)) => (detectors, policy),
        (detectors, policy) => return Err(Problems(detectors.err().into_iter().chain(policy.err()).flatten().collect()).into()),
    };
    let mut problems = detectors.prove();
    // The shipped policy is held to the shipped rules by a test.
    if let Some(file) = &config.policy.file {
        problems.extend(labels_of_no_rule(&detectors, policy.labels(), &file.display().to_string(), "rule"));
    }
    if let Some(file) = &config.policy.allow {
        problems.extend(labels_of_no_rule(&detectors, policy.allow_list().labels(), &file.display().to_string(), "allow"));
    }
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    let model = config.model().map_err(Problems)?;
    let language = language::of_environment();
    let (rules, policy_rules, allowed) = (detectors.rules().count(), policy.rules().count(), policy.allow_list().len());
    println!(
        "{}",
        choose(
            language,
            format!("{}, {}, {}: all good", counted(rules, "rule"), counted(policy_rules, "policy rule"), counted(allowed, "allowed item")),
            format!("{rules} 条检测规则，{policy_rules} 条策略规则，{allowed} 条白名单：全部正确")
        )
    );
    if let Some(model) = &model {
        let version = model.version();
        println!("{}", choose(language, format!("model {version}: self-test passed"), format!("模型 {version}：自检通过")));
    }
    if let (Some(model), Some(knowledge)) = (&model, detectors.knowledge()) {
        knowledge.stale_heads(model.id()).for_each(|pack| println!("{}", stale(language, pack.name())));
    }
    let own = config.rules.directories.iter().chain(&args.rules).cloned().collect::<Vec<_>>();
    for cost in cost::of(&config, &own)? {
        println!("{}", words(language, &cost));
    }
    Ok(Outcome::Clean)
}

/// A warning and no problem: rules, tables and passages of the pack are at work.
fn stale(language: Language, pack: &str) -> String {
    choose(
        language,
        format!(
            "WARNING: pack {pack:?}: its head was trained with another model and finds nothing; run \"exeat learn --update\" with its documents"
        ),
        format!("警告：数据包“{pack}”的分类头由其他模型训练，不起作用；请用其文档运行 exeat learn --update"),
    )
}

fn words(language: Language, cost: &cost::Cost) -> String {
    let (id, share, hits) = (&cost.id, cost.share * 100.0, cost.findings);
    choose(
        language,
        format!("{id}: {share:+.1} % time on ordinary text, {} there", counted(hits, "finding")),
        format!("{id}：普通文本耗时 {share:+.1} %，误报 {hits} 项"),
    )
}

/// Families of labels (ARCHITECTURE.md); any of them may be named as a whole.
const FAMILIES: [&str; 9] = ["personal", "id", "org", "finance", "health", "secret", "network", "business", "company"];
/// What the company's own indexes find, beside rules and model.
const LEARNT: [&str; 4] = ["company", "company.exact", "company.document", "company.classifier"];

/// A label that nothing can find is a misspelling.
fn labels_of_no_rule<'p>(detectors: &Detectors, named: impl Iterator<Item = (&'p str, &'p str)>, file: &str, what: &str) -> Vec<Problem> {
    let is_known = |prefix: &str| {
        let is_under = |family: &&str| prefix.strip_prefix(*family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let by_model = model::labels().any(|label| label.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        FAMILIES.contains(&prefix) || LEARNT.iter().any(is_under) || by_model || detectors.rules().any(|rule| rule.label.is_under(prefix))
    };
    let by_model: Vec<&str> = model::labels().collect();
    let labels: Vec<&str> = detectors.rules().map(|rule| rule.label.as_str()).chain(by_model).chain(LEARNT).chain(FAMILIES).collect();
    let unknown = named.filter(|(_, prefix)| !is_known(prefix));
    let problem = |(rule, prefix): (&str, &str)| Problem {
        file: file.to_owned(),
        line: None,
        item: format!("{what} {rule:?}: {}label", if what == "rule" { "when." } else { "" }),
        cause: format!("nothing is ever labelled {prefix:?}"),
        fix: nearest(prefix, &labels),
    };
    unknown.map(problem).collect()
}

/// The known prefix of the same depth that is most like it.
fn nearest(prefix: &str, labels: &[&str]) -> String {
    let depth = prefix.split('.').count();
    let prefixes = labels.iter().map(|label| label.split('.').take(depth).collect::<Vec<_>>().join("."));
    let nearest = prefixes.map(|known| (strsim::normalized_damerau_levenshtein(&known, prefix), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or_else(String::new, |(_, known)| format!("did you mean \"{known}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::policy::Policy;

    #[test]
    fn the_shipped_policy_names_labels_that_the_shipped_rules_find() {
        let detectors = Detectors::embedded().expect("shipped rules");
        let problems = labels_of_no_rule(&detectors, Policy::embedded().labels(), "config/policy.toml", "rule");
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn a_policy_label_that_no_rule_finds_is_a_problem() {
        let detectors = Detectors::embedded().expect("shipped rules");
        let policy = |label: &str| {
            Policy::parse("p.toml", &format!("[[rule]]\nname = \"r\"\nwhen = {{ label = \"{label}\" }}\naction = \"log\"\n"))
                .expect("sound")
        };
        assert!(labels_of_no_rule(&detectors, policy("personal").labels(), "p.toml", "rule").is_empty());
        assert!(labels_of_no_rule(&detectors, policy("company.exact.customers").labels(), "p.toml", "rule").is_empty());
        let policy = policy("personal.emial");
        let problems = labels_of_no_rule(&detectors, policy.labels(), "p.toml", "rule");
        assert_eq!(
            problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["p.toml: rule \"r\": when.label: nothing is ever labelled \"personal.emial\"; did you mean \"personal.email\"?"]
        );
    }
}
