use super::*;
use crate::{
    finding::{Confidence, Evidence, Label},
    text::Span,
};
use proptest::prelude::*;

fn policy(text: &str) -> Policy {
    match Policy::parse("policy.toml", text) {
        Ok(policy) => policy,
        Err(problems) => panic!("{problems:?}"),
    }
}

fn problems(text: &str) -> String {
    Policy::parse("policy.toml", text).expect_err("problems").iter().map(|problem| format!("{problem}\n")).collect()
}

/// Findings on words of `text`: (word, label, confidence).
fn found(text: &str, words: &[(&str, &str, f32)]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = words
        .iter()
        .map(|(word, label, confidence)| {
            let start = text.find(word).expect(word);
            Finding {
                segment: 0,
                span: Span::of(text, start, start + word.len()).expect("span"),
                label: Label::parse(label).expect("label"),
                detector: "test".into(),
                evidence: Evidence::Structure,
                confidence: Confidence::new(*confidence),
            }
        })
        .collect();
    findings.sort_by_key(|finding| finding.span);
    findings
}

struct Case<'a> {
    policy: &'a Policy,
    text: &'a str,
    findings: &'a [(&'a str, &'a str, f32)],
    gaps: &'a [Gap],
    host: &'a str,
    user: Option<&'a str>,
    client: &'a str,
    method: &'a str,
}

impl<'a> Case<'a> {
    fn of(policy: &'a Policy) -> Self {
        Self { policy, text: "", findings: &[], gaps: &[], host: "unlisted.example", user: None, client: "127.0.0.1", method: "POST" }
    }

    fn verdict(&self) -> Verdict {
        let hosts = [self.host.to_owned()];
        let facts = Facts { client: self.client.parse().expect("address"), user: self.user, hosts: &hosts, method: self.method };
        let findings = found(self.text, self.findings);
        self.policy.decide(&facts, &Document::plain(self.text), &findings, self.gaps)
    }

    fn action(&self) -> Action {
        self.verdict().action
    }
}

#[test]
fn the_shipped_policy_redacts_secrets_ids_and_cards_and_logs_ordinary_posts() {
    let policy = Policy::embedded();
    let decide = |label, confidence| Case { text: "x", findings: &[("x", label, confidence)], ..Case::of(&policy) }.action();
    for label in ["secret.aws", "id.cn.resident", "id.us.ssn", "finance.card", "finance.iban"] {
        assert_eq!(decide(label, 0.9), Action::Redact, "{label}");
        assert_eq!(decide(label, 0.6), Action::Log, "{label}");
        assert_eq!(decide(label, 0.4), Action::Allow, "{label}");
    }
    for label in ["personal.name", "personal.email", "personal.phone", "network.private_ip", "business.marked", "business.contract"] {
        assert_eq!(decide(label, 0.99), Action::Log, "{label}");
    }
    assert_eq!(decide("company.exact.customers", 0.99), Action::Redact);
    assert_eq!(decide("company.document.contracts", 0.99), Action::Block);
}

#[test]
fn the_shipped_policy_leaves_cards_to_the_checkout_and_documents_to_the_booking() {
    let policy = Policy::embedded();
    let decide = |host, label| Case { text: "x", findings: &[("x", label, 0.9)], host, ..Case::of(&policy) }.action();
    for host in
        ["checkout.stripe.com", "www.paypal.com", "cashier.alipay.com", "pay.weixin.qq.com", "gateway.95516.com", "js.braintreegateway.com"]
    {
        assert_eq!(decide(host, "finance.card"), Action::Log, "{host}");
        assert_eq!(decide(host, "id.cn.resident"), Action::Redact, "{host}");
        assert_eq!(decide(host, "secret.aws"), Action::Redact, "{host}");
    }
    for host in ["kyfw.12306.cn", "passport.ctrip.com", "secure.booking.com"] {
        assert_eq!((decide(host, "id.cn.resident"), decide(host, "finance.card")), (Action::Log, Action::Log), "{host}");
        assert_eq!(decide(host, "secret.aws"), Action::Redact, "{host}");
    }
    let hosts = ["evil.example".to_owned(), "checkout.stripe.com".to_owned()];
    let facts = Facts { client: "127.0.0.1".parse().expect("address"), user: None, hosts: &hosts, method: "POST" };
    let verdict = policy.decide(&facts, &Document::plain("x"), &found("x", &[("x", "finance.card", 0.9)]), &[]);
    assert_eq!(verdict.action, Action::Redact, "a name that a client only claims does not open the door");
}

