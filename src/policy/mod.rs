//! Findings and gaps, who and where, to a verdict.
//!
//! A policy is a list of rules. All that match count, and the strictest action wins, finding by finding; so an
//! exception is written into the rule that it is an exception from (`!` before an item of a list), never as a milder
//! rule after it.

mod allow;
mod dismissed;
mod file;
mod hosts;
mod selection;

pub use allow::{AllowList, Whereabouts};
pub use dismissed::{Dismissal, Dismissed, TooMany};
pub use hosts::{BadHost, Categories, Hosts};

use crate::{
    content::{Document, RewriteError},
    finding::{Evidence, Finding, Gap},
    inspect::Message,
    problem::Problem,
    words::Words,
};
use ipnet::IpNet;
use selection::Selection;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Rules in order, and what every gap means.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    gaps: BTreeMap<Gap, Action>,
    allow: AllowList,
    model: ModelPolicy,
}

/// What the model is good for, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelUse {
    /// It does not read.
    Off,
    /// Its findings are recorded and decide nothing.
    Observe,
    /// Its findings count like others.
    #[default]
    On,
}

/// `[model]`: at which destinations the model does less.
#[derive(Clone, Debug)]
struct ModelPolicy {
    /// What the configuration says.
    most: ModelUse,
    observe: Hosts,
    off: Hosts,
}

/// What to do, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Let it pass.
    Allow,
    /// Let it pass and record it.
    Log,
    /// Replace what was found.
    Redact,
    /// Refuse the request.
    Block,
}

impl Action {
    /// How it is written in a policy, in the audit and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Log => "log",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }
}

/// What stands in place of a redacted value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Redaction {
    /// `[EMAIL]`
    #[default]
    Label,
    /// `j***@e******.com`
    Mask,
    /// `[EMAIL:3f2a9c]`
    Hash,
}

/// What a policy can ask about a message.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who sends it.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<&'a str>,
    /// Every name of the destination, in lower case and without port.
    pub hosts: &'a [String],
    /// The method.
    pub method: &'a str,
}

impl<'a> Facts<'a> {
    /// The facts of a message.
    pub fn of(message: &Message<'a>) -> Self {
        Self { client: message.client, user: message.user, hosts: message.hosts, method: message.method.as_str() }
    }
}

/// What is decided on a message.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The strictest of all decisions.
    pub action: Action,
    /// One for each finding, in order.
    pub decisions: Vec<Decision>,
    /// Name of the policy rule that decided, or of the gap where `[gaps]` did; `None` where nothing was to decide.
    pub rule: Option<Arc<str>>,
    /// What that rule says to the person whose request it is.
    pub message: Option<Arc<Words>>,
    /// The gap that decided, where one did.
    pub gap: Option<Gap>,
    /// Why a redaction became a block.
    pub reason: Option<RewriteError>,
}

/// What is decided on one finding.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What to do about it.
    pub action: Action,
    /// How to redact it.
    pub redaction: Redaction,
    /// Name of the rule that decided; `None` where none matched.
    pub rule: Option<Arc<str>>,
    /// What that rule says about it.
    pub message: Option<Arc<Words>>,
}

impl Policy {
    /// The shipped policy, `config/policy.toml`.
    #[expect(clippy::expect_used, reason = "a test holds the shipped policy to be sound; there is nothing safe to fall back to")]
    pub fn embedded() -> Self {
        Self::parse("config/policy.toml", include_str!("../../config/policy.toml")).expect("the shipped policy is sound")
    }

