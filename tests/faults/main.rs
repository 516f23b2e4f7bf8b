//! The broker in-process, with a vault or a portal that fails at every step in turn. Returned credentials are correct and unexpired,
//! no sign-in is lost that could be kept, and the next call works or reports that a sign-in is required.

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
