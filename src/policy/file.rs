//! A policy file, read into a [`Policy`].

use super::{
    Action, AllowList, Categories, Hosts, List, ModelPolicy, ModelUse, Policy, Redaction, Rule, Subject, Words, selection::Near,
    selection::Selection,
};
use crate::{
    finding::{Evidence, Gap, Label},
    problem::Problem,
    table::{File, Table, Value},
};
use ipnet::IpNet;
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

const ACTIONS: [(&str, Action); 4] = [("allow", Action::Allow), ("log", Action::Log), ("redact", Action::Redact), ("block", Action::Block)];
const REDACTIONS: [(&str, Redaction); 3] = [("label", Redaction::Label), ("mask", Redaction::Mask), ("hash", Redaction::Hash)];

const EVIDENCE: [(&str, Evidence); 5] = [
    ("checksum", Evidence::Checksum),
    ("structure", Evidence::Structure),
    ("exact", Evidence::Exact),
    ("context", Evidence::Context),
    ("model", Evidence::Model),
];

/// Reads a policy file.
///
/// # Errors
/// Every problem of the file.
pub(super) fn parse(file: &str, text: &str) -> Result<Policy, Vec<Problem>> {
    File::new(file, text).read(|root| {
        let categories = categories(root);
        let groups = groups(root);
        let mut names = HashSet::new();
        let rules = root.each("rule", |table| rule(table, &categories, &groups, &mut names));
        Policy { rules, gaps: gaps(root), allow: AllowList::default(), model: model(root, &categories) }
    })
}

/// `[categories]`: the operator's own hosts by category, added to the shipped ones.
fn categories(root: &Table<'_>) -> Categories {
    root.section("categories", |table| {
        let mut categories = Categories::embedded().clone();
        for (name, value) in table.entries() {
            let _ = value.list(|host| {
                let added = categories.add(name, host.text()?);
                added.err().and_then(|bad| host.wrong::<()>(&bad.cause, &bad.fix))
            });
        }
        categories
    })
}

/// `[model]`: hosts at which the model only observes, or does not read.
fn model(root: &Table<'_>, categories: &Categories) -> ModelPolicy {
    root.section("model", |table| {
        let hosts = |key| table.optional(key, |value| hosts(value, Hosts::none(), categories)).unwrap_or_else(Hosts::none);
        ModelPolicy { most: ModelUse::On, observe: hosts("observe"), off: hosts("off") }
    })
}

/// Adds a list of hosts to `hosts`.
fn hosts(value: &Value<'_>, mut hosts: Hosts, categories: &Categories) -> Option<Hosts> {
    value.list(|item| {
        let added = hosts.add(item.text()?, categories);
        added.err().and_then(|bad| item.wrong::<()>(&bad.cause, &bad.fix))
    })?;
    Some(hosts)
}

type Groups = BTreeMap<String, Vec<String>>;

/// `[groups]`: lists of user names.
fn groups(root: &Table<'_>) -> Groups {
    root.section("groups", |table| {
        let members = |value: &Value<'_>| value.list(|user| user.text().map(str::to_owned)).unwrap_or_default();
        table.entries().iter().map(|(name, value)| ((*name).to_owned(), members(value))).collect()
    })
}

/// `[gaps]`: what is not named keeps its shipped action.
fn gaps(root: &Table<'_>) -> BTreeMap<Gap, Action> {
    root.section("gaps", |table| Gap::ALL.iter().map(|gap| (*gap, table.or(gap.name(), shipped(*gap), gap_action))).collect())
}

fn shipped(gap: Gap) -> Action {
    match gap {
        Gap::Encrypted | Gap::UnknownEncoding | Gap::OpaqueTunnel | Gap::TooLarge | Gap::Overloaded | Gap::TimedOut => Action::Block,
        Gap::Panicked | Gap::Unrecorded => Action::Block,
        Gap::Malformed | Gap::Media | Gap::ModelSkipped => Action::Log,
    }
}

fn gap_action(value: &Value<'_>) -> Option<Action> {
    match value.choice(&ACTIONS)? {
        Action::Redact => value.wrong("what could not be read cannot be redacted", "write \"allow\", \"log\" or \"block\""),
        action => Some(action),
    }
}

fn rule(table: &Table<'_>, categories: &Categories, groups: &Groups, names: &mut HashSet<String>) -> Option<Rule> {
    let name = table.required("name", "give the rule a name; the audit and the block page show it", |value| {
        let name = value.text()?;
        match name.trim().is_empty() || !names.insert(name.to_owned()) {
            true => value.wrong("the name is empty or taken by an earlier rule", "give every rule a name of its own"),
            false => Some(name),
        }
    });
    if let Some(name) = name {
        table.call(&format!("rule {name:?}"));
    }
    let action = table.required("action", "write action = \"log\", \"redact\" or \"block\"", |value| {
        let action = value.choice(&ACTIONS)?;
        Some((action, value.clone()))
    });
    let redaction = table.or("redaction", Redaction::default(), |value| value.choice(&REDACTIONS));
    let message = table.optional("message", |value| value.section(words).flatten()).map(Arc::new);
    let when = table.section("when", |when| When::read(when, categories, groups));
    let (action, place) = action?;
    if action == Action::Redact && matches!(when.subject, Subject::Gaps(_)) {
        return place.wrong("what could not be read cannot be redacted", "write \"log\" or \"block\"");
    }
    let When { hosts, users, members, clients, methods, subject } = when;
    Some(Rule { name: name?.into(), hosts, users, members, clients, methods, subject, action, redaction, message })
}

