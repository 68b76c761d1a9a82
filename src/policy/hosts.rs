//! Which hosts are meant: exact names, globs, networks and named categories.

use crate::{problem::Problem, table::File};
use ipnet::IpNet;
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    sync::{Arc, LazyLock},
};

/// A list of hosts as an operator writes it, item by item:
///
/// | item              | matches                                                                   |
/// |-------------------|---------------------------------------------------------------------------|
/// | `example.com`     | that name only                                                            |
/// | `*.example.com`   | every name below it, not the name itself                                  |
/// | `.example.com`    | the name and every name below it                                          |
/// | `s3.*.amazonaws.com` | `*` inside a name stands for any run of characters without a dot       |
/// | `10.0.0.0/8`      | addresses of that network, where the destination is written as an address |
/// | `category:social` | the hosts of that category                                                |
/// | `*`               | everything                                                                |
/// | `!` before any    | an exception: what it matches is not meant                                |
///
/// An empty list, or one of exceptions only, means every host that is no exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    meant: Set,
    exceptions: Set,
    anything: Anything,
}

/// Whether a list names what is meant, or means everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Anything {
    #[default]
    Meant,
    NotMeant,
}

impl Hosts {
    /// Adds one item to the list.
    ///
    /// # Errors
    /// [`BadHost`] with the cause and the fix.
    pub fn add(&mut self, item: &str, categories: &Categories) -> Result<(), BadHost> {
        match item.strip_prefix('!') {
            Some(exception) => self.exceptions.add(exception, categories),
            None => {
                self.anything = Anything::NotMeant;
                self.meant.add(item, categories)
            }
        }
    }

    /// An empty list that means no host until one is added: for lists of hosts to treat specially.
    pub fn none() -> Self {
        Self { anything: Anything::NotMeant, ..Self::default() }
    }

    /// Whether `host` (a name in lower case, or an address; no port) is meant.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        (self.anything == Anything::Meant || self.meant.matches(host)) && !self.exceptions.matches(host)
    }

    /// Whether one of the names of a destination is meant. An exception counts only if it covers every other name
    /// too: a request cannot hide behind a harmless `Host`.
    pub fn matches_any(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.matches(name)) || names.is_empty() && self.anything == Anything::Meant
    }
}

/// An item of a host list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}; {fix}")]
pub struct BadHost {
    /// What is wrong.
    pub cause: String,
    /// What to write instead.
    pub fix: String,
}

/// Hosts, looked up by hash; only true globs and networks are tried one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Set {
    everything: bool,
    exact: HashSet<Box<str>>,
    /// Of `.example.com` and `*.example.com`: the part after the first dot.
    below: HashSet<Box<str>>,
    globs: Vec<Box<str>>,
    networks: Vec<IpNet>,
    categories: Vec<Arc<Set>>,
}

impl Set {
    fn add(&mut self, item: &str, categories: &Categories) -> Result<(), BadHost> {
        if let Some(name) = item.strip_prefix("category:") {
            let category = categories.sets.get(name).ok_or_else(|| BadHost {
                cause: format!("there is no category {name:?}"),
                fix: crate::table::suggestion(name, categories.names()),
            })?;
            self.categories.push(Arc::clone(category));
            return Ok(());
        }
        if item == "*" {
            self.everything = true;
            return Ok(());
        }
        if let Ok(network) = item.parse() {
            self.networks.push(network);
            return Ok(());
        }
        let name = item.to_lowercase();
        if item.parse::<IpAddr>().is_ok() {
            self.exact.insert(name.into());
            return Ok(());
        }
        let rest = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
        check(rest.unwrap_or(&name), item)?;
        match rest {
            Some(rest) if rest.contains('*') => {
                self.globs.push(name.clone().into());
            }
            Some(rest) => {
                self.below.insert(rest.into());
                if name.starts_with('.') {
                    self.exact.insert(rest.into());
                }
            }
            None if name.contains('*') => self.globs.push(name.into()),
            None => {
                self.exact.insert(name.into());
            }
        }
        Ok(())
    }

