//! What the tests stand on: a sandbox of Identity Center on the loopback interface, and a way to run the real program in a home of
//! its own.

pub mod portal;
pub mod run;
