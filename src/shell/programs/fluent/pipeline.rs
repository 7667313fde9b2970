//! The pipeline both programs run: inputs are looked at, records filtered and put out, until a
//! signal ends it.

use super::Part;
use super::filter;
use super::parse::{Format, Parser};
use super::record::Record;
use super::tail::Tail;
use crate::shell::programs::clock;
use crate::shell::programs::web::{self, Fail, Patience, request_bytes};
use crate::shell::{OpenHow, Signal, Sys};
use crate::time::SimTime;

/// What is run.
pub(super) struct Pipeline {
    pub(super) sys: Sys,
    /// Fluentd's way of showing records, not Fluent Bit's.
    pub(super) ruby: bool,
    pub(super) inputs: Vec<Part>,
    pub(super) filters: Vec<Part>,
    pub(super) outputs: Vec<Part>,
    pub(super) parsers: Vec<Parser>,
    pub(super) flush: SimTime,
}

impl Pipeline {
    pub(super) async fn log(&self, level: &str, text: &str) {
        let line = match self.ruby {
            true => format!(
                "{} +0000 [{}]: {text}\n",
                clock::iso(&self.sys).replace('T', " "),
                level.trim()
            ),
            false => format!("[{}] [{level}] {text}\n", clock::socat(&self.sys)),
        };
        let _ = self.sys.write(if self.ruby { 1 } else { 2 }, line.as_bytes()).await;
    }

    /// Runs until a signal to stop; gives it.
    pub(super) async fn live(&self) -> Signal {
        let mut tails: Vec<Tail> = self.inputs.iter().map(|_| Tail::default()).collect();
        loop {
            for (idx, tail) in tails.iter_mut().enumerate() {
                let Some(input) = self.inputs.get(idx) else { continue };
                let batch = self.collect(input, idx, tail).await;
                self.deliver(batch).await;
            }
            if let Some(signal) = self.sys.take_signals().first() {
                return *signal;
            }
            self.sys.sleep(self.flush).await;
        }
    }

    /// New records of one input with their tags.
    async fn collect(&self, input: &Part, idx: usize, tail: &mut Tail) -> Vec<(String, Record)> {
        let sys = &self.sys;
        let now = sys.wall_unix_micros();
        let tag = input.pattern.clone();
        match input.kind.as_str() {
            "tail" => {
                let (lines, fresh) = tail.look(sys, input).await;
                for (path, ino) in fresh {
                    let text = match self.ruby {
                        true => format!("#0 following tail of {path}"),
                        false => format!(
                            "[input:tail:tail.{idx}] inotify_fs_add(): inode={ino} watch_fd=1 name={path}"
                        ),
                    };
                    self.log(if self.ruby { "info" } else { " info" }, &text).await;
                }
                let mut batch = Vec::new();
                for (path, line) in lines {
                    sys.tick().await;
                    let tag =
                        tag.replace('*', path.trim_start_matches('/').replace('/', ".").as_str());
                    match self.read(input, &line, now) {
                        Some(mut record) => {
                            if let Some(key) = input.get("Path_Key") {
                                record.set(key, super::record::quote(&path));
                            }
                            batch.push((tag, record));
                        }
                        None if self.ruby => {
                            let text = format!("#0 pattern not matched: {line:?}");
                            self.log("warn", &text).await;
                        }
                        None => {}
                    }
                }
                batch
            }
            "dummy" | "sample" => {
                let text = input.get("Dummy").unwrap_or("{\"message\":\"dummy\"}");
                let fields = super::record::object(text).unwrap_or_default();
                vec![(tag, Record { fields, time: now })]
            }
            "cpu" => {
                let fields =
                    ["cpu_p", "user_p", "system_p"].map(|k| (k.to_owned(), "0.5".to_owned()));
                vec![(tag, Record { fields: fields.to_vec(), time: now })]
            }
            _ => Vec::new(),
        }
    }

    fn read(&self, input: &Part, line: &str, now: i64) -> Option<Record> {
        let named = input.get("Parser").and_then(|n| self.parsers.iter().find(|p| p.name == n));
        let key = input.get("Key").unwrap_or("log").to_owned();
        let whole = Parser {
            name: String::new(),
            format: Format::Line(key),
            time_key: String::new(),
            time_format: String::new(),
            time_keep: true,
        };
        match named {
            Some(parser) => parser
                .read(line, now)
                .or_else(|| if self.ruby { None } else { whole.read(line, now) }),
            None => whole.read(line, now),
        }
    }

