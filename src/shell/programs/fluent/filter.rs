//! Filters of both programs, by their names there.

use super::Part;
use super::parse::{Parser, regex};
use super::record::{Record, plain, quote};
use crate::shell::Sys;

/// Filters that do something here.
pub(super) const KNOWN: &[&str] =
    &["grep", "modify", "record_modifier", "parser", "record_transformer", "stdout"];
/// Filters there are besides.
pub(super) const OTHERS: &[&str] = &[
    "kubernetes",
    "lua",
    "nest",
    "rewrite_tag",
    "throttle",
    "multiline",
    "aws",
    "expect",
    "geoip2",
    "type_converter",
    "log_to_metrics",
    "wasm",
    "checklist",
    "sysinfo",
    "kubernetes_metadata",
    "concat",
    "detect_exceptions",
];

fn two(text: &str) -> (&str, &str) {
    let (key, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    (key, rest.trim())
}

fn fits(record: &Record, rule: &str) -> bool {
    let (key, pattern) = two(rule);
    let value = record.get(key).map(plain);
    let regex = regex(pattern);
    match (value, regex) {
        (Some(value), Some((regex, _))) => regex.is_match(value.as_bytes()).unwrap_or(false),
        _ => false,
    }
}

/// The record after a filter; nothing when it was dropped.
pub(super) fn apply(
    sys: &Sys,
    part: &Part,
    parsers: &[Parser],
    tag: &str,
    mut record: Record,
) -> Option<Record> {
    match part.kind.as_str() {
        "grep" => {
            let keeps = part.all("Regex").all(|rule| fits(&record, rule))
                && !part.all("Exclude").any(|rule| fits(&record, rule));
            keeps.then_some(record)
        }
        "modify" => Some(modify(part, record)),
        "record_modifier" => {
            for (name, value) in &part.settings {
                let (key, value) = (name.to_ascii_lowercase(), two(value));
                match key.as_str() {
                    "record" => record.set(value.0, quote(&env(sys, value.1))),
                    "remove_key" => record.remove(value.0),
                    _ => {}
                }
            }
            let keep: Vec<&str> =
                part.all("Allowlist_key").chain(part.all("Whitelist_key")).collect();
            if !keep.is_empty() {
                record.fields.retain(|(key, _)| keep.contains(&key.as_str()));
            }
            Some(record)
        }
        "parser" => {
            let key = part.get("Key_Name").unwrap_or("log");
            let text = record.get(key).map(plain)?;
            let names: Vec<&str> = part.all("Parser").collect();
            let mut usable = parsers.iter().filter(|parser| names.contains(&parser.name.as_str()));
            let Some(mut parsed) = usable.find_map(|parser| parser.read(&text, record.time)) else {
                return Some(record);
            };
            if part.is_on("Reserve_Data") {
                let rest = record
                    .fields
                    .iter()
                    .filter(|(own, _)| own != key || part.is_on("Preserve_Key"));
                parsed.fields.extend(rest.cloned());
            }
            Some(parsed)
        }
        "record_transformer" => Some(transform(sys, part, tag, record)),
        _ => Some(record),
    }
}

/// `${NAME}` from the environment.
pub(super) fn env(sys: &Sys, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&sys.getenv(name).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

fn modify(part: &Part, mut record: Record) -> Record {
    let holds = part.all("Condition").all(|rule| {
        let (what, rest) = two(rule);
        let (key, value) = two(rest);
        let own = record.get(key).map(plain);
        match what.to_ascii_lowercase().as_str() {
            "key_exists" => own.is_some(),
            "key_does_not_exist" => own.is_none(),
            "key_value_equals" => own.as_deref() == Some(value),
            "key_value_does_not_equal" => own.is_some_and(|own| own != value),
            "key_value_matches" => fits(&record, rest),
            _ => true,
        }
    });
    if !holds {
        return record;
    }
    for (name, value) in &part.settings {
        let (key, value) = two(value);
        let there = record.get(key).map(str::to_owned);
        let target_free = record.get(value).is_none();
        match name.to_ascii_lowercase().as_str() {
            "set" => record.set(key, quote(value)),
            "add" if there.is_none() => record.set(key, quote(value)),
            "remove" => record.remove(key),
            "remove_wildcard" => {
                record.fields.retain(|(own, _)| !own.starts_with(key.trim_end_matches('*')));
            }
            "rename" | "hard_rename" | "copy" | "hard_copy" => {
                let hard = name.to_ascii_lowercase().starts_with("hard");
                let Some(json) = there.filter(|_| hard || target_free) else { continue };
                if !name.to_ascii_lowercase().ends_with("copy") {
                    record.remove(key);
                }
                record.set(value, json);
            }
            _ => {}
        }
    }
    record
}

/// Fluentd's `<record>`: texts with `${tag}` and `${record["key"]}`.
fn transform(sys: &Sys, part: &Part, tag: &str, record: Record) -> Record {
    let fill = |text: &str| {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            out.push_str(before);
            let key = name.strip_prefix("record[").and_then(|k| k.strip_suffix(']'));
            out.push_str(&match (name, key) {
                (_, Some(key)) => {
                    record.get(key.trim_matches(['"', '\''])).map(plain).unwrap_or_default()
                }
                ("tag", _) => tag.to_owned(),
                ("hostname", _) => sys.hostname(),
                ("time", _) => record.seconds(0),
                _ => {
                    let idx = name.strip_prefix("tag_parts[").and_then(|i| i.strip_suffix(']'));
                    let idx = idx.and_then(|i| i.parse::<usize>().ok());
                    idx.and_then(|i| tag.split('.').nth(i)).unwrap_or("").to_owned()
                }
            });
            rest = after;
        }
        out.push_str(rest);
        out
    };
    let mut out = record.clone();
    for (name, value) in &part.settings {
        if let Some(key) = name.strip_prefix("record.") {
            out.set(key, quote(&fill(value)));
        }
    }
    for key in part.get("remove_keys").unwrap_or("").split(',') {
        out.remove(key.trim().trim_start_matches("$."));
    }
    out
}