    /// Reads a policy file; `file` is its name in problems.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        file::parse(file, text)
    }

    /// The same policy, with what the company allows.
    pub fn with_allow_list(self, allow: AllowList) -> Self {
        Self { allow, ..self }
    }

    /// What the company allows.
    pub fn allow_list(&self) -> &AllowList {
        &self.allow
    }

    /// The same policy, in which the model does `most` at best.
    #[must_use]
    pub fn with_model(self, most: ModelUse) -> Self {
        Self { model: ModelPolicy { most, ..self.model }, ..self }
    }

    /// What the model is good for at a destination of these names.
    pub fn model_use(&self, hosts: &[String]) -> ModelUse {
        // A name that is listed must not hide another one.
        let all_in = |list: &Hosts| !hosts.is_empty() && hosts.iter().all(|host| list.matches(host));
        let here = match (all_in(&self.model.off), all_in(&self.model.observe)) {
            (true, _) => ModelUse::Off,
            (false, true) => ModelUse::Observe,
            (false, false) => ModelUse::On,
        };
        here.min(self.model.most)
    }

    /// The names of the rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.name)
    }

    /// Every rule's name with each label prefix it names.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().flat_map(|rule| match &rule.subject {
            Subject::Findings(selection) => selection.label_prefixes().map(|prefix| (&*rule.name, prefix)).collect(),
            Subject::Request | Subject::Gaps(_) => Vec::new(),
        })
    }

    /// What `[gaps]` says about a gap.
    pub fn gap(&self, gap: Gap) -> Action {
        self.gaps.get(&gap).copied().unwrap_or(Action::Block)
    }

    /// Decides on a message that has these findings (by segment, then start; none overlap, except that a passage holds others) and
    /// gaps.
    pub fn decide(&self, facts: &Facts<'_>, document: &Document<'_>, findings: &[Finding], gaps: &[Gap]) -> Verdict {
        let is_observed = |finding: &Finding| finding.evidence == Evidence::Model;
        if self.model_use(facts.hosts) == ModelUse::On || !findings.iter().any(is_observed) {
            return self.weigh(facts, document, findings, gaps);
        }
        // What is only observed must not count as a neighbour or in a number either.
        let firm: Vec<Finding> = findings.iter().filter(|finding| !is_observed(finding)).cloned().collect();
        let mut verdict = self.weigh(facts, document, &firm, gaps);
        let all = self.weigh(facts, document, findings, &[]);
        let mut firm = std::mem::take(&mut verdict.decisions).into_iter();
        for (finding, mut decision) in findings.iter().zip(all.decisions) {
            if is_observed(finding) {
                decision.action = decision.action.min(Action::Log);
                if decision.action > verdict.action {
                    (verdict.action, verdict.rule) = (decision.action, decision.rule.clone());
                }
                verdict.decisions.push(decision);
            } else {
                verdict.decisions.extend(firm.next());
            }
        }
        verdict
    }

    fn weigh(&self, facts: &Facts<'_>, document: &Document<'_>, findings: &[Finding], gaps: &[Gap]) -> Verdict {
        let mut decisions: Vec<Decision> = findings.iter().map(|_| Decision::none()).collect();
        let mut all = Strictest::default();
        for rule in self.rules.iter().filter(|rule| rule.is_about(findings, gaps) && rule.applies(facts)) {
            match &rule.subject {
                Subject::Findings(selection) => {
                    for index in selection.pick(document, findings) {
                        decisions.get_mut(index).into_iter().for_each(|decision| decision.raise(rule));
                        all.offer(rule.action, &rule.name, rule.message.as_ref(), None);
                    }
                }
                Subject::Request => {
                    decisions.iter_mut().for_each(|decision| decision.raise(rule));
                    all.offer(rule.action, &rule.name, rule.message.as_ref(), None);
                }
                Subject::Gaps(named) => {
                    if let Some(gap) = gaps.iter().find(|gap| named.contains(gap)) {
                        all.offer(rule.action, &rule.name, rule.message.as_ref(), Some(*gap));
                    }
                }
            }
        }
        for gap in gaps {
            all.offer(self.gap(*gap), &Arc::from(gap.name()), None, Some(*gap));
        }
        let Strictest { action, rule, message, gap } = all;
        Verdict { action, decisions, rule, message, gap, reason: None }
    }
}