#[test]
fn a_marked_document_stays_out_of_ai_assistants() {
    let policy = Policy::embedded();
    let verdict =
        Case { text: "绝密", findings: &[("绝密", "business.marked", 0.95)], host: "chat.deepseek.com", ..Case::of(&policy) }.verdict();
    assert_eq!(verdict.action, Action::Block);
    assert_eq!(verdict.rule.as_deref(), Some("marked documents"));
    assert!(verdict.message.is_some_and(|words| words.zh.contains("保密标记") && words.en.contains("confidential")));
}

#[test]
fn ten_different_phone_numbers_are_a_list_and_ten_times_the_same_is_not() {
    let policy = Policy::embedded();
    let numbers: Vec<String> = (0..10).map(|n| format!("1380013800{n}")).collect();
    let text = numbers.join(" ");
    let bulk: Vec<_> = numbers.iter().map(|number| (number.as_str(), "personal.phone", 0.9)).collect();
    assert_eq!(Case { text: &text, findings: &bulk, ..Case::of(&policy) }.action(), Action::Block);
    assert_eq!(Case { text: &text, findings: &bulk[..9], ..Case::of(&policy) }.action(), Action::Log);

    let spellings = ["138 0013 8000", "138-0013-8000", "13800138000"];
    let text = spellings.join(" / ");
    let same: Vec<_> = spellings.iter().map(|number| (*number, "personal.phone", 0.9)).collect();
    let two = self::policy("[[rule]]\nname = \"two\"\nwhen = { label = \"personal.phone\", distinct = 2 }\naction = \"block\"\n");
    assert_eq!(Case { text: &text, findings: &same, ..Case::of(&two) }.action(), Action::Allow);
}

#[test]
fn the_strictest_rule_wins_and_of_equals_the_first_speaks() {
    let policy = policy(
        r#"
        [[rule]]
        name = "log all"
        action = "log"
        [[rule]]
        name = "first"
        when = { label = "secret" }
        action = "redact"
        redaction = "mask"
        message = { en = "one" }
        [[rule]]
        name = "second"
        when = { label = "secret" }
        action = "redact"
        redaction = "hash"
        "#,
    );
    let verdict = Case { text: "a b", findings: &[("a", "secret.jwt", 0.9), ("b", "personal.name", 0.9)], ..Case::of(&policy) }.verdict();
    let [secret, name] = &verdict.decisions[..] else { panic!("two findings, two decisions") };
    assert_eq!((secret.action, secret.redaction, secret.rule.as_deref()), (Action::Redact, Redaction::Mask, Some("first")));
    assert_eq!((name.action, name.rule.as_deref()), (Action::Log, Some("log all")));
    assert_eq!((verdict.action, verdict.rule.as_deref()), (Action::Redact, Some("first")));
    assert_eq!(verdict.message.map(|words| words.zh.clone()).as_deref(), Some("one"), "a language left out takes the other's words");
}

