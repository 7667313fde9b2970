//! Fluent Bit and Fluentd: files are tailed, lines parsed into records, records filtered and put
//! out. One pipeline with two configuration languages and two ways of showing a record.

mod bit;
mod filter;
mod fluentd;
mod parse;
mod pipeline;
mod record;
mod tail;

pub(super) use bit::run as fluent_bit;
pub(super) use fluentd::run as fluentd;

/// One input, filter, output or parser as configured.
#[derive(Clone, Debug, Default)]
pub(in crate::shell::programs) struct Part {
    /// `tail`, `grep`, `stdout`.
    kind: String,
    /// What tags it is for.
    pattern: String,
    settings: Vec<(String, String)>,
}

impl Part {
    fn get(&self, name: &str) -> Option<&str> {
        let own = self.settings.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let own = self.settings.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }

    fn is_on(&self, name: &str) -> bool {
        let value = self.get(name).unwrap_or("").to_ascii_lowercase();
        matches!(value.as_str(), "on" | "true" | "yes")
    }

    /// Whether records of this tag are its business.
    fn takes(&self, tag: &str) -> bool {
        self.pattern.split_whitespace().any(|own| super::wild::wild(own, tag))
    }
}
