//! The keys of the configuration file: names, defaults, and what is a proper value of each.

use super::{
    AccessLog, Admin, Audit, Config, Inspect, Knowledge, Level, Log, LogFormat, Overrides, Parent, PolicyFile, Proxy, Reply, Rules,
    SHIPPED, State, Store, Tls, Upstream,
};
use crate::{
    detect::TestValues,
    knowledge::signer::{Signer, Signers},
    policy::{Categories, Hosts, ModelUse},
    problem::Problem,
    table::{File, Table, Value},
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// Nothing is waited for longer than a day.
const MOST_MS: u64 = 86_400_000;

pub(super) fn config(file: &str, text: &str, directory: &Path, overrides: &Overrides) -> Result<Config, Vec<Problem>> {
    let keys = Keys { directory };
    File::new(file, text).read(|root| {
        let mut proxy = root.section("proxy", |table| keys.proxy(table));
        let mut admin =
            root.section("admin", |table| Admin { listen: keys.listen(table, 8081), names: table.or("names", Vec::new(), names) });
        let mut state = root.section("state", |table| State { directory: keys.path(table, "directory").unwrap_or("exeat-state".into()) });
        overrides.proxy.iter().for_each(|address| proxy.listen = *address);
        overrides.admin.iter().for_each(|address| admin.listen = *address);
        overrides.state.iter().for_each(|directory| state.directory.clone_from(directory));
        Config {
            upstream: root.section("upstream", |table| keys.upstream(table)),
            tls: root.section("tls", |table| keys.tls(table)),
            inspect: root.section("inspect", |table| keys.inspect(table)),
            policy: root.section("policy", |table| PolicyFile { file: keys.path(table, "file"), allow: keys.path(table, "allow") }),
            rules: root.section("rules", |table| keys.rules(table)),
            knowledge: root.section("knowledge", |table| keys.knowledge(table, &state.directory)),
            audit: root.section("audit", |table| keys.audit(table, &state.directory)),
            reply: root.section("reply", |table| Reply { contact: table.optional("contact", text_if_any) }),
            log: root.section("log", log),
            proxy,
            admin,
            state,
        }
    })
}

fn names(value: &Value<'_>) -> Option<Vec<String>> {
    let name = |text: &str| {
        let host = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        host.then(|| text.to_ascii_lowercase())
    };
    value.list(|item| item.parsed("a host name, like \"exeat.corp.example\"", name))
}

fn signers(value: &Value<'_>) -> Option<Vec<Signer>> {
    value.list(|item| item.parsed("a signer, 64 hexadecimal digits as \"exeat learn\" prints them", Signer::parse))
}

struct Keys<'a> {
    directory: &'a Path,
}

