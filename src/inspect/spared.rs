//! What is found and left alone all the same: what the company allows, and what a reviewer called false.

use crate::{
    content::Document,
    detect::{Detection, Suppressed},
    policy::{Dismissed, Policy, Whereabouts},
    redact::DigestKey,
};
use std::sync::Arc;

/// Takes what the company allows out of the findings, and says so.
pub(super) fn spare(policy: &Policy, document: &Document<'_>, at: Whereabouts<'_>, detection: &mut Detection) {
    let allow = policy.allow_list();
    if allow.is_empty() {
        return;
    }
    let Detection { findings, suppressed, .. } = detection;
    findings.retain(|finding| {
        let Some(entry) = allow.entry_for(&finding.label, document.text(finding.segment, finding.span), at) else { return true };
        let (segment, span, detector) = (finding.segment, finding.span, Arc::clone(&finding.detector));
        suppressed.push(Suppressed { segment, span, detector, reason: "allowed", detail: Some(Arc::clone(entry)) });
        false
    });
}

/// Takes out what a reviewer called false, and says so.
pub(super) fn dismiss(dismissed: &Dismissed, key: &DigestKey, document: &Document<'_>, detection: &mut Detection) {
    if dismissed.is_empty() {
        return;
    }
    let Detection { findings, suppressed, .. } = detection;
    findings.retain(|finding| {
        let digest = key.digest(document.text(finding.segment, finding.span));
        let Some(event) = dismissed.event_of(&digest, &finding.label) else { return true };
        let (segment, span, detector) = (finding.segment, finding.span, Arc::clone(&finding.detector));
        suppressed.push(Suppressed { segment, span, detector, reason: "dismissed", detail: Some(event) });
        false
    });
}
