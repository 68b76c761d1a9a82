//! What reviewers called false, out of the state directories where they did.

use exeat::{admin::Desk, audit::trace, learn::FalseFind, policy::Dismissal, redact::DigestKey, state::State};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What was called false in `named`, or in the directory of the configuration if none is named; `None` if nobody ever did there.
pub(super) fn read(named: &[PathBuf], configured: &Path) -> anyhow::Result<Option<Vec<FalseFind>>> {
    if named.is_empty() {
        return if configured.join(Desk::FILE).exists() { in_state(configured).map(Some) } else { Ok(None) };
    }
    let all = named.iter().map(|directory| in_state(directory)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Some(all.into_iter().flatten().collect()))
}

fn in_state(directory: &Path) -> anyhow::Result<Vec<FalseFind>> {
    let place = directory.display();
    let key = State::digest_key_in(directory).map_err(|error| {
        let fix = if error.kind() == io::ErrorKind::NotFound { "; name the state directory of an Exeat that has run" } else { "" };
        anyhow::anyhow!("{place}: digest.key: {error}{fix}")
    })?;
    let key = DigestKey::new(key);
    let dismissed = Desk::open(directory.join(Desk::FILE)).map_err(|error| anyhow::anyhow!("{place}: {error}"))?.dismissed();
    let find = |Dismissal { digest, label, trace, .. }: Dismissal| FalseFind {
        label,
        // What does not open was made under a key that is gone; it is told as what left no trace.
        trace: trace.and_then(|sealed| trace::open(&key, &digest, &sealed).ok()),
    };
    Ok(dismissed.list().into_iter().map(find).collect())
}