#[test]
fn an_exception_is_written_with_an_exclamation_mark() {
    let policy = policy(
        r#"
        [groups]
        security = ["eve", "frank"]
        [[rule]]
        name = "r"
        when = { host = ["category:ai-assistants", "!chatgpt.com"], label = ["id", "!id.us"], group = ["!security"], client = ["10.0.0.0/8", "!10.9.9.9"], method = ["!GET"] }
        action = "block"
        "#,
    );
    let base = Case {
        text: "x",
        findings: &[("x", "id.cn.resident", 0.9)],
        host: "claude.ai",
        user: Some("alice"),
        client: "10.1.2.3",
        ..Case::of(&policy)
    };
    assert_eq!(base.action(), Action::Block);
    assert_eq!(Case { host: "chatgpt.com", ..base }.action(), Action::Allow);
    assert_eq!(Case { host: "example.com", ..base }.action(), Action::Allow);
    assert_eq!(Case { findings: &[("x", "id.us.ssn", 0.9)], ..base }.action(), Action::Allow);
    assert_eq!(Case { user: Some("eve"), ..base }.action(), Action::Allow);
    assert_eq!(Case { user: None, ..base }.action(), Action::Block);
    assert_eq!(Case { client: "10.9.9.9", ..base }.action(), Action::Allow);
    assert_eq!(Case { client: "::ffff:10.1.2.3", ..base }.action(), Action::Block, "mapped addresses are the addresses they map");
    assert_eq!(Case { client: "11.0.0.1", ..base }.action(), Action::Allow);
    assert_eq!(Case { method: "GET", ..base }.action(), Action::Allow);
}

#[test]
fn a_group_without_members_is_nobody() {
    let policy = policy("[groups]\nnone = []\n[[rule]]\nname = \"r\"\nwhen = { group = \"none\" }\naction = \"block\"\n");
    assert_eq!(Case { user: Some("alice"), ..Case::of(&policy) }.action(), Action::Allow);
}

#[test]
fn a_rule_about_the_request_closes_a_site() {
    let closed = policy("[[rule]]\nname = \"closed\"\nwhen = { host = \".bad.example\" }\naction = \"block\"\n");
    assert_eq!(Case { host: "www.bad.example", method: "GET", ..Case::of(&closed) }.action(), Action::Block);
    assert_eq!(Case::of(&closed).action(), Action::Allow);
    let logged = policy("[[rule]]\nname = \"watched\"\nwhen = { host = \".bad.example\" }\naction = \"log\"\n");
    assert_eq!(Case { host: "bad.example", ..Case::of(&logged) }.action(), Action::Allow, "clean exchanges are not recorded");
    assert_eq!(
        Case { host: "bad.example", text: "x", findings: &[("x", "personal.name", 0.1)], ..Case::of(&logged) }.action(),
        Action::Log
    );
}

#[test]
fn a_name_counts_near_a_health_term_only() {
    let policy = policy(
        "[[rule]]\nname = \"patients\"\nwhen = { label = \"personal.name\", near = { label = \"health\", within = 5 } }\naction = \"block\"\n",
    );
    let near = |text, words| Case { text, findings: words, ..Case::of(&policy) }.action();
    let words: &[(&str, &str, f32)] = &[("王芳", "personal.name", 0.9), ("糖尿病", "health.condition", 0.9)];
    assert_eq!(near("王芳一二三四五糖尿病", words), Action::Block, "five characters, fifteen bytes");
    assert_eq!(near("王芳一二三四五六糖尿病", words), Action::Allow);
    assert_eq!(near("糖尿病 王芳", words), Action::Block, "on either side");
    assert_eq!(near("王芳", &words[..1]), Action::Allow);
}

#[test]
fn new_text_about_the_company_s_matters_blocks_only_beside_something_firmer() {
    let policy = Policy::embedded();
    fn decide(policy: &Policy, findings: &[(&str, &str, f32)]) -> Action {
        Case { text: "alpha beta", findings, ..Case::of(policy) }.action()
    }
    let decide = |findings: &[(&str, &str, f32)]| decide(&policy, findings);
    let guess = ("alpha", "company.classifier.acme", 0.6);
    assert_eq!(decide(&[guess]), Action::Log);
    assert_eq!(decide(&[guess, ("beta", "personal.name", 0.9)]), Action::Log);
    assert_eq!(decide(&[guess, ("beta", "company.classifier.other", 0.9)]), Action::Log, "two guesses are guesses");
    for firm in ["company.exact.acme", "company.document.other", "business.marked"] {
        assert_eq!(decide(&[guess, ("beta", firm, 0.9)]), Action::Block, "{firm}");
        assert_eq!(decide(&[guess, ("beta", firm, 0.6)]), Action::Log, "{firm} is not sure");
    }
}

