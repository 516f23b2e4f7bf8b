//! The user's AWS configuration: its names, its grammar, what a profile means, and how it is changed.

pub mod names;
