//! Where the person is, as the part of the address after `#`: a reload or a sent link shows the
//! same page, step, panel and instant. Nothing here touches a browser.

use crate::text::number;
use crate::time::SimTime;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Page {
    #[default]
    Catalogue,
    /// `track/slug`.
    Lesson(String),
    Sandbox,
    /// An address that names nothing here.
    Unknown(String),
}

/// What the lower right panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tab {
    #[default]
    Events,
    Logs,
    Files,
    Network,
    Kubectl,
    Trace,
}

impl Tab {
    pub const ALL: [Tab; 6] =
        [Tab::Events, Tab::Logs, Tab::Files, Tab::Network, Tab::Kubectl, Tab::Trace];

    pub fn name(self) -> &'static str {
        match self {
            Tab::Events => "events",
            Tab::Logs => "logs",
            Tab::Files => "files",
            Tab::Network => "network",
            Tab::Kubectl => "kubectl",
            Tab::Trace => "trace",
        }
    }

    fn named(name: &str) -> Option<Tab> {
        Tab::ALL.into_iter().find(|tab| tab.name() == name)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    pub page: Page,
    /// Counted from 1, as people do.
    pub step: Option<usize>,
    pub at: Option<SimTime>,
    pub tab: Option<Tab>,
    /// A text somebody sent, as `export::share` writes it.
    pub shared: Option<String>,
    /// Enlarged for a room.
    pub present: bool,
}

impl Route {
    /// Reads `#/lesson/sidecar/log-shipper?step=3&t=12.5&panel=events`; what it does not know in
    /// the question part it leaves out.
    pub fn parse(hash: &str) -> Route {
        let hash = hash.trim_start_matches('#');
        let (path, query) = hash.split_once('?').unwrap_or((hash, ""));
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let page = match parts[..] {
            [] => Page::Catalogue,
            ["sandbox"] => Page::Sandbox,
            // Of the site, or of a pack: PACK/TRACK/SLUG.
            ["lesson", ref id @ ..]
                if matches!(id.len(), 2 | 3) && id.iter().all(|p| is_slug(p)) =>
            {
                Page::Lesson(id.join("/"))
            }
            _ => Page::Unknown(path.chars().take(80).collect()),
        };
        let mut route = Route { page, ..Route::default() };
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "step" => route.step = value.parse().ok().filter(|n| *n > 0),
                "t" => route.at = seconds(value),
                "panel" => route.tab = Tab::named(value),
                "w" => route.shared = Some(value.to_owned()),
                "present" => route.present = true,
                _ => {}
            }
        }
        route
    }
}

/// Only what a folder of ours can be called, since it becomes part of a file's address.
fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn seconds(text: &str) -> Option<SimTime> {
    let value = number::parse(text)?;
    let sane = value.is_finite() && (0.0..1e9).contains(&value);
    sane.then(|| SimTime((value * 1e6).round() as u64))
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.page {
            Page::Catalogue => write!(f, "#/")?,
            Page::Sandbox => write!(f, "#/sandbox")?,
            Page::Lesson(id) => write!(f, "#/lesson/{id}")?,
            Page::Unknown(path) => write!(f, "#{path}")?,
        }
        let mut sign = '?';
        let mut pair = |f: &mut fmt::Formatter<'_>, text: String| {
            let written = write!(f, "{sign}{text}");
            sign = '&';
            written
        };
        if let Some(step) = self.step {
            pair(f, format!("step={step}"))?;
        }
        if let Some(at) = self.at {
            pair(f, format!("t={}", (at.as_secs_f64() * 10.0).round() / 10.0))?;
        }
        if let Some(tab) = self.tab {
            pair(f, format!("panel={}", tab.name()))?;
        }
        if let Some(shared) = &self.shared {
            pair(f, format!("w={shared}"))?;
        }
        if self.present {
            pair(f, "present".to_owned())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_write_the_same() {
        let same = [
            "#/",
            "#/sandbox",
            "#/lesson/sidecar/log-shipper",
            "#/lesson/sidecar/log-shipper?step=3&t=12.5&panel=events",
            "#/lesson/init/wait-for-it?t=0&panel=kubectl&present",
            "#/sandbox?w=1ab-_c",
            "#/lesson/team/sidecar/own-one?step=2",
        ];
        for hash in same {
            assert_eq!(Route::parse(hash).to_string(), hash);
        }
    }

    #[test]
    fn what_is_not_an_address_is_said() {
        let cases = [
            ("", Page::Catalogue),
            ("#", Page::Catalogue),
            ("#/lesson/a", Page::Unknown("/lesson/a".into())),
            ("#/lesson/../secrets", Page::Unknown("/lesson/../secrets".into())),
            ("#/lesson/a/B", Page::Unknown("/lesson/a/B".into())),
        ];
        for (hash, page) in cases {
            assert_eq!(Route::parse(hash).page, page, "{hash}");
        }
        let odd = Route::parse("#/sandbox?step=0&t=NaN&panel=none&x=y");
        assert_eq!(odd, Route { page: Page::Sandbox, ..Route::default() });
    }
}
