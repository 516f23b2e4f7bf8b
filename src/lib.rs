//! daypass: short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
//!
//! The house has floors; a room imports only from floors below its own:
//!
//! | floor | rooms |
//! | --- | --- |
//! | 0 ground | [`error`], [`secret`], [`clock`], [`env`], [`file`], [`terminal`] |
//! | 1 nouns | [`grant`], [`profile`] |
//! | 2 edges | [`vault`] |

pub mod clock;
pub mod env;
pub mod error;
pub mod file;
pub mod grant;
pub mod profile;
pub mod secret;
pub mod terminal;
pub mod vault;
