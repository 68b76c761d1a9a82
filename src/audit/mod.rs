//! The audit: what was found, where it went and what was done, durable before it leaves; never what it said.
//!
//! [`Store`] keeps a [`Record`] of each exchange with a finding, a gap or a refusal in a chain that shows tampering;
//! [`Reader`] reads them. [`Metrics`] counts everything, [`Tokens`] says who may look.

mod chain;
mod export;
mod filter;
mod metrics;
mod note;
mod open;
mod query;
mod record;
mod schema;
mod sql;
mod store;
mod tokens;
pub mod trace;
mod verify;
mod writer;

pub use chain::ChainKey;
pub use export::Format;
pub(crate) use export::{rfc3339, to_json};
pub use filter::Filter;
pub use metrics::{Metrics, OpenConnection};
pub use open::StoreError;
pub use query::{Bucket, By, Event, ReadError, Reader, Review, Summary};
pub use record::{BadId, Entry, Id, Outcome, Record};
pub use store::{Store, Unrecorded};
pub use tokens::{Identity, Role, TokenError, TokenInfo, Tokens};
pub use verify::Chain;
