//! The yardstick of `benches/run`: what starting any Rust program costs.

#![allow(clippy::disallowed_macros)] // It stands for a program that knows no house rules.

fn main() {
    println!("Hello, world!");
}
