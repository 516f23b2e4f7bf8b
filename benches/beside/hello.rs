//! The baseline of `benches/run`: the time that any Rust program takes to start.

#![allow(clippy::disallowed_macros)] // A separate program may print directly.

fn main() {
    println!("Hello, world!");
}
