//! The integration tests: the real binary, real sockets, real TLS, real clients.

mod browser;
mod clients;
mod evasions;
mod exeat;
mod imports;
mod origin;
mod proxying;
mod wire;
