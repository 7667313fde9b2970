//! Fluent Bit: its classic configuration language and its own life.

use super::parse::{Format, Parser, regex};
use super::pipeline::Pipeline;
use super::{Part, filter};
use crate::shell::programs::threads::Threads;
use crate::shell::programs::web::{Answer, Handler, Server};
use crate::shell::{Disposition, Signal, Sys};
use crate::time::SimTime;
use std::net::Ipv4Addr;
use std::rc::Rc;

const VERSION: &str = "3.2.10";
const INPUTS: &[&str] = &["tail", "dummy", "cpu"];
const OTHER_INPUTS: &[&str] = &[
    "mem",
    "forward",
    "http",
    "tcp",
    "udp",
    "syslog",
    "systemd",
    "kmsg",
    "disk",
    "netif",
    "proc",
    "head",
    "exec",
    "random",
    "stdin",
    "mqtt",
    "serial",
    "health",
    "node_exporter_metrics",
    "prometheus_scrape",
    "fluentbit_metrics",
    "opentelemetry",
    "kubernetes_events",
    "splunk",
];
const OUTPUTS: &[&str] = &["stdout", "file", "http", "null", "counter", "flowcounter"];
const OTHER_OUTPUTS: &[&str] = &[
    "forward",
    "es",
    "loki",
    "kafka",
    "s3",
    "splunk",
    "opensearch",
    "influxdb",
    "datadog",
    "gelf",
    "prometheus_exporter",
    "prometheus_remote_write",
    "opentelemetry",
    "cloudwatch_logs",
    "tcp",
    "udp",
    "syslog",
    "stackdriver",
    "azure",
    "kinesis_streams",
    "kinesis_firehose",
    "nats",
    "plot",
];

/// `[SECTION]` and its settings, from a file and what it includes.
fn sections(sys: &Sys, path: &str, depth: usize) -> Result<Vec<(String, Part)>, String> {
    let problem = || format!("[config] could not open configuration file '{path}', aborting");
    let text = sys.access(path, 4).ok().and_then(|()| sys.peek_file(path)).ok_or_else(problem)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut found: Vec<(String, Part)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            found.push((name.to_ascii_uppercase(), Part::default()));
            continue;
        }
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if key.eq_ignore_ascii_case("@include") && depth < 5 {
            let other = value.trim();
            let full =
                if other.starts_with('/') { other.to_owned() } else { format!("{dir}/{other}") };
            found.extend(sections(sys, &full, depth + 1)?);
            continue;
        }
        let Some((_, part)) = found.last_mut() else {
            let number = number + 1;
            return Err(format!(
                "[config] error in {path}:{number}: undefined value - check config is in valid classic format"
            ));
        };
        let value = filter::env(sys, value.trim());
        match key.to_ascii_lowercase().as_str() {
            "name" if part.kind.is_empty() => part.kind = value.to_ascii_lowercase(),
            "match" | "tag" => part.pattern = value,
            _ => part.settings.push((key.to_owned(), value)),
        }
    }
    Ok(found)
}

fn parser(part: &Part, name: &str) -> Option<Parser> {
    let format = match part.get("Format").unwrap_or("").to_ascii_lowercase().as_str() {
        "json" => Format::Json,
        "logfmt" => Format::Logfmt,
        "regex" => {
            let (regex, names) = regex(part.get("Regex")?)?;
            Format::Regex(regex, names)
        }
        _ => return None,
    };
    Some(Parser {
        name: name.to_owned(),
        format,
        time_key: part.get("Time_Key").unwrap_or("").to_owned(),
        time_format: part.get("Time_Format").unwrap_or("").to_owned(),
        time_keep: part.is_on("Time_Keep"),
    })
}

struct Config {
    pipeline: Pipeline,
    service: Part,
}

fn load(sys: &Sys, path: &str) -> Result<Config, String> {
    let all = sections(sys, path, 0)?;
    let mut service = Part::default();
    let mut pipeline = Pipeline {
        sys: sys.clone(),
        ruby: false,
        inputs: Vec::new(),
        filters: Vec::new(),
        outputs: Vec::new(),
        parsers: Vec::new(),
        flush: SimTime::from_secs(1),
    };
    for (name, mut part) in all {
        match name.as_str() {
            "SERVICE" => service = part,
            "INPUT" => {
                check("input", &part, INPUTS, OTHER_INPUTS, sys)?;
                if part.pattern.is_empty() {
                    part.pattern = format!("{}.{}", part.kind, pipeline.inputs.len());
                }
                pipeline.inputs.push(part);
            }
            "FILTER" => {
                check("filter", &part, filter::KNOWN, filter::OTHERS, sys)?;
                pipeline.filters.push(part);
            }
            "OUTPUT" => {
                check("output", &part, OUTPUTS, OTHER_OUTPUTS, sys)?;
                pipeline.outputs.push(part);
            }
            "PARSER" => pipeline.parsers.extend(parser(&part, &part.kind.clone())),
            "MULTILINE_PARSER" | "PLUGINS" => {}
            other => return Err(format!("[config] unknown section '{}'", other.to_lowercase())),
        }
    }
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    for name in service.all("Parsers_File") {
        let full = if name.starts_with('/') { name.to_owned() } else { format!("{dir}/{name}") };
        for (kind, part) in sections(sys, &full, 1)? {
            if kind == "PARSER" {
                pipeline.parsers.extend(parser(&part, &part.kind.clone()));
            }
        }
    }
    if let Some(secs) = service.get("Flush").and_then(|f| f.split('.').next()?.parse().ok()) {
        pipeline.flush = SimTime::from_secs(std::cmp::max(secs, 1));
    }
    Ok(Config { pipeline, service })
}