#[test]
fn nearness_without_a_distance_holds_for_the_whole_message() {
    let policy = policy(
        "[[rule]]\nname = \"both\"\nwhen = { label = [\"personal.name\"], near = { label = [\"personal.name\", \"health\"] } }\naction = \"block\"\n",
    );
    let text = format!("王芳{}糖尿病", "一".repeat(200_000));
    let both: &[(&str, &str, f32)] = &[("王芳", "personal.name", 0.9), ("糖尿病", "health.condition", 0.9)];
    let decide = |findings| Case { text: &text, findings, ..Case::of(&policy) }.action();
    assert_eq!(decide(both), Action::Block);
    assert_eq!(decide(&both[..1]), Action::Allow, "a finding is no neighbour of its own");
}

#[test]
fn gaps_have_defaults_that_the_file_changes_one_by_one() {
    let policy = policy(
        r#"
        [gaps]
        encrypted = "log"
        [[rule]]
        name = "no locked files to strangers"
        when = { host = "category:file-sharing", gap = ["encrypted", "media"] }
        action = "block"
        "#,
    );
    let gap = |gap, host| Case { gaps: &[gap], host, ..Case::of(&policy) }.verdict();
    assert_eq!(gap(Gap::Encrypted, "example.com").action, Action::Log);
    let verdict = gap(Gap::Encrypted, "pan.baidu.com");
    assert_eq!(
        (verdict.action, verdict.rule.as_deref(), verdict.gap),
        (Action::Block, Some("no locked files to strangers"), Some(Gap::Encrypted))
    );
    let verdict = gap(Gap::TimedOut, "example.com");
    assert_eq!((verdict.action, verdict.rule.as_deref(), verdict.gap), (Action::Block, Some("timed_out"), Some(Gap::TimedOut)));
    assert!(verdict.is_temporary());
    assert_eq!(gap(Gap::Malformed, "example.com").action, Action::Log);
    for (gap, action) in Gap::ALL.iter().map(|gap| (*gap, Policy::embedded().gap(*gap))) {
        let expected = if matches!(gap, Gap::Malformed | Gap::Media | Gap::ModelSkipped) { Action::Log } else { Action::Block };
        assert_eq!(action, expected, "{gap}");
    }
}

#[test]
fn a_redaction_that_fails_becomes_a_block() {
    let policy = Policy::embedded();
    let mut verdict =
        Case { text: "x y", findings: &[("x", "secret.aws", 0.9), ("y", "personal.name", 0.9)], ..Case::of(&policy) }.verdict();
    assert_eq!(verdict.action, Action::Redact);
    verdict.block_instead(RewriteError::Signed);
    assert_eq!((verdict.action, verdict.reason), (Action::Block, Some(RewriteError::Signed)));
    assert_eq!(verdict.decisions.iter().map(|decision| decision.action).collect::<Vec<_>>(), [Action::Block, Action::Log]);
    assert!(!verdict.is_temporary());
}

#[test]
fn every_problem_of_a_policy_is_listed_at_once() {
    insta::assert_snapshot!(problems(
        r#"
[[rule]]
nmae = "no secrets"
when = { hots = ["a.com"], label = ["Secret"], confidence = 80, group = ["finanse"], host = ["https://a.com/", "category:socail"] }
action = "redakt"

[[rule]]
name = "twice"
action = "log"

[[rule]]
name = "twice"
when = { gap = ["encryptd"], label = "id" }
message = { en = 1 }

[[rule]]
name = "gap"
when = { gap = "media", client = "10.0.0.0/33", near = { within = 50 } }
action = "redact"

[gaps]
too_big = "block"
media = "redact"

[grups]
"#
    ));
}

