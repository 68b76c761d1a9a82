//! A strict reader of HTTP/1 requests in front of hyper's lenient one.
//!
//! hyper accepts a bare LF and a folded header, and settles `Content-Length` against `Transfer-Encoding` in silence. Behind a guard
//! that others stand behind too, what is read two ways is a way out. [`guard`] wraps the client's stream: every head and every
//! chunk line is judged before hyper sees it, content is counted and passed without a copy.
//!
//! In place of a request that breaks a rule hyper is given a small one that says so, [`Control::begin`] turns it into the
//! [`Violation`], and the service answers it like any other: in order behind the answers before it, in the client's language, audited.
//! It is the last request of its connection.

mod clock;
mod framing;
mod stream;
mod turn;
mod violation;

/// What hyper may hold of a connection: the longest head, and a little of what follows it. Every connection may hold so much, also
/// one that waits with its body for memory.
pub const MAX_BUFFER: usize = MAX_HEAD + (8 << 10);

pub use framing::{Guard, MAX_HEAD, MAX_HEADERS};
pub use stream::{Guarded, Limits, guard};
pub use turn::{Control, Interim, Turn};
pub use violation::Violation;