/// What a rule says to people; a language that is left out is given the other one's words.
fn words(table: &Table<'_>) -> Option<Words> {
    let text = |value: &Value<'_>| value.text().map(str::to_owned);
    match (table.optional("en", text), table.optional("zh", text)) {
        (Some(en), Some(zh)) => Some(Words::new(en, zh)),
        (Some(only), None) | (None, Some(only)) => Some(Words::new(only.clone(), only)),
        (None, None) => None,
    }
}

struct When {
    hosts: Hosts,
    users: List<String>,
    members: List<String>,
    clients: List<IpNet>,
    methods: List<String>,
    subject: Subject,
}

impl When {
    fn read(when: &Table<'_>, categories: &Categories, groups: &Groups) -> Self {
        let hosts = when.or("host", Hosts::default(), |value| hosts(value, Hosts::default(), categories));
        let users = when.or("user", List::default(), |value| list(value, |_, text| Some(vec![text.to_owned()])));
        let members = when.or("group", List::default(), |value| {
            list(value, |item, name| match groups.get(name) {
                Some(members) => Some(members.clone()),
                None => item.wrong(&format!("there is no group {name:?}"), "list its users: [groups] NAME = [\"user\", ...]"),
            })
        });
        let clients =
            when.or("client", List::default(), |value| list(value, |item, text| network(item, text).map(|network| vec![network])));
        let methods = when.or("method", List::default(), |value| list(value, |_, text| Some(vec![text.to_owned()])));
        Self { hosts, users, members, clients, methods, subject: subject(when) }
    }
}

/// The keys that say what a rule is about: findings, gaps, or the request as such.
fn subject(when: &Table<'_>) -> Subject {
    let labels = when.optional("label", labels);
    let confidence = when.optional("confidence", Value::fraction);
    let evidence = when.optional("evidence", |value| {
        list(value, |item, text| match EVIDENCE.iter().find(|(name, _)| *name == text) {
            Some((_, evidence)) => Some(vec![*evidence]),
            None => {
                item.wrong(&format!("{text:?} is no evidence"), "write \"checksum\", \"structure\", \"exact\", \"context\" or \"model\"")
            }
        })
    });
    let distinct = when.optional("distinct", |value| value.integer(1..=1_000_000));
    let near = when.optional("near", |value| {
        value.section(|table| {
            let labels = table.required("label", "name what must be near: label = [\"health\"]", self::labels);
            let within = table.optional("within", |value| value.integer(0..=100_000));
            let confidence = table.or("confidence", 0.0, Value::fraction);
            Some(Near { labels: labels?, within: within.and_then(|within| usize::try_from(within).ok()), confidence })
        })?
    });
    let gaps = when.value("gap");
    let about_findings = labels.is_some() || confidence.is_some() || evidence.is_some() || distinct.is_some() || near.is_some();
    match gaps {
        Some(gaps) if about_findings => {
            let _ = gaps.wrong::<()>("a rule is about findings or about gaps, not both", "write two rules");
            Subject::Request
        }
        Some(gaps) => Subject::Gaps(gaps.list(|gap| gap.choice(&Gap::ALL.map(|gap| (gap.name(), gap)))).unwrap_or_default()),
        None if about_findings => Subject::Findings(Selection {
            labels: labels.unwrap_or_default(),
            confidence: confidence.unwrap_or_default(),
            evidence: evidence.unwrap_or_default(),
            distinct: distinct.and_then(|number| usize::try_from(number).ok()).unwrap_or(1),
            near,
        }),
        None => Subject::Request,
    }
}

pub(super) fn labels(value: &Value<'_>) -> Option<List<Label>> {
    list(value, |item, text| match Label::parse(text) {
        Ok(label) => Some(vec![label]),
        Err(bad) => item.wrong(&format!("{text:?} is not a label"), &bad.to_string()),
    })
}

/// A list in which `!` marks exceptions; an item may stand for several.
fn list<T>(value: &Value<'_>, read: impl Fn(&Value<'_>, &str) -> Option<Vec<T>>) -> Option<List<T>> {
    let mut list = List::default();
    value.list(|item| {
        let text = item.text()?;
        match text.strip_prefix('!') {
            Some(exception) => list.exceptions.extend(read(item, exception)?),
            None => list.meant.get_or_insert_with(Vec::new).extend(read(item, text)?),
        }
        Some(())
    })?;
    Some(list)
}

fn network(item: &Value<'_>, text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.or_else(|| item.wrong(&format!("{text:?} is not a network"), "write an address or a network, like \"10.0.0.0/8\""))
}
