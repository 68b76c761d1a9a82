//! The audit: what was found, where it went and what was done, durable before it leaves; never what it said.
//!
//! [`Store`] keeps a [`Record`] of each exchange with a finding, a gap or a refusal in a chain that shows tampering;
//! [`Reader`] reads them. [`Metrics`] counts everything, [`Tokens`] says who may look.

mod chain;
mod export;
mod metrics;
mod query;
mod record;
mod sql;
mod store;
mod tokens;
mod writer;

pub use chain::ChainKey;
pub use export::Format;
pub(crate) use export::{rfc3339, to_json};
pub use metrics::{Metrics, OpenConnection};
pub use query::{Bucket, By, Chain, Event, Filter, ReadError, Reader, Review, Summary};
pub use record::{BadId, Entry, Id, Outcome, Record};
pub use store::{Store, StoreError, Unrecorded};
pub use tokens::{Identity, Role, TokenError, TokenInfo, Tokens};
