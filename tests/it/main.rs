//! The integration tests: the real binary, real sockets, real TLS, real clients.

mod exeat;
mod origin;
mod proxying;
mod wire;
