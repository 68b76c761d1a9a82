//! The proxy: what stands between a client and the site that it asks for.

pub mod hygiene;
pub mod reply;
pub mod ws;