impl Verdict {
    /// Turns a redaction that cannot be had into a block that says why.
    pub fn block_instead(&mut self, error: RewriteError) {
        self.action = Action::Block;
        self.reason = Some(error);
        for decision in self.decisions.iter_mut().filter(|decision| decision.action == Action::Redact) {
            decision.action = Action::Block;
        }
    }

    /// Whether the request was refused only because we were too busy or too slow: 503 with `Retry-After`, not 403.
    pub fn is_temporary(&self) -> bool {
        self.action == Action::Block && matches!(self.gap, Some(Gap::Overloaded | Gap::TimedOut))
    }
}

impl Decision {
    fn none() -> Self {
        Self { action: Action::Allow, redaction: Redaction::default(), rule: None, message: None }
    }

    /// Takes over what `rule` says if that is stricter: of equally strict rules, the first decides.
    fn raise(&mut self, rule: &Rule) {
        if rule.action > self.action {
            *self =
                Self { action: rule.action, redaction: rule.redaction, rule: Some(Arc::clone(&rule.name)), message: rule.message.clone() };
        }
    }
}

/// The strictest action so far, and whose it is.
struct Strictest {
    action: Action,
    rule: Option<Arc<str>>,
    message: Option<Arc<Words>>,
    gap: Option<Gap>,
}

impl Default for Strictest {
    fn default() -> Self {
        Self { action: Action::Allow, rule: None, message: None, gap: None }
    }
}

impl Strictest {
    fn offer(&mut self, action: Action, rule: &Arc<str>, message: Option<&Arc<Words>>, gap: Option<Gap>) {
        if action > self.action {
            *self = Self { action, rule: Some(Arc::clone(rule)), message: message.cloned(), gap };
        }
    }
}

/// One `[[rule]]`.
#[derive(Clone, Debug)]
struct Rule {
    name: Arc<str>,
    hosts: Hosts,
    users: List<String>,
    /// The members of the groups that the rule names.
    members: List<String>,
    clients: List<IpNet>,
    /// In upper case.
    methods: List<String>,
    subject: Subject,
    action: Action,
    redaction: Redaction,
    message: Option<Arc<Words>>,
}

/// What a rule is about.
#[derive(Clone, Debug)]
enum Subject {
    /// The request as such; when it blocks, it blocks without findings too.
    Request,
    /// Some of its findings.
    Findings(Selection),
    /// What could not be read of it.
    Gaps(Vec<Gap>),
}

impl Rule {
    /// Whether the rule can decide anything here; asked first, since most requests have neither findings nor gaps.
    fn is_about(&self, findings: &[Finding], gaps: &[Gap]) -> bool {
        match &self.subject {
            Subject::Request => self.action == Action::Block || !findings.is_empty(),
            Subject::Findings(_) => !findings.is_empty(),
            Subject::Gaps(_) => !gaps.is_empty(),
        }
    }

    fn applies(&self, facts: &Facts<'_>) -> bool {
        let user = |name: &String| facts.user == Some(name.as_str());
        self.methods.matches(|method| method.eq_ignore_ascii_case(facts.method))
            && self.users.matches(user)
            && self.members.matches(user)
            && self.clients.matches(|network| network.contains(&facts.client.to_canonical()))
            && self.hosts.matches_any(facts.hosts)
    }
}

/// What is meant and what is excepted; nothing meant means everything is.
#[derive(Clone, Debug)]
struct List<T> {
    /// `None` where the list names nothing but exceptions.
    meant: Option<Vec<T>>,
    exceptions: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { meant: None, exceptions: Vec::new() }
    }
}

impl<T> List<T> {
    /// All that it names.
    fn items(&self) -> impl Iterator<Item = &T> {
        self.meant.iter().flatten().chain(&self.exceptions)
    }

    fn matches(&self, is: impl Fn(&T) -> bool) -> bool {
        self.meant.as_ref().is_none_or(|meant| meant.iter().any(&is)) && !self.exceptions.iter().any(&is)
    }
}

#[cfg(test)]
mod tests;
