use super::*;
use crate::knowledge::signer::Signer;

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    Config::read("exeat.toml", text, Path::new(""), &Overrides::default())
}

fn problems(text: &str) -> String {
    read(text).expect_err("problems").iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn the_shipped_file_is_the_defaults() {
    assert_eq!(read(SHIPPED), read(""));
    let config = read("").expect("defaults");
    assert_eq!(config.proxy.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.audit.path, Path::new("exeat-state/audit.db"));
    assert!(config.tls.bypass.matches("1-courier.push.apple.com") && !config.tls.bypass.matches("chatgpt.com"));
}

/// Key by key, with its section: every line `key = ...` that is not inside a list.
fn shipped_keys() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in SHIPPED.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            keys.push((section.clone(), key.to_owned()));
        }
    }
    keys
}

#[test]
fn every_misspelled_key_is_named_with_the_right_one() {
    let keys = shipped_keys();
    assert!(keys.len() >= 35, "{}", keys.len());
    for (section, key) in keys {
        // Two neighbours swapped, a letter left out, one too many: the usual slips.
        let swapped: String = key.chars().nth(1).into_iter().chain(key.chars().take(1)).chain(key.chars().skip(2)).collect();
        let short: String = key.chars().take(key.len() - 1).collect();
        for wrong in [swapped, short, format!("{key}s")] {
            let text = SHIPPED.replacen(&format!("[{section}]\n"), &format!("[{section}]\n{wrong} = 1\n"), 1);
            let problems = read(&text).expect_err(&wrong);
            let problem = problems.iter().find(|problem| problem.item == format!("{section}.{wrong}")).expect(&wrong);
            assert_eq!((problem.cause.as_str(), problem.fix.as_str()), ("unknown key", format!("did you mean `{key}`?").as_str()));
            assert!(problem.line.is_some());
        }
    }
}

#[test]
fn every_misspelled_section_is_named_with_the_right_one() {
    for section in ["proxy", "admin", "state", "upstream", "tls", "inspect", "policy", "rules", "knowledge", "audit", "reply", "log"] {
        let problems = problems(&SHIPPED.replacen(&format!("[{section}]"), &format!("[{section}x]"), 1));
        assert!(problems.contains(&format!("{section}x: unknown key; did you mean `{section}`?")), "{problems}");
    }
}

#[test]
fn a_wrong_value_of_every_kind_is_reported_with_its_fix() {
    insta::assert_snapshot!(problems(
        r#"
[proxy]
listen = "localhost:8080"
allow_clients = ["127.0.0.1", "10.0.0.0/33", 7]
max_connections = 0
header_timeout_ms = "10s"
idle_timeout_m = 1

[admin]
listen = 8081

[upstream]
parent = "https://proxy:3128"
parent_exceptions = ["a.com:443"]
extra_roots = [""]

[tls]
bypass = ["https://x"]
leaf_days = 825

[inspect]
model = "onn"
deadline_ms = -1

[knowledge]
signers = ["ed25519:5a", 7]

[audit]
store = "postgres"

[log]
access = true

[proxi]
"#
    ));
}

#[test]
fn paths_start_at_the_directory_of_the_file_and_overrides_win() {
    let text = "[state]\ndirectory = \"state\"\n[policy]\nfile = \"/etc/p.toml\"\n[rules]\ndirectories = [\"rules\"]\n";
    let overrides = Overrides { proxy: Some(SocketAddr::from(([0, 0, 0, 0], 0))), ..Overrides::default() };
    let config = Config::read("exeat.toml", text, Path::new("/opt/exeat"), &overrides).expect("sound");
    assert_eq!(config.state.directory, Path::new("/opt/exeat/state"));
    assert_eq!(config.audit.path, Path::new("/opt/exeat/state/audit.db"));
    assert_eq!(config.policy.file.as_deref(), Some(Path::new("/etc/p.toml")));
    assert_eq!(config.rules.directories, [Path::new("/opt/exeat/rules")]);
    assert_eq!(config.proxy.listen.to_string(), "0.0.0.0:0");
    let overrides = Overrides { state: Some("elsewhere".into()), ..Overrides::default() };
    let config = Config::read("exeat.toml", text, Path::new("/opt/exeat"), &overrides).expect("sound");
    assert_eq!((config.state.directory, config.audit.path), ("elsewhere".into(), "elsewhere/audit.db".into()));
}

#[test]
fn a_parent_is_a_host_and_a_port() {
    let parent = |text: &str| read(&format!("[upstream]\nparent = \"{text}\"\n")).ok().and_then(|config| config.upstream.parent);
    assert_eq!(parent("http://Proxy.example.com:3128/"), Some(Parent { host: "proxy.example.com".to_owned(), port: 3128 }));
    assert_eq!(parent("http://[::1]:3128"), Some(Parent { host: "::1".to_owned(), port: 3128 }));
    assert_eq!(parent(""), None);
    for bad in ["proxy:3128", "http://proxy", "http://u:p@proxy:3128", "http://proxy:0", "http://::1:3128"] {
        let read = read(&format!("[upstream]\nparent = \"{bad}\"\n"));
        assert!(read.is_err(), "{bad}");
    }
}

#[test]
fn an_absent_file_is_a_problem_that_names_it() {
    let problems = Config::load(Some(Path::new("no/such.toml")), &Overrides::default()).expect_err("absent");
    assert!(problems.iter().any(|problem| problem.file == "no/such.toml" && problem.cause.starts_with("cannot be read")));
    let config = read("[policy]\nfile = \"no/policy.toml\"\n[rules]\ndirectories = [\"no/rules\"]\n").expect("sound");
    assert!(config.policy().is_err() && config.detectors().is_err());
}

#[test]
fn signers_are_public_keys() {
    let [own, other] = ["5a", "6B"].map(|byte| Signer::parse(&byte.repeat(32)).expect("a signer"));
    let config = read(&format!("[knowledge]\nsigners = [\"{own}\"]\n")).expect("sound");
    assert!(config.knowledge.signers.take(&own) && !config.knowledge.signers.take(&other));
    assert!(read("").expect("defaults").knowledge.signers.take(&other), "nobody is named");
    // The likeliest slips: a key that is secret, or one that is only the beginning of one.
    for bad in ["", &"5a".repeat(31), &"5a".repeat(48)] {
        let problems = problems(&format!("[knowledge]\nsigners = [\"{own}\", \"{bad}\"]\n"));
        assert!(problems.contains("exeat.toml:2: knowledge.signers") && problems.contains("as \"exeat learn\" prints them"), "{problems}");
    }
}