    fn matches(&self, host: &str) -> bool {
        self.everything
            || self.exact.contains(host)
            || above(host).any(|domain| self.below.contains(domain))
            || self.globs.iter().any(|glob| glob_matches(glob, host))
            || (!self.networks.is_empty() && self.holds_address(host))
            || self.categories.iter().any(|category| category.matches(host))
    }

    fn holds_address(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok_and(|address| self.networks.iter().any(|network| network.contains(&address.to_canonical())))
    }
}

/// The domains above a name: of `a.b.c`, `b.c` and `c`.
fn above(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(host.split_once('.').map(|(_, rest)| rest), |rest| rest.split_once('.').map(|(_, rest)| rest))
}

/// Whether `host` fits `glob`, label by label from the right; a leading `*` or empty label takes what is left over.
fn glob_matches(glob: &str, host: &str) -> bool {
    let (head, tail) = match glob.strip_prefix("*.").or_else(|| glob.strip_prefix('.')) {
        Some(tail) => (glob.strip_suffix(tail), tail),
        None => (None, glob),
    };
    let mut labels = host.rsplit('.');
    let fits = tail.rsplit('.').all(|pattern| labels.next().is_some_and(|label| label_matches(pattern, label)));
    let left = labels.count();
    fits && match head {
        None => left == 0,
        Some("*.") => left > 0,
        Some(_name_itself_too) => true,
    }
}

/// Whether a label fits a pattern in which `*` stands for any run of characters.
fn label_matches(pattern: &str, label: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| label.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => rest.is_empty(),
    }
}

fn check(name: &str, item: &str) -> Result<(), BadHost> {
    let bad = |cause: String, fix: &str| Err(BadHost { cause, fix: fix.to_owned() });
    if item.contains("://") || item.contains('/') {
        return bad(format!("{item:?} is a URL, not a host"), "write the host alone, like \"example.com\"");
    }
    if let Some((host, port)) = item.rsplit_once(':')
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return bad(format!("{item:?} has a port; hosts are matched without"), &format!("write {host:?}"));
    }
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '*'));
    if !name.split('.').all(label) {
        return bad(format!("{item:?} is not a host"), "write \"example.com\", \"*.example.com\", \".example.com\" or \"category:NAME\"");
    }
    if !name.is_ascii() {
        return bad(
            format!("{item:?} is an international name in its readable form"),
            "write it as browsers send it, in punycode: \"xn--...\"",
        );
    }
    Ok(())
}

/// Named groups of hosts, for `category:NAME`.
#[derive(Clone, Debug, Default)]
pub struct Categories {
    sets: BTreeMap<String, Arc<Set>>,
}

