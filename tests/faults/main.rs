//! The broker in-process, on a vault and against a portal that fail at every step in turn: what it hands out is right and alive, no
//! sign-in is lost that could be kept, and the next call works or says that a sign-in is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_macros
)]

mod every_step;
mod fixture;
mod random;
mod recovery;
mod store;
#[path = "../support/mod.rs"]
mod support;
