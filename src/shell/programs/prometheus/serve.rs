//! Prometheus' web server: health, targets, queries.

use super::labels::{json, quote};
use super::query::{self, Found, Wrong};
use super::scrape::{Base, Target};
use crate::shell::http::percent_decode;
use crate::shell::programs::clock;
use crate::shell::programs::web::{Answer, Request};

fn ok(data: &str) -> Answer {
    Answer::text(200, "application/json", format!("{{\"status\":\"success\",\"data\":{data}}}"))
}

fn bad(kind: &str, text: &str) -> Answer {
    let body =
        format!("{{\"status\":\"error\",\"errorType\":{},\"error\":{}}}", quote(kind), quote(text));
    Answer::text(400, "application/json", body)
}

/// A field of the query or of a form.
fn field(request: &Request, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let pairs = request.query().split('&').chain(body.split('&'));
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(own, _)| *own == name)?.1;
    let bytes = percent_decode(&value.replace('+', " "))?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn answer(base: &Base, request: &Request) -> Answer {
    let plain = |text: &str| Answer::text(200, "text/plain; charset=utf-8", text);
    match request.path() {
        "/-/healthy" => plain("Prometheus Server is Healthy.\n"),
        "/-/ready" => plain("Prometheus Server is Ready.\n"),
        "/" => {
            let mut answer = Answer { status: 302, ..Answer::default() };
            let to = if base.version.0 >= 3 { "/query" } else { "/graph" };
            answer.headers.push(("Location".to_owned(), to.to_owned()));
            answer
        }
        "/metrics" => metrics(base),
        "/targets" => plain(&listed(base)),
        "/api/v1/targets" => targets(base),
        "/api/v1/query" => match field(request, "query") {
            Some(text) => asked(base, &text),
            None => bad(
                "bad_data",
                "invalid parameter \"query\": unknown position: parse error: no expression found in input",
            ),
        },
        "/api/v1/labels" => {
            let series = base.series.borrow();
            let names: std::collections::BTreeSet<&String> =
                series.keys().flat_map(|labels| labels.keys()).collect();
            let names: Vec<String> = names.into_iter().map(|name| quote(name)).collect();
            ok(&format!("[{}]", names.join(",")))
        }
        path => match path.strip_prefix("/api/v1/label/").and_then(|p| p.strip_suffix("/values")) {
            Some(name) => {
                let series = base.series.borrow();
                let values: std::collections::BTreeSet<&String> =
                    series.keys().filter_map(|labels| labels.get(name)).collect();
                let values: Vec<String> = values.into_iter().map(|value| quote(value)).collect();
                ok(&format!("[{}]", values.join(",")))
            }
            None if path.starts_with("/api/") || path == "/query" || path == "/graph" => {
                base.sys.not_simulated(&format!("prometheus: the page {path}"), None);
                Answer::text(501, "text/plain", format!("not simulated: {path}\n"))
            }
            None => Answer::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
        },
    }
}

fn asked(base: &Base, text: &str) -> Answer {
    let now = base.now_ms();
    let at = format!("{}.{:03}", now / 1_000, now % 1_000);
    match query::run(base, text) {
        Ok(Found::Scalar(n)) => {
            ok(&format!("{{\"resultType\":\"scalar\",\"result\":[{at},{}]}}", query::number(n)))
        }
        Ok(Found::Vector(items)) => {
            let each = items.iter().map(|(labels, value)| {
                let value = query::number(*value);
                format!("{{\"metric\":{},\"value\":[{at},{value}]}}", json(labels))
            });
            let all = each.collect::<Vec<_>>().join(",");
            ok(&format!("{{\"resultType\":\"vector\",\"result\":[{all}]}}"))
        }
        Err(Wrong::Parse(why)) => bad("bad_data", &format!("invalid parameter \"query\": {why}")),
        Err(Wrong::NotSimulated(what)) => {
            base.sys.not_simulated(&format!("prometheus: {what}"), None);
            bad("bad_data", &format!("not simulated: {what}"))
        }
    }
}

fn health(target: &Target) -> &'static str {
    match target.state.borrow().up {
        None => "unknown",
        Some(true) => "up",
        Some(false) => "down",
    }
}

fn targets(base: &Base) -> Answer {
    let conf = base.conf.borrow();
    let each = |target: &std::rc::Rc<Target>| {
        let state = target.state.borrow();
        let job = conf.jobs.get(target.job);
        let at = match state.up {
            None => "0001-01-01T00:00:00Z".to_owned(),
            Some(_) => {
                format!("{}.{:03}Z", clock::iso_at(state.at_ms * 1_000), state.at_ms % 1_000)
            }
        };
        format!(
            "{{\"discoveredLabels\":{},\"labels\":{},\"scrapePool\":{},\"scrapeUrl\":{},\
             \"globalUrl\":{},\"lastError\":{},\"lastScrape\":\"{at}\",\"lastScrapeDuration\":{},\
             \"health\":\"{}\",\"scrapeInterval\":\"{}s\",\"scrapeTimeout\":\"{}s\"}}",
            json(&target.found),
            json(&target.labels),
            quote(job.map_or("", |job| &job.name)),
            quote(&target.url),
            quote(&target.url),
            quote(&state.error),
            state.took_ms as f64 / 1_000.0,
            health(target),
            job.map_or(0, |job| job.interval_ms / 1_000),
            job.map_or(0, |job| job.timeout_ms / 1_000),
        )
    };
    let all: Vec<String> = base.targets.borrow().iter().map(each).collect();
    ok(&format!(
        "{{\"activeTargets\":[{}],\"droppedTargets\":[],\"droppedTargetCounts\":{{}}}}",
        all.join(",")
    ))
}

/// The page of targets, as text.
fn listed(base: &Base) -> String {
    let conf = base.conf.borrow();
    let mut out = String::new();
    for (idx, job) in conf.jobs.iter().enumerate() {
        let all = base.targets.borrow();
        let own: Vec<_> = all.iter().filter(|t| t.job == idx).collect();
        let up = own.iter().filter(|t| t.state.borrow().up == Some(true)).count();
        out.push_str(&format!("{} ({up}/{} up)\n", job.name, own.len()));
        for target in own {
            let state = target.state.borrow();
            let word = health(target).to_uppercase();
            out.push_str(&format!("  {} {word} {}\n", target.url, state.error));
        }
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The few figures about itself the lab has.
fn metrics(base: &Base) -> Answer {
    let (major, minor) = base.version;
    let series = base.series.borrow().values().filter(|s| !s.stale).count();
    let text = format!(
        "# HELP prometheus_build_info A metric with a constant '1' value labeled by version.\n# \
         TYPE prometheus_build_info gauge\nprometheus_build_info{{version=\"{major}.{minor}.0\"}} \
         1\n# HELP prometheus_tsdb_head_series Total number of series in the head block.\n# TYPE \
         prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series {series}\n"
    );
    Answer::text(200, "text/plain; version=0.0.4; charset=utf-8", text)
}
