//! Fluentd: its configuration language of tags in angle brackets and its own life.

use super::parse::{APACHE, Format, NGINX, Parser, regex};
use super::pipeline::Pipeline;
use super::{Part, filter};
use crate::shell::programs::threads::Threads;
use crate::shell::{Disposition, OpenHow, Signal, Sys};
use crate::time::SimTime;

const VERSION: &str = "1.16.5";
const SOURCES: &[&str] = &["tail", "dummy", "sample"];
const OTHER_SOURCES: &[&str] = &[
    "forward",
    "http",
    "tcp",
    "udp",
    "syslog",
    "exec",
    "monitor_agent",
    "unix",
    "debug_agent",
    "prometheus",
];
const MATCHES: &[&str] = &["stdout", "file", "http", "null"];
const OTHER_MATCHES: &[&str] = &[
    "forward",
    "copy",
    "relabel",
    "elasticsearch",
    "kafka2",
    "s3",
    "exec",
    "roundrobin",
    "secondary_file",
    "rewrite_tag_filter",
    "loki",
    "opensearch",
    "buffer",
];

/// `<name argument>` with its settings and what is inside.
struct Block {
    name: String,
    argument: String,
    settings: Vec<(String, String)>,
    inside: Vec<Block>,
}

impl Block {
    fn get(&self, name: &str) -> Option<&str> {
        let own = self.settings.iter().find(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    fn child(&self, name: &str) -> Option<&Block> {
        self.inside.iter().find(|block| block.name == name)
    }
}

/// A value: quotes taken off, `#{...}` filled in as far as it is known.
fn value(sys: &Sys, text: &str) -> String {
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let single = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    let Some(inner) = quoted else { return single.unwrap_or(text).to_owned() };
    let mut out = String::new();
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once("#{") {
        let Some((code, after)) = after.split_once('}') else { break };
        out.push_str(before);
        let env = code.strip_prefix("ENV[").and_then(|c| c.split(']').next());
        match (code, env) {
            (_, Some(name)) => {
                out.push_str(&sys.getenv(name.trim_matches(['"', '\''])).unwrap_or_default());
            }
            ("Socket.gethostname" | "hostname", _) => out.push_str(&sys.hostname()),
            _ => sys.not_simulated(&format!("fluentd: Ruby in a setting: {code}"), None),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn blocks(sys: &Sys, path: &str, depth: usize) -> Result<Vec<Block>, String> {
    let text = sys.access(path, 4).ok().and_then(|()| sys.peek_file(path));
    let missing = || format!("No such file or directory @ rb_sysopen - {path}");
    let text = String::from_utf8_lossy(&text.ok_or_else(missing)?).into_owned();
    let top = |name: &str| Block {
        name: name.to_owned(),
        argument: String::new(),
        settings: Vec::new(),
        inside: Vec::new(),
    };
    let mut open = vec![top("ROOT")];
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let at = || format!("{} at {path} line {}", line, number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("</").and_then(|l| l.strip_suffix('>')) {
            let Some(done) = open.pop().filter(|b| b.name == name.trim() && !open.is_empty())
            else {
                return Err(format!("unmatched end tag at {}", at()));
            };
            open.last_mut().into_iter().for_each(|outer| outer.inside.push(done_copy(&done)));
            continue;
        }
        if let Some(inner) = line.strip_prefix('<').and_then(|l| l.strip_suffix('>')) {
            let (name, argument) = inner.split_once(' ').unwrap_or((inner, ""));
            let mut block = top(name);
            block.argument = argument.trim().to_owned();
            open.push(block);
            if open.len() > 20 {
                return Err(format!("too deep at {}", at()));
            }
            continue;
        }
        let (key, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let Some(block) = open.last_mut() else { continue };
        if key == "@include" && depth < 5 {
            let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
            let other = rest.trim();
            let full =
                if other.starts_with('/') { other.to_owned() } else { format!("{dir}/{other}") };
            block.inside.extend(blocks(sys, &full, depth + 1)?);
            continue;
        }
        block.settings.push((key.to_owned(), value(sys, rest)));
    }
    let n_open = open.len();
    match open.pop() {
        Some(root) if n_open == 1 => Ok(root.inside),
        Some(block) => Err(format!("expected end tag </{}> but got end of file", block.name)),
        None => Ok(Vec::new()),
    }
}

fn done_copy(block: &Block) -> Block {
    Block {
        name: block.name.clone(),
        argument: block.argument.clone(),
        settings: block.settings.clone(),
        inside: block.inside.iter().map(done_copy).collect(),
    }
}

fn parser(block: &Block, name: String) -> Result<Parser, String> {
    let kind = block.get("@type").unwrap_or("none");
    let of = |pattern: &str| regex(pattern).map(|(regex, names)| Format::Regex(regex, names));
    let clf = "%d/%b/%Y:%H:%M:%S %z";
    let (format, key, time) = match kind {
        "none" => (Some(Format::Line("message".to_owned())), "", ""),
        "json" => (Some(Format::Json), "time", "%Y-%m-%dT%H:%M:%S.%L%z"),
        "nginx" => (of(NGINX), "time", clf),
        "apache2" | "apache" => (of(APACHE), "time", clf),
        "logfmt" => (Some(Format::Logfmt), "", ""),
        "regexp" => (of(block.get("expression").unwrap_or("")), "time", ""),
        other => {
            return Err(format!(
                "Unknown parser plugin '{other}'. Run 'gem search -rd fluent-plugin' to find plugins"
            ));
        }
    };
    let format = format.ok_or_else(|| "Invalid regexp in expression".to_owned())?;
    Ok(Parser {
        name,
        format,
        time_key: block.get("time_key").unwrap_or(key).to_owned(),
        time_format: block.get("time_format").unwrap_or(time).to_owned(),
        time_keep: block.get("keep_time_key") == Some("true"),
    })
}

fn add(sys: &Sys, pipeline: &mut Pipeline, block: &Block) -> Result<(), String> {
    let kind = block.get("@type").unwrap_or("").to_owned();
    let mut part = Part { kind, pattern: block.argument.clone(), settings: block.settings.clone() };
    let (what, known, others): (&str, &[&str], &[&str]) = match block.name.as_str() {
        "source" => ("input", SOURCES, OTHER_SOURCES),
        "filter" => ("filter", filter::KNOWN, filter::OTHERS),
        "match" => ("output", MATCHES, OTHER_MATCHES),
        "label" => {
            sys.not_simulated(
                "fluentd: labels; their filters and outputs are taken as they come",
                None,
            );
            return block.inside.iter().try_for_each(|inner| add(sys, pipeline, inner));
        }
        _ => return Ok(()),
    };
    if part.kind.is_empty() {
        return Err(format!("Missing '@type' parameter on <{}> directive", block.name));
    }
    if others.contains(&part.kind.as_str()) {
        sys.not_simulated(&format!("fluentd: the {what} {}", part.kind), None);
    } else if !known.contains(&part.kind.as_str()) {
        return Err(format!(
            "Unknown {what} plugin '{}'. Run 'gem search -rd fluent-plugin' to find plugins",
            part.kind
        ));
    }
    if what == "input" {
        return source(pipeline, part, block);
    }
    inner_settings(pipeline, &mut part, block)?;
    if what == "filter" {
        pipeline.filters.push(part);
    } else {
        pipeline.outputs.push(part);
    }
    Ok(())
}

/// What is inside a filter or an output, as settings of it.
fn inner_settings(pipeline: &mut Pipeline, part: &mut Part, block: &Block) -> Result<(), String> {
    for inner in &block.inside {
        let rule = |name: &str| {
            let pattern = inner.get("pattern").unwrap_or("");
            (name.to_owned(), format!("{} {pattern}", inner.get("key").unwrap_or("")))
        };
        match inner.name.as_str() {
            "record" => {
                let own = inner.settings.iter().map(|(k, v)| (format!("record.{k}"), v.clone()));
                part.settings.extend(own);
            }
            "regexp" => part.settings.push(rule("Regex")),
            "exclude" => part.settings.push(rule("Exclude")),
            "parse" => {
                let name = format!("#{}", pipeline.parsers.len());
                pipeline.parsers.push(parser(inner, name.clone())?);
                part.settings.push(("Parser".to_owned(), name));
            }
            _ => {}
        }
    }
    Ok(())
}

fn source(pipeline: &mut Pipeline, mut part: Part, block: &Block) -> Result<(), String> {
    if part.kind == "tail" && part.get("tag").is_none() {
        return Err("'tag' parameter is required".to_owned());
    }
    if part.kind == "tail" && block.child("parse").is_none() && part.get("format").is_none() {
        return Err("<parse> section is required.".to_owned());
    }
    part.pattern = part.get("tag").unwrap_or("").to_owned();
    if let Some(parse) = block.child("parse") {
        let name = format!("#{}", pipeline.parsers.len());
        pipeline.parsers.push(parser(parse, name.clone())?);
        part.settings.push(("Parser".to_owned(), name));
    }
    pipeline.inputs.push(part);
    Ok(())
}

pub(in crate::shell::programs) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut path = "/fluentd/etc/fluent.conf".to_owned();
    let mut rest = argv.iter().skip(1);
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-c" | "--config" => path = rest.next().cloned().unwrap_or_default(),
            "-p" | "--plugin" => drop(rest.next()),
            "-v" | "-vv" | "-q" => {}
            _ => sys.not_simulated(&format!("fluentd: the option {arg}"), None),
        }
    }
    let mut pipeline = Pipeline {
        sys: sys.clone(),
        ruby: true,
        inputs: Vec::new(),
        filters: Vec::new(),
        outputs: Vec::new(),
        parsers: Vec::new(),
        flush: SimTime::from_millis(500),
    };
    for signal in [Signal::TERM, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.claim_memory(80 << 20);
    sys.sleep(SimTime::from_millis(900)).await;
    pipeline.log("info", "init supervisor logger path=nil rotate_age=nil rotate_size=nil").await;
    let loaded = blocks(&sys, &path, 0);
    if loaded.is_ok() {
        let text = format!("parsing config file is succeeded path=\"{path}\"");
        pipeline.log("info", &text).await;
        pipeline.log("info", &format!("gem 'fluentd' version '{VERSION}'")).await;
    }
    let added =
        loaded.and_then(|all| all.iter().try_for_each(|block| add(&sys, &mut pipeline, block)));
    if let Err(problem) = added {
        let class = if problem.starts_with("No such file") {
            "Errno::ENOENT"
        } else {
            "Fluent::ConfigError"
        };
        let text = format!("config error file=\"{path}\" error_class={class} error=\"{problem}\"");
        pipeline.log("error", &text).await;
        return 1;
    }
    let text = sys.peek_file(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let inner: String = text.lines().map(|line| format!("  {line}\n")).collect();
    pipeline.log("info", &format!("using configuration file: <ROOT>\n{inner}</ROOT>")).await;
    let pid = sys.pid();
    pipeline.log("info", &format!("starting fluentd-{VERSION} pid={pid} ruby=\"3.2.4\"")).await;
    sys.sleep(SimTime::from_millis(1200)).await;
    let threads = Threads::default();
    threads.run(works(&pipeline)).await;
    pipeline.log("info", "Received graceful stop").await;
    pipeline.log("info", "#0 fluentd worker is now stopping worker=0").await;
    pipeline.log("info", "#0 shutting down fluentd worker worker=0").await;
    pipeline.log("info", "Worker 0 finished with status 0").await;
    0
}

/// The worker, started again when it cannot write where it must.
async fn works(pipeline: &Pipeline) {
    let sys = &pipeline.sys;
    loop {
        let text =
            format!("#0 starting fluentd worker pid={} ppid={} worker=0", sys.pid() + 9, sys.pid());
        pipeline.log("info", &text).await;
        let mut problem = None;
        for input in &pipeline.inputs {
            let Some(path) = input.get("pos_file") else { continue };
            match sys.open(path, OpenHow::APPEND).await {
                Ok(fd) => drop(sys.close(fd)),
                Err(errno) => problem = Some((path.to_owned(), errno)),
            }
        }
        let Some((path, errno)) = problem else {
            pipeline.log("info", "#0 fluentd worker is now running worker=0").await;
            pipeline.live().await;
            return;
        };
        let class = match errno {
            crate::shell::Errno::Access => "Errno::EACCES",
            crate::shell::Errno::RoFs => "Errno::EROFS",
            _ => "Errno::ENOENT",
        };
        let why = format!("{} @ rb_sysopen - {path}", errno.text());
        let text = format!("#0 unexpected error error_class={class} error=\"{why}\"");
        pipeline.log("error", &text).await;
        pipeline.log("info", "Worker 0 exited unexpectedly with status 1").await;
        sys.sleep(SimTime::from_secs(1)).await;
        if sys.has_signals() {
            return;
        }
    }
}
