//! `/api/v1/audit/dismissed`: what reviewers called false is listed and taken back. It is kept in the state directory.

use super::{Admin, Problem};
use crate::{
    audit::{Entry, Event, Identity, Record, rfc3339},
    policy::{Dismissal, Dismissed, TooMany},
    state::write_private,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// What is dismissed, and the file that keeps it.
#[derive(Debug)]
pub struct Desk {
    path: PathBuf,
    dismissed: Arc<Dismissed>,
    /// One change at a time, so that the file holds what is in force.
    changing: Mutex<()>,
}

impl Desk {
    /// What the file holds; nothing if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let dismissed = match fs::read(&path) {
            Ok(bytes) => Dismissed::of(serde_json::from_slice::<Vec<Dismissal>>(&bytes).map_err(|error| {
                let text = format!("{}: {error}; put the right one back, or remove it to raise all of its findings again", path.display());
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Dismissed::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, dismissed: Arc::new(dismissed), changing: Mutex::new(()) })
    }

    /// What is dismissed.
    pub fn dismissed(&self) -> Arc<Dismissed> {
        Arc::clone(&self.dismissed)
    }

    /// Dismisses what a review calls false.
    pub(super) fn dismiss(&self, new: Vec<Dismissal>) -> Result<(), Problem> {
        self.change(|dismissed| dismissed.add(new))?.map_err(|error: TooMany| Problem::new(StatusCode::CONFLICT, error.to_string()))
    }

    /// Takes back what the review of an event dismissed.
    pub(super) fn restore(&self, event: &str) -> Result<(), Problem> {
        self.change(|dismissed| dismissed.revoke(|one| one.event == event)).map(|_| ())
    }

    /// Changes what is dismissed, and keeps it; what cannot be kept is not changed.
    fn change<T>(&self, change: impl FnOnce(&Dismissed) -> T) -> Result<T, Problem> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.dismissed.list();
        let changed = change(&self.dismissed);
        let now = self.dismissed.list();
        if now == before {
            return Ok(changed);
        }
        let kept = serde_json::to_vec(&now).map_err(io::Error::other).and_then(|bytes| write_private(&self.path, &bytes));
        kept.map(|()| changed).map_err(|error| {
            tracing::error!(%error, path = %self.path.display(), "what was dismissed cannot be kept");
            self.dismissed.revoke(|one| !before.contains(one));
            // What had been there is put back; there was room for it.
            let _ = self.dismissed.add(before);
            failed()
        })
    }
}

/// All that was found in an event, or what of it has one of these digests, as `reviewer` dismisses it.
pub(super) fn dismissals(event: &Event, only: Option<&[String]>, reviewer: &str, time: i64) -> Result<Vec<Dismissal>, Problem> {
    let Record { findings, .. } = serde_json::from_str(&event.json).map_err(|_| failed())?;
    if let Some(unknown) = only.into_iter().flatten().find(|digest| findings.iter().all(|found| found.digest != **digest)) {
        return Err(Problem::bad(format!("nothing of the digest {unknown:?} was found in this event; take digests from its findings")));
    }
    let meant = findings.into_iter().filter(|found| only.is_none_or(|only| only.contains(&found.digest)));
    let dismissal = |Entry { label, digest, .. }: Entry| Dismissal {
        digest,
        label,
        event: event.id.to_string(),
        reviewer: reviewer.to_owned(),
        time: rfc3339(time),
    };
    Ok(meant.map(dismissal).collect())
}

/// What is dismissed.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Response {
    Json(json!({ "dismissed": admin.state.desk.dismissed.list() })).into_response()
}

/// Takes back the dismissal of a text: it is raised again when it is found again.
pub(super) async fn revoke(
    State(admin): State<Arc<Admin>>,
    Path(digest): Path<String>,
    Extension(identity): Extension<Identity>,
) -> Result<StatusCode, Problem> {
    let count = admin.state.desk.change(|dismissed| dismissed.revoke(|one| one.digest == digest))?;
    if count == 0 {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "nothing of this digest is dismissed; list what is with GET /api/v1/audit/dismissed",
        ));
    }
    tracing::info!(digest, reviewer = %identity.name, "a dismissal was taken back");
    Ok(StatusCode::NO_CONTENT)
}

fn failed() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "what was dismissed could not be kept; see the log")
}