impl Categories {
    /// The shipped categories, `config/categories.toml`.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Categories> = LazyLock::new(|| {
            // A test holds the shipped file to be without problems.
            Categories::parse("config/categories.toml", include_str!("../../config/categories.toml")).unwrap_or_default()
        });
        &EMBEDDED
    }

    /// Reads a file of tables `[name]`, each with `hosts = [...]`.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        File::new(file, text).read(|root| {
            let mut all = Self::default();
            for (name, value) in root.entries() {
                let hosts = value.section(|table| {
                    table.required("hosts", "list them: hosts = [\".example.com\"]", |value| {
                        value.list(|value| value.text().map(|text| (text.to_owned(), value.clone())))
                    })
                });
                for (host, value) in hosts.flatten().unwrap_or_default() {
                    if let Err(bad) = all.add(name, &host) {
                        let _ = value.wrong::<()>(&bad.cause, &bad.fix);
                    }
                }
            }
            all
        })
    }

    /// Adds a host to a category, which may be new.
    ///
    /// # Errors
    /// [`BadHost`] with cause and fix.
    pub fn add(&mut self, category: &str, host: &str) -> Result<(), BadHost> {
        // Categories of categories could be circular; nothing needs them.
        Arc::make_mut(self.sets.entry(category.to_owned()).or_default()).add(host, &Self::default())
    }

    /// The names of all categories.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.sets.keys().map(String::as_str)
    }

    /// The names of the categories that hold `host`.
    pub fn of<'s>(&'s self, host: &'s str) -> impl Iterator<Item = &'s str> {
        self.sets.iter().filter(move |(_, set)| set.matches(host)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(items: &[&str]) -> Hosts {
        let mut hosts = Hosts::default();
        for item in items {
            hosts.add(item, Categories::embedded()).expect(item);
        }
        hosts
    }

    #[test]
    fn a_star_takes_what_is_below_and_a_dot_the_name_too() {
        assert!(hosts(&["*.example.com"]).matches("a.b.example.com"));
        assert!(!hosts(&["*.example.com"]).matches("example.com"));
        assert!(hosts(&[".example.com"]).matches("example.com") && hosts(&[".example.com"]).matches("x.example.com"));
        assert!(!hosts(&[".example.com"]).matches("badexample.com"));
        assert!(hosts(&["example.com"]).matches("example.com") && !hosts(&["example.com"]).matches("x.example.com"));
        assert!(hosts(&["example.com"]).matches("example.com."), "a rooted name is the same name");
    }

    #[test]
    fn a_star_inside_a_name_stops_at_dots() {
        let bedrock = hosts(&["bedrock-runtime*.*.amazonaws.com"]);
        assert!(
            bedrock.matches("bedrock-runtime.eu-west-1.amazonaws.com") && bedrock.matches("bedrock-runtime-fips.us-east-1.amazonaws.com")
        );
        assert!(!bedrock.matches("bedrock-runtime.amazonaws.com") && !bedrock.matches("bedrock-runtime.a.b.amazonaws.com"));
        assert!(hosts(&["*.s3.*.amazonaws.com"]).matches("bucket.s3.eu-west-1.amazonaws.com"));
        assert!(!hosts(&["*.s3.*.amazonaws.com"]).matches("s3.eu-west-1.amazonaws.com"));
        assert!(label_matches("a*b*c", "aXbYc") && label_matches("*", "") && !label_matches("a*a", "a") && label_matches("a*b", "abab"));
    }

    #[test]
    fn networks_match_addresses_and_their_mapped_forms() {
        let private = hosts(&["10.0.0.0/8", "fc00::/7"]);
        assert!(private.matches("10.1.2.3") && private.matches("::ffff:10.1.2.3") && private.matches("fd00::1"));
        assert!(!private.matches("11.0.0.1") && !private.matches("10.example.com"));
    }

    #[test]
    fn an_exception_holds_only_where_every_name_is_one() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let list = hosts(&["category:ai-assistants", "!chatgpt.com"]);
        assert!(list.matches("claude.ai") && !list.matches("chatgpt.com"));
        assert!(!list.matches_any(&names(&["chatgpt.com"])));
        assert!(list.matches_any(&names(&["chatgpt.com", "claude.ai"])), "a harmless name does not cover the other");
        assert!(hosts(&["!a.com"]).matches_any(&names(&["b.com"])) && hosts(&[]).matches_any(&names(&["b.com"])));
    }

    #[test]
    fn a_list_of_special_hosts_is_empty_at_first() {
        assert!(!Hosts::none().matches("example.com"));
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_fix() {
        let bad = |item: &str| Hosts::default().add(item, Categories::embedded()).expect_err(item).to_string();
        insta::assert_snapshot!(["https://a.com/x", "a.com:443", "a b.com", "category:ai-asistants", "bücher.de"].map(bad).join("\n"));
    }

    #[test]
    fn the_shipped_categories_are_sound_and_know_the_big_names() {
        let categories = Categories::parse("categories.toml", include_str!("../../config/categories.toml")).expect("sound");
        for (host, category) in [
            ("chatgpt.com", "ai-assistants"),
            ("chat.deepseek.com", "ai-assistants"),
            ("kimi.moonshot.cn", "ai-assistants"),
            ("gitee.com", "code-hosting"),
            ("weibo.com", "social"),
            ("mail.qq.com", "webmail"),
            ("pan.baidu.com", "file-sharing"),
            ("pastebin.com", "paste"),
            ("api.stripe.com", "payments"),
            ("cashier.alipay.com", "payments"),
            ("kyfw.12306.cn", "travel-booking"),
        ] {
            assert!(categories.of(host).any(|name| name == category), "{host}");
        }
        assert_eq!(categories.of("example.org").count(), 0);
    }
}
