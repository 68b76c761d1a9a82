//! `/api/v1/knowledge`: the packs in force are listed, replaced, rolled back and removed.
//!
//! Only packs of the state directory can be changed here; those that the configuration names are the operator's files. The folder is watched
//! like all files, so a change is in force within two seconds.

use super::{Admin, Problem};
use crate::{
    inspect::Inspector,
    knowledge::{
        Pack,
        head::Head,
        seal::Keyring,
        shelf::{Shelf, ShelfError},
    },
    learn::Share,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The packs that are in force.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Response {
    let inspector = admin.state.inspector.load();
    let packs = inspector.detectors().knowledge().map_or(&[][..], |knowledge| knowledge.packs());
    Json(json!({ "packs": packs.iter().map(|pack| describe(pack, &inspector)).collect::<Vec<_>>() })).into_response()
}

/// Puts a pack into force, in place of the one of that name.
pub(super) async fn put(State(admin): State<Arc<Admin>>, Path(name): Path<String>, file: Bytes) -> Result<Response, Problem> {
    let shelf = shelf(&admin, &name)?;
    let keyring = keyring(&admin)?;
    // Opening takes a moment for large packs.
    let inspector = admin.state.inspector.load_full();
    let put = tokio::task::spawn_blocking(move || shelf.put(&name, &file, &keyring).map(|pack| describe(&pack, &inspector))).await;
    Ok((StatusCode::CREATED, Json(put.map_err(|_| failed())??)).into_response())
}

/// Puts the pack that was replaced last back into force.
pub(super) async fn roll_back(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let (shelf, keyring) = (shelf(&admin, &name)?, keyring(&admin)?);
    tokio::task::spawn_blocking(move || shelf.roll_back(&name, &keyring)).await.map_err(|_| failed())??;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a pack out of force.
pub(super) async fn remove(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let shelf = shelf(&admin, &name)?;
    tokio::task::spawn_blocking(move || shelf.remove(&name)).await.map_err(|_| failed())??;
    Ok(StatusCode::NO_CONTENT)
}

fn shelf(admin: &Admin, name: &str) -> Result<Shelf, Problem> {
    let is_name = Shelf::is_name(name);
    is_name.then(|| admin.state.shelf.clone()).ok_or_else(|| Problem::bad("a pack's name is lower-case letters, digits, - and _"))
}

fn keyring(admin: &Admin) -> Result<Keyring, Problem> {
    (admin.state.keyring)().map_err(|problem| Problem::new(StatusCode::CONFLICT, problem.to_string()))
}

fn describe(pack: &Pack, inspector: &Inspector) -> Value {
    json!({
        "name": pack.name(),
        "created": pack.created(),
        "signer": pack.signer().map(|signer| signer.to_string()),
        "tables": pack.tables(),
        "documents": pack.documents(),
        "bytes": pack.bytes(),
        "head": pack.head().map(|head| describe_head(pack, head, inspector)),
    })
}

/// A head with what is known of how it came about, and whether it says anything here.
fn describe_head(pack: &Pack, head: &Head, inspector: &Inspector) -> Value {
    let state = match inspector.model() {
        Some(model) if model.id() == head.model => "active",
        Some(_) => "stale",
        None => "model_off",
    };
    let trained = pack.trained();
    let found = trained.map(|trained| Share { hits: trained.found, of: trained.held });
    let found = found.and_then(|found| found.interval().map(|[share, low, high]| (found, share, low, high)));
    json!({
        "state": state,
        "documents": trained.map(|trained| trained.documents),
        "public": trained.map(|trained| trained.public),
        "threshold": rounded(head.threshold),
        "false_positives": rounded(head.false_positives),
        "found": found.map(|(Share { hits, of }, share, low, high)| json!({"hits": hits, "of": of, "share": share, "low": low, "high": high})),
    })
}

/// As it was meant: 0.001, not 0.0010000000474974513.
fn rounded(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}

fn failed() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the pack could not be looked at; see the log")
}

impl From<ShelfError> for Problem {
    fn from(error: ShelfError) -> Self {
        let status = match error {
            ShelfError::Sealed(_) | ShelfError::Malformed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ShelfError::OtherName(_) => StatusCode::CONFLICT,
            ShelfError::Absent | ShelfError::Unreplaced => StatusCode::NOT_FOUND,
            ShelfError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
