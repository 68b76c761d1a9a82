//! `/api/v1/tokens`: tokens are made, listed and revoked by admins.

use super::{Admin, Problem};
use crate::audit::{Identity, Role, TokenInfo};
use axum::{
    Extension, Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    name: String,
    role: Role,
}

#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    info: TokenInfo,
    /// Shown this once.
    token: String,
}

/// Whose token this is.
pub(super) async fn whoami(Extension(identity): Extension<Identity>) -> Response {
    Json(json!({"name": &*identity.name, "role": identity.role})).into_response()
}

/// All tokens, without their text.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Response {
    Json(json!({"tokens": admin.state.tokens.list()})).into_response()
}

/// Makes a token.
pub(super) async fn create(
    State(admin): State<Arc<Admin>>,
    Extension(identity): Extension<Identity>,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(new) = body.map_err(|rejection| body_problem(&rejection, r#"{"name": "siem", "role": "viewer"}"#))?;
    let (info, token) = admin.state.tokens.create(&new.name, new.role, &identity.name).await?;
    Ok((StatusCode::CREATED, Json(Made { info, token })).into_response())
}

/// Revokes a token at once.
pub(super) async fn revoke(
    State(admin): State<Arc<Admin>>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if admin.state.tokens.revoke(&id, &identity.name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(StatusCode::NOT_FOUND, "there is no token of this id; GET /api/v1/tokens lists them"))
    }
}

/// What is wrong with a JSON body; `example` shows a right one. Parse errors can quote the input, so only their place is told.
pub(super) fn body_problem(rejection: &JsonRejection, example: &str) -> Problem {
    let status = rejection.status();
    let cause = match rejection {
        JsonRejection::MissingJsonContentType(_) => "the body has to be sent as Content-Type: application/json",
        JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
        JsonRejection::JsonDataError(_) => "the body does not have the right members",
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        _ => "the body could not be read",
    };
    Problem::new(status, format!("{cause}; send something like {example}"))
}
