//! Decides which credential to return, refresh or fetch, retries, and signs in.
//!
//! One rule for every credential: look, lock, look again, act, store, unlock. Any number of processes that ask at once cause one refresh
//! and one exchange, and what is in the vault is returned without lock or network.
//!
//! Touches nothing itself: it calls the vault, the portal, STS, `locks` and [`crate::sys::clock`].

mod chain;
mod credentials;
pub mod device;
mod failure;
pub mod freshness;
mod locks;
pub mod pkce;
pub mod retry;
mod sign_in;
mod storing;

pub use chain::Step;
pub use credentials::{Broker, PortalSession};
pub use failure::{invalid_settings, obstacle_hint};
pub use locks::Locks;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use locks::note_round_trip;
pub use sign_in::{Decision, Event, Flow, PollState, SignInRequest, SignInUi};
