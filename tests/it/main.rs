//! The integration tests: the real binary, real sockets, real TLS, real clients.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on says so by panicking"
)]

mod browser;
mod cli;
mod clients;
mod evasions;
mod exeat;
mod git;
mod imports;
mod learn;
mod model;
mod origin;
mod proxying;
mod streams;
mod websocket;
mod wire;
