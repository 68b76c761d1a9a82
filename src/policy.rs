//! Findings and gaps to a verdict.

use crate::{
    content::RewriteError,
    finding::{Finding, Gap},
    inspect::Message,
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

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

/// The rules, in order.
#[derive(Debug)]
pub struct Policy {}

/// What a policy can ask about a message.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who sends it.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<&'a str>,
    /// Every name of the destination.
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

/// What is decided.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The strictest of all decisions.
    pub action: Action,
    /// One for each finding, in order.
    pub decisions: Vec<Decision>,
    /// The policy rule, or the gap, that decided.
    pub rule: Option<Arc<str>>,
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

impl Policy {
    /// The shipped policy.
    pub fn embedded() -> Self {
        Self {}
    }

    /// Decides on a message.
    pub fn decide(&self, _facts: &Facts<'_>, findings: &[Finding], _gaps: &[Gap]) -> Verdict {
        let decisions = findings.iter().map(|_| Decision { action: Action::Log, redaction: Redaction::Label }).collect();
        Verdict { action: Action::Allow, decisions, rule: None, reason: None }
    }
}

impl Verdict {
    /// Turns a redaction that cannot be had into a block that says why.
    pub fn block_instead(&mut self, error: RewriteError) {
        self.action = Action::Block;
        self.reason = Some(error);
    }
}
