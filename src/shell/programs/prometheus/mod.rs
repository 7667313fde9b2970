//! Prometheus: scrapes what its configuration names and answers for it. Static targets, relabelling
//! and a part of PromQL; no other discovery, rules, alerts or storage on disk.

mod conf;
mod exposition;
mod labels;
mod query;
mod run;
mod scrape;
mod serve;

pub(super) use run::{promtool, run};
