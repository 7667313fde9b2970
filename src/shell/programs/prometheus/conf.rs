//! Prometheus' configuration: what is read of it, and what is wrong with it in its own words.

use super::labels::{Labels, Rule, whole};
use crate::yaml::{self, Node, Value};

#[derive(Clone, Debug, Default)]
pub(super) struct Conf {
    pub(super) external: Labels,
    pub(super) jobs: Vec<Job>,
    /// What the lab leaves out.
    pub(super) not_simulated: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) interval_ms: u64,
    pub(super) timeout_ms: u64,
    pub(super) path: String,
    pub(super) scheme: String,
    pub(super) params: Vec<(String, String)>,
    pub(super) honor_labels: bool,
    /// A form is taken for granted where the answer does not name one.
    pub(super) has_fallback: bool,
    pub(super) bearer: Option<String>,
    /// Addresses with the labels of their group.
    pub(super) targets: Vec<(String, Labels)>,
    pub(super) relabel: Vec<Rule>,
    pub(super) metric_relabel: Vec<Rule>,
}

const ROOT: &str = " global runtime scrape_configs scrape_config_files alerting rule_files \
    remote_write remote_read storage tracing otlp ";
const GLOBAL: &str = " scrape_interval scrape_timeout evaluation_interval rule_query_offset \
    query_log_file scrape_failure_log_file external_labels body_size_limit sample_limit \
    target_limit label_limit label_name_length_limit label_value_length_limit keep_dropped_targets \
    scrape_protocols metric_name_validation_scheme convert_classic_histograms_to_nhcb \
    always_scrape_classic_histograms metric_name_escaping_scheme ";
const JOB: &str = " job_name honor_labels honor_timestamps track_timestamps_staleness params \
    scrape_interval scrape_timeout scrape_protocols fallback_scrape_protocol \
    scrape_classic_histograms always_scrape_classic_histograms metrics_path scheme \
    enable_compression body_size_limit sample_limit target_limit label_limit \
    label_name_length_limit label_value_length_limit keep_dropped_targets \
    scrape_failure_log_file relabel_configs metric_relabel_configs static_configs \
    basic_auth authorization oauth2 bearer_token bearer_token_file tls_config \
    follow_redirects enable_http2 proxy_url http_headers kubernetes_sd_configs \
    file_sd_configs dns_sd_configs http_sd_configs consul_sd_configs ec2_sd_configs \
    gce_sd_configs azure_sd_configs docker_sd_configs dockerswarm_sd_configs \
    metric_name_validation_scheme native_histogram_bucket_limit \
    convert_classic_histograms_to_nhcb ";
const RULE: &str = " source_labels separator target_label regex modulus replacement action ";

struct Reader<'a> {
    text: &'a str,
    unknown: Vec<String>,
}

/// Milliseconds of `15s`, `1m30s`.
pub(super) fn duration(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0_u64);
    if text.is_empty() || text == "0" {
        return (text == "0").then_some(0);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: u64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let units = [
            ("ms", 1),
            ("s", 1_000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", 86_400_000),
            ("w", 604_800_000),
        ];
        let (unit, per) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        sum = sum.checked_add(n.checked_mul(*per)?)?;
    }
    Some(sum)
}

/// Reads a configuration; the error follows `parsing YAML file X: `.
pub(super) fn read(text: &str) -> Result<Conf, String> {
    let parsed = yaml::parse(text);
    if let Some(problem) = parsed.diagnostics.first() {
        let line = text.get(..problem.span.start as usize).unwrap_or("").matches('\n').count() + 1;
        let what = problem.message.trim_start_matches("error converting YAML to JSON: ");
        let what = what.trim_start_matches("yaml: ");
        return Err(match what.starts_with("line ") {
            true => format!("yaml: {what}"),
            false => format!("yaml: line {line}: {what}"),
        });
    }
    let mut reader = Reader { text, unknown: Vec::new() };
    let Some(root) = parsed.docs.first().and_then(|doc| doc.root.as_ref()) else {
        return Ok(Conf::default());
    };
    let conf = reader.root(root)?;
    match reader.unknown.is_empty() {
        true => Ok(conf),
        false => Err(format!("yaml: unmarshal errors:\n{}", reader.unknown.join("\n"))),
    }
}

fn text_of(node: Option<&Node>) -> Option<String> {
    node?.shown()
}