    async fn deliver(&self, batch: Vec<(String, Record)>) {
        let mut done = Vec::new();
        for (tag, record) in batch {
            let mut filters = self.filters.iter().filter(|f| f.takes(&tag));
            let kept = filters.try_fold(record, |record, part| {
                filter::apply(&self.sys, part, &self.parsers, &tag, record)
            });
            done.extend(kept.map(|record| (tag, record)));
        }
        if done.is_empty() {
            return;
        }
        for (idx, output) in self.outputs.iter().enumerate() {
            // Fluentd gives a record to the first output that takes it, Fluent Bit to all.
            let earlier = if self.ruby { &self.outputs[..idx] } else { &[] };
            let own = done.iter().filter(|(tag, _)| {
                output.takes(tag) && !earlier.iter().any(|before| before.takes(tag))
            });
            let own: Vec<&(String, Record)> = own.collect();
            if !own.is_empty() {
                self.put(output, idx, &own).await;
            }
        }
    }

    fn shown(&self, output: &Part, idx: usize, tag: &str, record: &Record) -> String {
        if self.ruby {
            let part = format!("{:06}000", record.time.rem_euclid(1_000_000));
            let date = clock::iso_at(record.time).replace('T', " ");
            return format!("{date}.{part} +0000 {tag}: {}\n", record.json());
        }
        let format = output.get("Format").unwrap_or("");
        if format.starts_with("json") {
            let key = output.get("json_date_key").unwrap_or("date");
            let date = (key != "false").then(|| format!("\"{key}\":{}", record.seconds(6)));
            let json = record.json();
            let inner = json.trim_start_matches('{');
            let comma = if inner.len() > 1 && date.is_some() { "," } else { "" };
            return format!("{{{}{comma}{inner}\n", date.unwrap_or_default());
        }
        format!("[{idx}] {tag}: [[{}, {{}}], {}]\n", record.seconds(9), record.arrows())
    }

    async fn put(&self, output: &Part, number: usize, records: &[&(String, Record)]) {
        let mut text = String::new();
        for (idx, (tag, record)) in records.iter().enumerate() {
            text.push_str(&self.shown(output, idx, tag, record));
        }
        let sys = &self.sys;
        match output.kind.as_str() {
            "stdout" => {
                let _ = sys.write(1, text.as_bytes()).await;
            }
            "file" => {
                let (tag, _) = records[0];
                let dir = output.get("Path").unwrap_or(".");
                let path = match (output.get("File"), self.ruby) {
                    (Some(file), _) => format!("{dir}/{file}"),
                    (None, true) => format!("{dir}.log"),
                    (None, false) => format!("{dir}/{tag}"),
                };
                let plain = records.iter().map(|(tag, record)| match self.ruby {
                    true => format!("{}\t{tag}\t{}\n", clock::iso_at(record.time), record.json()),
                    false => format!("{tag}: [{}, {}]\n", record.seconds(6), record.json()),
                });
                match sys.open(&path, OpenHow::APPEND).await {
                    Ok(fd) => {
                        let _ = sys.write(fd, plain.collect::<String>().as_bytes()).await;
                        let _ = sys.close(fd);
                    }
                    Err(errno) => {
                        let text = format!(
                            "[output:file:file.{number}] error opening: {path}: {}",
                            errno.text()
                        );
                        self.log("error", &text).await;
                    }
                }
            }
            "http" => self.post(output, number, records).await,
            _ => {}
        }
    }

    async fn post(&self, output: &Part, number: usize, records: &[&(String, Record)]) {
        let list: Vec<String> = records.iter().map(|(_, record)| record.json()).collect();
        let body = format!("[{}]", list.join(","));
        let endpoint =
            output.get("endpoint").unwrap_or("").trim_start_matches("http://").to_owned();
        let (place, path) = endpoint.split_once('/').unwrap_or((&endpoint, ""));
        let (own_host, own_port) = place.split_once(':').unwrap_or((place, "80"));
        let host = output.get("Host").unwrap_or(if self.ruby { own_host } else { "127.0.0.1" });
        let port = output.get("Port").unwrap_or(own_port).parse().unwrap_or(80);
        let path = output.get("URI").map_or(format!("/{path}"), str::to_owned);
        let headers = [
            ("Host", format!("{host}:{port}")),
            ("Content-Length", body.len().to_string()),
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", "Fluent-Bit".to_owned()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let request = request_bytes(&format!("POST {path} HTTP/1.1"), &headers, body.as_bytes());
        let patience = Patience { connect: SimTime::from_secs(10), read: SimTime::from_secs(30) };
        let name = format!("[output:http:http.{number}]");
        let text = match web::fetch(&self.sys, (host, port), &request, patience).await {
            Ok((head, _)) if head.status().is_some_and(|s| (200..300).contains(&s)) => return,
            Ok((head, _)) => {
                format!("{name} {host}:{port}, HTTP status={}", head.status().unwrap_or(0))
            }
            Err(Fail::NoName) => {
                format!("[net] getaddrinfo(host='{host}', err=4): Domain name not found")
            }
            Err(_) => format!("{name} no upstream connections available to {host}:{port}"),
        };
        self.log("error", &text).await;
    }
}
