//! Decides how profiles with long-lived keys become daypass profiles, and how such a key ends. Touches nothing: the commands read, ask,
//! park and write.

pub mod plan;
pub mod retirement;