impl Reader<'_> {
    fn line(&self, node: &Node) -> usize {
        let before = self.text.get(..node.span.start as usize).unwrap_or("");
        before.matches('\n').count() + 1
    }

    /// Notes fields nobody knows; a map that is none is an error of its own.
    fn fields(&mut self, node: &Node, known: &str, kind: &str) {
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            let shown = text_of(Some(node)).unwrap_or_default();
            let what = format!("cannot unmarshal !!str `{shown}` into {kind}");
            self.unknown.push(format!("  line {}: {what}", self.line(node)));
        }
        for entry in node.entries() {
            if !known.split_ascii_whitespace().any(|own| own == entry.key) {
                let before = self.text.get(..entry.key_span.start as usize).unwrap_or("");
                let line = before.matches('\n').count() + 1;
                let key = &entry.key;
                self.unknown.push(format!("  line {line}: field {key} not found in type {kind}"));
            }
        }
    }

    fn root(&mut self, root: &Node) -> Result<Conf, String> {
        self.fields(root, ROOT, "config.plain");
        let mut conf = Conf::default();
        for what in ["alerting", "rule_files", "remote_write", "remote_read", "scrape_config_files"]
        {
            if root.get(what).is_some_and(|node| !node.is_null()) {
                conf.not_simulated.push(what.to_owned());
            }
        }
        let (mut interval, mut timeout) = (60_000, None);
        if let Some(global) = root.get("global") {
            self.fields(global, GLOBAL, "config.plain");
            interval = span(global, "scrape_interval")?.unwrap_or(interval);
            timeout = span(global, "scrape_timeout")?;
            span(global, "evaluation_interval")?;
            if let Some(external) = global.get("external_labels") {
                conf.external = labels(external);
            }
        }
        for node in root.get("scrape_configs").map_or(&[][..], Node::items) {
            let job = self.job(node, interval, timeout, &mut conf.not_simulated)?;
            if conf.jobs.iter().any(|own| own.name == job.name) {
                let name = job.name;
                return Err(format!("found multiple scrape configs with job name \"{name}\""));
            }
            conf.jobs.push(job);
        }
        Ok(conf)
    }

    fn job(
        &mut self,
        node: &Node,
        interval: u64,
        timeout: Option<u64>,
        noted: &mut Vec<String>,
    ) -> Result<Job, String> {
        self.fields(node, JOB, "config.plain");
        let name = text_of(node.get("job_name")).unwrap_or_default();
        if name.is_empty() {
            return Err("job_name is empty".to_owned());
        }
        let interval_ms = span(node, "scrape_interval")?.unwrap_or(interval);
        let own = span(node, "scrape_timeout")?.or(timeout);
        if own.is_some_and(|own| own > interval_ms) {
            return Err(format!(
                "scrape timeout greater than scrape interval for scrape config with job name \
                 \"{name}\""
            ));
        }
        for entry in node.entries() {
            let sd = entry.key.ends_with("_sd_configs");
            if sd || matches!(entry.key.as_str(), "tls_config" | "basic_auth" | "oauth2") {
                noted.push(format!("{} of job {name}", entry.key));
            }
        }
        let mut targets = Vec::new();
        for group in node.get("static_configs").map_or(&[][..], Node::items) {
            let own = group.get("labels").map_or(Labels::new(), labels);
            for target in group.get("targets").map_or(&[][..], Node::items) {
                let address = text_of(Some(target)).unwrap_or_default();
                if address.contains('/') {
                    return Err(format!("\"{address}\" is not a valid hostname"));
                }
                targets.push((address, own.clone()));
            }
        }
        let mut params = Vec::new();
        for entry in node.get("params").map_or(&[][..], Node::entries) {
            for value in entry.value.items() {
                params.push((entry.key.clone(), text_of(Some(value)).unwrap_or_default()));
            }
        }
        Ok(Job {
            timeout_ms: own.unwrap_or(10_000).min(interval_ms),
            interval_ms,
            path: text_of(node.get("metrics_path")).unwrap_or("/metrics".to_owned()),
            scheme: text_of(node.get("scheme")).unwrap_or("http".to_owned()),
            params,
            honor_labels: node.get("honor_labels").and_then(Node::as_bool).unwrap_or(false),
            has_fallback: node.get("fallback_scrape_protocol").is_some(),
            bearer: text_of(node.get("bearer_token")),
            targets,
            relabel: self.rules(node.get("relabel_configs"), noted)?,
            metric_relabel: self.rules(node.get("metric_relabel_configs"), noted)?,
            name,
        })
    }

    fn rules(&mut self, node: Option<&Node>, noted: &mut Vec<String>) -> Result<Vec<Rule>, String> {
        let mut out = Vec::new();
        for node in node.map_or(&[][..], Node::items) {
            self.fields(node, RULE, "relabel.plain");
            let text = |name: &str, default: &str| {
                text_of(node.get(name)).unwrap_or_else(|| default.to_owned())
            };
            let action = text("action", "replace").to_lowercase();
            const ACTIONS: &[&str] = &[
                "replace",
                "keep",
                "drop",
                "labelmap",
                "labeldrop",
                "labelkeep",
                "lowercase",
                "uppercase",
                "hashmod",
                "keepequal",
                "dropequal",
            ];
            if !ACTIONS.contains(&action.as_str()) {
                return Err(format!("unknown relabel action \"{action}\""));
            }
            if matches!(action.as_str(), "hashmod" | "keepequal" | "dropequal") {
                noted.push(format!("the relabel action {action}"));
            }
            let pattern = text("regex", "(.*)");
            let regex =
                whole(&pattern).ok_or_else(|| format!("error parsing regexp: `{pattern}`"))?;
            let sources = node.get("source_labels").map_or(&[][..], Node::items);
            let target = text("target_label", "");
            if action == "replace" && target.is_empty() {
                return Err(
                    "relabel configuration for replace action requires 'target_label' value"
                        .to_owned(),
                );
            }
            out.push(Rule {
                sources: sources.iter().filter_map(|n| text_of(Some(n))).collect(),
                separator: text("separator", ";"),
                regex,
                target,
                replacement: text("replacement", "$1"),
                action,
            });
        }
        Ok(out)
    }
}

fn span(node: &Node, name: &str) -> Result<Option<u64>, String> {
    let Some(text) = text_of(node.get(name)) else { return Ok(None) };
    let bad = || match text.is_empty() {
        true => "empty duration string".to_owned(),
        false => format!("not a valid duration string: \"{text}\""),
    };
    duration(&text).map(Some).ok_or_else(bad)
}

fn labels(node: &Node) -> Labels {
    let each =
        |entry: &yaml::Entry| (entry.key.clone(), text_of(Some(&entry.value)).unwrap_or_default());
    node.entries().iter().map(each).collect()
}
