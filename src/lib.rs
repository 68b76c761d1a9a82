//! Exeat opens the web and reads what goes out.
//!
//! Start at [`inspect`]: it is the whole product on one screen. `ARCHITECTURE.md` follows a request through the code.

#![cfg_attr(test, expect(clippy::string_slice, reason = "tests slice texts of their own"))]

#[cfg(feature = "server")]
pub mod admin;
#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod audit;
pub mod budget;
#[cfg(feature = "server")]
pub mod config;
pub mod content;
pub mod detect;
pub mod finding;
#[cfg(feature = "server")]
pub mod gate;
pub mod inspect;
pub mod knowledge;
#[cfg(feature = "server")]
pub mod learn;
pub mod policy;
pub mod problem;
#[cfg(feature = "server")]
pub mod proxy;
pub mod redact;
#[cfg(feature = "server")]
pub mod state;
pub mod table;
pub mod text;
pub mod words;
