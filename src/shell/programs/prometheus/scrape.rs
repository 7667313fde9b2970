//! Targets and their scrapes: one loop for each target, and what it found.

use super::conf::{Conf, Job};
use super::exposition;
use super::labels::{Labels, relabel};
use crate::shell::programs::web::{self, Fail, Patience};
use crate::shell::{Errno, Sys};
use crate::time::SimTime;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Samples kept of a series, and series at most.
const SAMPLES_MAX: usize = 400;
const SERIES_MAX: usize = 20_000;

#[derive(Default)]
pub(super) struct Series {
    /// Milliseconds since 1970 and the value.
    pub(super) samples: Vec<(i64, f64)>,
    /// It was not there at the last scrape.
    pub(super) stale: bool,
}

pub(super) struct Target {
    pub(super) job: usize,
    pub(super) labels: Labels,
    /// Before relabelling.
    pub(super) found: Labels,
    pub(super) url: String,
    pub(super) state: RefCell<Health>,
}

#[derive(Clone, Default)]
pub(super) struct Health {
    /// None before the first scrape.
    pub(super) up: Option<bool>,
    pub(super) error: String,
    pub(super) at_ms: i64,
    pub(super) took_ms: u64,
}

/// Everything known.
pub(super) struct Base {
    pub(super) sys: Sys,
    pub(super) version: (u16, u16),
    pub(super) series: RefCell<BTreeMap<Labels, Series>>,
    pub(super) conf: RefCell<Rc<Conf>>,
    pub(super) targets: RefCell<Vec<Rc<Target>>>,
}

impl Base {
    pub(super) fn now_ms(&self) -> i64 {
        self.sys.wall_unix_micros() / 1_000
    }

    fn add(&self, labels: Labels, value: f64) {
        let mut series = self.series.borrow_mut();
        if series.len() >= SERIES_MAX && !series.contains_key(&labels) {
            return;
        }
        let own = series.entry(labels).or_default();
        own.stale = false;
        own.samples.push((self.now_ms(), value));
        if own.samples.len() > SAMPLES_MAX {
            own.samples.remove(0);
        }
    }
}

