//! The console for security staff: one page over the API, with nothing of its own.

use super::setup::asset;
use axum::response::Response;

/// The page.
pub(super) async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("assets/console.html"))
}

/// Its style sheet.
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/console.css"))
}

/// Its script.
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/console.js"))
}