proptest! {
    #[test]
    fn no_rule_makes_a_verdict_milder(labels in proptest::collection::vec(0usize..4, 1..6), actions in proptest::collection::vec(0usize..4, 1..6)) {
        let known = ["secret", "personal.name", "id.cn.resident", "finance"];
        let names = ["allow", "log", "redact", "block"];
        let rules: Vec<String> = labels.iter().zip(&actions).enumerate()
            .map(|(n, (label, action))| format!("[[rule]]\nname = \"r{n}\"\nwhen = {{ label = \"{}\" }}\naction = \"{}\"\n", known[*label], names[*action]))
            .collect();
        let text = "a b c";
        let findings: &[(&str, &str, f32)] = &[("a", "secret.jwt", 0.9), ("b", "id.cn.resident", 0.9), ("c", "personal.name", 0.9)];
        let mut before = Action::Allow;
        for upto in 0..=rules.len() {
            let policy = policy(&rules[..upto].concat());
            let verdict = Case { text, findings, ..Case::of(&policy) }.verdict();
            prop_assert!(verdict.action >= before);
            prop_assert_eq!(verdict.action, verdict.decisions.iter().map(|decision| decision.action).max().expect("three"));
            before = verdict.action;
        }
    }
}

/// A name by the model beside a card by a rule.
fn of_both() -> (&'static str, Vec<Finding>) {
    let text = "Ada Lovelace pays with 4539 5787 6362 1486";
    let mut findings = found(text, &[("Ada Lovelace", "personal.name", 0.9), ("4539 5787 6362 1486", "finance.card", 0.95)]);
    findings[0].evidence = Evidence::Model;
    (text, findings)
}

#[test]
fn a_rule_can_ask_on_what_grounds() {
    let (text, findings) = of_both();
    let facts = Facts { client: "127.0.0.1".parse().expect("address"), user: None, hosts: &[], method: "POST" };
    let actions = |evidence: &str| {
        let policy = policy(&format!("[[rule]]\nname = \"a\"\nwhen = {{ evidence = [\"{evidence}\"] }}\naction = \"redact\"\n"));
        policy.decide(&facts, &Document::plain(text), &findings, &[]).decisions.iter().map(|one| one.action).collect::<Vec<_>>()
    };
    assert_eq!(actions("model"), [Action::Redact, Action::Allow]);
    assert_eq!(actions("!model"), [Action::Allow, Action::Redact]);
    assert!(problems("[[rule]]\nname = \"a\"\nwhen = { evidence = [\"guess\"] }\naction = \"log\"\n").contains("\"guess\" is no evidence"));
}

#[test]
fn where_the_model_is_observed_its_findings_are_recorded_and_decide_nothing() {
    let (text, findings) = of_both();
    let policy = policy(
        "[[rule]]\nname = \"names\"\nwhen = { label = [\"personal.name\"] }\naction = \"block\"\n\
         [[rule]]\nname = \"cards of people\"\nwhen = { label = [\"finance\"], near = { label = [\"personal.name\"], within = 50 } }\naction = \"redact\"\n\
         [[rule]]\nname = \"record\"\nwhen = { confidence = 0.5 }\naction = \"log\"\n\
         [model]\nobserve = [\"watched.example\"]\noff = [\"*.quiet.example\"]\n",
    );
    let actions = |policy: &Policy, host: &str| {
        let hosts = [host.to_owned()];
        let facts = Facts { client: "127.0.0.1".parse().expect("address"), user: None, hosts: &hosts, method: "POST" };
        let verdict = policy.decide(&facts, &Document::plain(text), &findings, &[]);
        (verdict.action, verdict.decisions.iter().map(|one| one.action).collect::<Vec<_>>())
    };
    assert_eq!(actions(&policy, "other.example"), (Action::Block, vec![Action::Block, Action::Redact]));
    assert_eq!(actions(&policy, "watched.example"), (Action::Log, vec![Action::Log, Action::Log]));
    assert_eq!(actions(&policy.clone().with_model(ModelUse::Observe), "other.example"), (Action::Log, vec![Action::Log, Action::Log]));
    let hosts = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
    assert_eq!(policy.model_use(&hosts(&["a.quiet.example"])), ModelUse::Off);
    assert_eq!(policy.model_use(&hosts(&["a.quiet.example", "front.example"])), ModelUse::On, "a listed name hides no other");
    assert_eq!(policy.with_model(ModelUse::Off).model_use(&hosts(&["other.example"])), ModelUse::Off);
}