/// The targets of a configuration, after relabelling.
pub(super) fn targets(conf: &Conf) -> Vec<Rc<Target>> {
    let mut out = Vec::new();
    for (idx, job) in conf.jobs.iter().enumerate() {
        for (address, own) in &job.targets {
            let mut found = own.clone();
            for (name, value) in [
                ("__address__", address.as_str()),
                ("__metrics_path__", &job.path),
                ("__scheme__", &job.scheme),
                ("job", &job.name),
            ] {
                found.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
            let Some(mut labels) = relabel(&job.relabel, found.clone()) else { continue };
            let get = |labels: &Labels, name: &str| labels.get(name).cloned().unwrap_or_default();
            let mut address = get(&labels, "__address__");
            if !address.contains(':') {
                address.push_str(if job.scheme == "https" { ":443" } else { ":80" });
            }
            let query: Vec<String> = job.params.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let mark = if query.is_empty() { "" } else { "?" };
            let path = get(&labels, "__metrics_path__");
            let url = format!(
                "{}://{address}{path}{mark}{}",
                get(&labels, "__scheme__"),
                query.join("&")
            );
            labels.entry("instance".to_owned()).or_insert(address);
            labels.retain(|name, _| !name.starts_with("__"));
            out.push(Rc::new(Target { job: idx, labels, found, url, state: RefCell::default() }));
        }
    }
    out
}

/// Where in its interval a target is scraped: spread by its labels.
fn offset(target: &Target, interval_ms: u64) -> u64 {
    let text = format!("{:?}{}", target.labels, target.url);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash % interval_ms.max(1)
}

/// Scrapes a target until the configuration has changed.
pub(super) async fn watch(base: Rc<Base>, conf: Rc<Conf>, target: Rc<Target>) {
    let Some(job) = conf.jobs.get(target.job) else { return };
    let sys = base.sys.clone();
    web::sleep(&sys, SimTime::from_millis(offset(&target, job.interval_ms))).await;
    loop {
        if !Rc::ptr_eq(&conf, &base.conf.borrow()) {
            return;
        }
        let begun = sys.now();
        once(&base, job, &target).await;
        let next = begun + SimTime::from_millis(job.interval_ms.max(1));
        if next > sys.now() {
            web::sleep(&sys, next - sys.now()).await;
        }
    }
}

async fn once(base: &Base, job: &Job, target: &Target) {
    let begun = base.sys.now();
    let got = fetch(base, job, target).await;
    let took_ms = (base.sys.now() - begun).as_millis();
    let (samples, error) = match got {
        Ok(samples) => (samples, String::new()),
        Err(error) => (Vec::new(), error),
    };
    let up = error.is_empty();
    let n = samples.len();
    // What this target had before and has no more is stale from now on.
    for (labels, series) in base.series.borrow_mut().iter_mut() {
        let own = target.labels.iter().all(|(name, value)| labels.get(name) == Some(value));
        series.stale |= own;
    }
    for (mut labels, value) in samples {
        for (name, own) in &target.labels {
            match labels.get(name).cloned() {
                Some(_) if job.honor_labels => continue,
                Some(other) => drop(labels.insert(format!("exported_{name}"), other)),
                None => {}
            }
            labels.insert(name.clone(), own.clone());
        }
        if let Some(labels) = relabel(&job.metric_relabel, labels) {
            base.add(labels, value);
        }
    }
    let about = [
        ("up", f64::from(u8::from(up))),
        ("scrape_duration_seconds", took_ms as f64 / 1_000.0),
        ("scrape_samples_scraped", n as f64),
    ];
    for (name, value) in about {
        let mut labels = target.labels.clone();
        labels.insert("__name__".to_owned(), name.to_owned());
        base.add(labels, value);
    }
    let at_ms = base.now_ms();
    *target.state.borrow_mut() = Health { up: Some(up), error, at_ms, took_ms };
}

/// The samples of a target's page, or why there are none.
async fn fetch(base: &Base, job: &Job, target: &Target) -> Result<Vec<exposition::Sample>, String> {
    let (scheme, rest) = target.url.split_once("://").unwrap_or(("http", &target.url));
    if scheme == "https" {
        base.sys.not_simulated("prometheus: a scrape over TLS", None);
        return Err("not simulated: a scrape over TLS".to_owned());
    }
    let at = rest.find('/').unwrap_or(rest.len());
    let (address, path) = rest.split_at(at);
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "80"));
    let port: u16 = port.parse().unwrap_or(80);
    let mut headers = vec![
        ("Host".to_owned(), address.to_owned()),
        ("User-Agent".to_owned(), format!("Prometheus/{}.{}.0", base.version.0, base.version.1)),
        ("Accept".to_owned(), "text/plain;version=0.0.4;q=0.3,*/*;q=0.2".to_owned()),
        ("X-Prometheus-Scrape-Timeout-Seconds".to_owned(), (job.timeout_ms / 1_000).to_string()),
        ("Connection".to_owned(), "close".to_owned()),
    ];
    headers.extend(job.bearer.iter().map(|t| ("Authorization".to_owned(), format!("Bearer {t}"))));
    let request = web::request_bytes(&format!("GET {path} HTTP/1.1"), &headers, b"");
    let wait = SimTime::from_millis(job.timeout_ms.max(1));
    let patience = Patience { connect: wait, read: wait };
    let get = format!("Get \"{}\"", target.url);
    let (head, body) = match web::fetch(&base.sys, (host, port), &request, patience).await {
        Ok(answer) => answer,
        Err(Fail::NoName) => {
            return Err(format!("{get}: dial tcp: lookup {host} on 10.96.0.10:53: no such host"));
        }
        Err(Fail::LookupTimedOut) => {
            return Err(format!("{get}: dial tcp: lookup {host} on 10.96.0.10:53: i/o timeout"));
        }
        Err(Fail::TimedOut | Fail::Connect(Errno::TimedOut)) => {
            return Err(format!("{get}: context deadline exceeded"));
        }
        Err(Fail::Connect(errno)) => {
            let ip = base.sys.resolve(host).await.first().map(ToString::to_string);
            let (ip, why) = (ip.unwrap_or_default(), errno.text().to_lowercase());
            return Err(format!("{get}: dial tcp {ip}:{port}: connect: {why}"));
        }
        Err(Fail::Ended) => return Err(format!("{get}: EOF")),
    };
    let status = head.status().unwrap_or(0);
    if status != 200 {
        let words = head.first.split_once(' ').map_or("", |(_, words)| words);
        return Err(format!("server returned HTTP status {words}"));
    }
    let kind = head.get("Content-Type").unwrap_or("");
    let plain =
        ["text/plain", "application/openmetrics-text"].iter().any(|own| kind.starts_with(own));
    // From version 3 on a page must say what it is.
    if base.version.0 >= 3 && !plain && !job.has_fallback {
        let what = match kind {
            "" => "non-compliant scrape target sending blank Content-Type".to_owned(),
            kind => format!("received unsupported Content-Type \"{kind}\""),
        };
        return Err(format!("{what} and no fallback_scrape_protocol specified for target"));
    }
    exposition::read(&crate::shell::bytes::to_text(&body))
}