impl Keys<'_> {
    fn proxy(&self, table: &Table<'_>) -> Proxy {
        Proxy {
            listen: self.listen(table, 8080),
            allow_clients: table.optional("allow_clients", networks).unwrap_or_else(local),
            auth_file: self.path(table, "auth_file"),
            max_connections: size(table, "max_connections", 4096, 1, 1_000_000),
            header_timeout: milliseconds(table, "header_timeout_ms", 10_000),
            idle_timeout: milliseconds(table, "idle_timeout_ms", 120_000),
            body_min_bytes_per_second: table.or("body_min_bytes_per_second", 256, |value| value.integer(0..=1 << 30)),
            max_body_memory_bytes: size(table, "max_body_memory_bytes", 112 << 20, 1 << 20, 1 << 40),
            drain_timeout: milliseconds(table, "drain_timeout_ms", 10_000),
        }
    }

    fn upstream(&self, table: &Table<'_>) -> Upstream {
        Upstream {
            extra_roots: self.paths(table, "extra_roots"),
            allow_private: table.or("allow_private", Vec::new(), networks),
            parent: table.optional("parent", |value| match value.text()? {
                "" => None,
                _set => value.parsed("a parent proxy, like \"http://proxy.example.com:3128\"", parent),
            }),
            parent_exceptions: table.optional("parent_exceptions", hosts).unwrap_or_else(Hosts::none),
            connect_timeout: milliseconds(table, "connect_timeout_ms", 10_000),
            response_timeout: milliseconds(table, "response_timeout_ms", 300_000),
        }
    }

    fn tls(&self, table: &Table<'_>) -> Tls {
        Tls {
            bypass: table.optional("bypass", hosts).unwrap_or_else(shipped_bypass),
            // 397 days is the most that browsers accept (CA/Browser Forum Baseline Requirements, section 6.3.2).
            leaf_days: table.optional("leaf_days", |value| value.integer(1..=397)).and_then(|days| u16::try_from(days).ok()).unwrap_or(30),
        }
    }

    fn inspect(&self, table: &Table<'_>) -> Inspect {
        let uses = [("on", ModelUse::On), ("observe", ModelUse::Observe), ("off", ModelUse::Off)];
        let threads = table.or("model_threads", 0, |value| value.integer(0..=256));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Inspect {
            max_memory_bytes: size(table, "max_memory_bytes", 16 << 20, 1 << 16, 1 << 32),
            deadline: milliseconds(table, "deadline_ms", 2000),
            queue_timeout: milliseconds(table, "queue_timeout_ms", 5000),
            model: table.or("model", ModelUse::On, |value| value.choice(&uses)),
            model_directory: self.path(table, "model_directory"),
            model_threads: usize::try_from(threads).ok().filter(|threads| *threads > 0).unwrap_or(cores),
            model_max_tokens: size(table, "model_max_tokens", 8192, 1, 1 << 24),
        }
    }

    fn rules(&self, table: &Table<'_>) -> Rules {
        let choices = [("ignore", TestValues::Ignore), ("report", TestValues::Report)];
        Rules {
            directories: self.paths(table, "directories"),
            test_values: table.or("test_values", TestValues::Ignore, |value| value.choice(&choices)),
        }
    }

    fn knowledge(&self, table: &Table<'_>, state: &Path) -> Knowledge {
        Knowledge {
            packs: self.paths(table, "packs"),
            key_file: self.path(table, "key_file").unwrap_or_else(|| state.join("knowledge.key")),
            signers: Signers::new(table.or("signers", Vec::new(), signers)),
            min_cells: size(table, "min_cells", 2, 1, 16),
            min_characters: size(table, "min_characters", 80, 20, 100_000),
        }
    }

    fn audit(&self, table: &Table<'_>, state: &Path) -> Audit {
        let days = table.optional("retention_days", |value| value.integer(1..=36_500));
        Audit {
            store: table.or("store", Store::Sqlite, |value| value.choice(&[("sqlite", Store::Sqlite)])),
            path: self.path(table, "path").unwrap_or_else(|| state.join("audit.db")),
            retention_days: days.and_then(|days| u32::try_from(days).ok()).unwrap_or(180),
        }
    }

    fn listen(&self, table: &Table<'_>, port: u16) -> SocketAddr {
        let what = format!("an address with a port, like \"127.0.0.1:{port}\" or \"[::1]:{port}\"");
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        table.or("listen", default, |value| value.parsed(&what, |text| text.parse().ok()))
    }

    fn path(&self, table: &Table<'_>, key: &'static str) -> Option<PathBuf> {
        table.optional(key, |value| match value.text()? {
            "" => None,
            path => Some(self.directory.join(path)),
        })
    }

    fn paths(&self, table: &Table<'_>, key: &'static str) -> Vec<PathBuf> {
        let path = |value: &Value<'_>| match value.text()? {
            "" => value.wrong("the path is empty", "leave it out"),
            path => Some(self.directory.join(path)),
        };
        table.or(key, Vec::new(), |value| value.list(path))
    }
}

fn log(table: &Table<'_>) -> Log {
    let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace].map(|level| (level.name(), level));
    Log {
        level: table.or("level", Level::Info, |value| value.choice(&levels)),
        format: table.or("format", LogFormat::Text, |value| value.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)])),
        access: table.or("access", AccessLog::Off, |value| value.choice(&[("off", AccessLog::Off), ("on", AccessLog::On)])),
    }
}

fn milliseconds(table: &Table<'_>, key: &'static str, default: u64) -> Duration {
    Duration::from_millis(table.or(key, default, |value| value.integer(1..=MOST_MS)))
}

fn size(table: &Table<'_>, key: &'static str, default: usize, least: u64, most: u64) -> usize {
    table.optional(key, |value| value.integer(least..=most)).and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
}

fn text_if_any(value: &Value<'_>) -> Option<String> {
    value.text().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn networks(value: &Value<'_>) -> Option<Vec<IpNet>> {
    value.list(|item| {
        item.parsed("a network, like \"10.0.0.0/8\" or \"fd00::/8\"", |text| {
            text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|net| net.trunc())
        })
    })
}

/// `127.0.0.0/8` and `::1/128`.
fn local() -> Vec<IpNet> {
    let networks = [IpNet::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8), IpNet::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128)];
    networks.into_iter().flatten().collect()
}

fn hosts(value: &Value<'_>) -> Option<Hosts> {
    let mut hosts = Hosts::none();
    value.list(|item| {
        let added = hosts.add(item.text()?, Categories::embedded());
        added.err().and_then(|bad| item.wrong::<()>(&bad.cause, &bad.fix))
    })?;
    Some(hosts)
}

/// The list stands once, in the shipped file.
fn shipped_bypass() -> Hosts {
    let shipped: toml::Table = toml::from_str(SHIPPED).unwrap_or_default();
    let list = shipped.get("tls").and_then(|tls| tls.get("bypass")).and_then(toml::Value::as_array);
    let mut hosts = Hosts::none();
    for host in list.into_iter().flatten().filter_map(toml::Value::as_str) {
        // A test compares the result with the file as read above.
        let _ = hosts.add(host, Categories::embedded());
    }
    hosts
}

fn parent(text: &str) -> Option<Parent> {
    let authority = text.strip_prefix("http://")?.trim_end_matches('/');
    let (host, port) = authority.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let bracketed_name = bare != host && bare.parse::<Ipv6Addr>().is_err();
    let is_host = !bracketed_name && !bare.is_empty() && !bare.contains(['/', '@', '?', '#', ' ']) && (bare != host || !bare.contains(':'));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then(|| Parent { host: bare.to_lowercase(), port })
}
