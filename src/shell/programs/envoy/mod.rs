//! Envoy from a static bootstrap: HTTP routes and TCP listeners to clusters, with retries,
//! timeouts, circuit breakers, outlier detection and the admin pages. No xDS, no TLS, no other
//! filters.

mod access;
mod admin;
mod cluster;
mod conf;
mod fields;
mod health;
mod http;
mod run;

pub(super) use run::run;