fn check(
    what: &str,
    part: &Part,
    known: &[&str],
    others: &[&str],
    sys: &Sys,
) -> Result<(), String> {
    let kind = part.kind.as_str();
    if others.contains(&kind) {
        sys.not_simulated(&format!("fluent-bit: the {what} {kind}"), None);
    } else if !known.contains(&kind) {
        return Err(format!(
            "[config] section '{what}' tried to instance a plugin name that doesn't exist"
        ));
    }
    Ok(())
}

pub(in crate::shell::programs) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut path = "/fluent-bit/etc/fluent-bit.conf".to_owned();
    let mut rest = argv.iter().skip(1);
    while let Some(arg) = rest.next() {
        match (arg.as_str(), arg.split_once('=')) {
            ("-c" | "--config", _) => path = rest.next().cloned().unwrap_or_default(),
            (_, Some(("--config", own))) => path = own.to_owned(),
            _ => sys.not_simulated(&format!("fluent-bit: the option {arg}"), None),
        }
    }
    let banner = format!(
        "Fluent Bit v{VERSION}\n* Copyright (C) 2015-2024 The Fluent Bit Authors\n* Fluent Bit is a CNCF \
         sub-project under the umbrella of Fluentd\n* https://fluentbit.io\n\n"
    );
    let _ = sys.write(2, banner.as_bytes()).await;
    let config = match load(&sys, &path) {
        Ok(config) => config,
        Err(problem) => {
            let date = crate::shell::programs::clock::socat(&sys);
            let text = format!(
                "[{date}] [error] {problem}\n[{date}] [error] configuration file contains errors, aborting.\n"
            );
            let _ = sys.write(2, text.as_bytes()).await;
            return 1;
        }
    };
    let Config { pipeline, service } = config;
    for signal in [Signal::TERM, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.claim_memory(12 << 20);
    let pid = sys.pid();
    pipeline.log(" info", &format!("[fluent bit] version={VERSION}, commit=, pid={pid}")).await;
    pipeline
        .log(
            " info",
            "[storage] ver=1.5.2, type=memory, sync=normal, checksum=off, max_chunks_up=128",
        )
        .await;
    pipeline.log(" info", "[sp] stream processor started").await;
    tell_parts(&pipeline).await;
    let threads = Threads::default();
    let server = Server::new(&sys, &threads, SimTime::from_secs(30));
    if service.is_on("HTTP_Server") {
        serve(&pipeline, &service, &server).await;
    }
    threads.run(pipeline.live()).await;
    let text = "[engine] caught signal (SIGTERM)\n";
    let date = crate::shell::programs::clock::socat(&sys);
    let _ = sys.write(2, format!("[{date}] {text}").as_bytes()).await;
    pipeline.log(" warn", "[engine] service will shutdown in max 5 seconds").await;
    sys.sleep(SimTime::from_secs(1)).await;
    pipeline.log(" info", "[engine] service has stopped (0 pending tasks)").await;
    0
}

/// What it says of its inputs and outputs when it starts.
async fn tell_parts(pipeline: &Pipeline) {
    for input in &pipeline.inputs {
        if let Some(name) =
            input.get("Parser").filter(|n| !pipeline.parsers.iter().any(|p| p.name == *n))
        {
            let text = format!("[input:{0}:{0}.0] parser '{name}' is not registered", input.kind);
            pipeline.log("error", &text).await;
        }
    }
    for (idx, output) in pipeline.outputs.iter().enumerate().filter(|(_, o)| o.kind == "stdout") {
        pipeline
            .log(" info", &format!("[output:{0}:{0}.{idx}] worker #0 started", output.kind))
            .await;
    }
}

async fn serve(pipeline: &Pipeline, service: &Part, server: &Server) {
    let port = service.get("HTTP_Port").and_then(|p| p.parse().ok()).unwrap_or(2020);
    let listen = service.get("HTTP_Listen").and_then(|a| a.parse().ok());
    let health = service.is_on("Health_Check");
    let Ok(listener) = pipeline.sys.listen(listen.unwrap_or(Ipv4Addr::UNSPECIFIED), port) else {
        let text = format!("[http_server] could not listen on port {port}");
        return pipeline.log("error", &text).await;
    };
    let handler: Handler = Rc::new(move |request| {
        let answer = match request.path() {
            "/" => Answer::text(
                200,
                "application/json",
                format!(
                    "{{\"fluent-bit\":{{\"version\":\"{VERSION}\",\"edition\":\"Community\"}}}}"
                ),
            ),
            "/api/v1/health" if health => Answer::text(200, "text/plain", "ok\n"),
            "/api/v1/uptime" => Answer::text(200, "application/json", "{\"uptime_sec\":1}"),
            "/api/v1/metrics" => {
                Answer::text(200, "application/json", "{\"input\":{},\"filter\":{},\"output\":{}}")
            }
            _ => Answer::text(404, "text/plain", ""),
        };
        Box::pin(async move { answer })
    });
    server.serve(listener, handler);
    let text = format!("[http_server] listen iface=0.0.0.0 tcp_port={port}");
    pipeline.log(" info", &text).await;
}
