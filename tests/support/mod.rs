//! What the tests share: a simulated Identity Center on the loopback interface, and a runner of the real program in a temporary home.

pub mod portal;
pub mod run;
