//! What the clients of all AWS services share: runtime, TLS, proxies, endpoint settings, limits, and errors by their cause. Touches the
//! network; knows no service.
//!
//! Each request is sent once. Plain http is allowed to this machine only, an answer has a limited length, and the text of a server
//! contains no secret of the request. The SDK, its runtime, TLS and the trust roots are built before the first request.

mod backoff;
mod client;
mod error;
mod exchange;
mod keys;
mod proxy;
mod redact;
mod redirect;
pub mod regions;
mod settings;
mod tls;
mod trust;

pub use backoff::backoff;
pub use client::{Client, LazyClient, MIN_ATTEMPT, within};
pub use error::{Error, Obstacle, Rejection, Temporary};
pub use exchange::LastExchange;
pub use keys::{Issued, SigningKeys, filled, is_printable};
pub use redirect::{Page, location, page};
pub use settings::{Service, Settings};
