//! What of a goal can be seen on a real cluster with kubectl, and in which call of the exported
//! script's functions.

use super::{Assertion, Deed, Moment, Pattern, Times, Who, parse};
use crate::lesson::Goal;

/// How one line of a goal is checked by the exported script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterCheck {
    /// A function of the script and its arguments.
    Shell(Vec<String>),
    /// A file of a volume, looked at through a container that mounts it.
    File {
        volume: String,
        path: String,
        /// A POSIX extended regular expression.
        pattern: String,
    },
    /// Not visible there, and why.
    Skip(String),
}

impl Goal {
    /// Its lines, each with how a cluster shows it.
    pub fn on_a_cluster(&self) -> Vec<(String, ClusterCheck)> {
        let mut found = Vec::new();
        for (span, line) in parse(self) {
            let check = match line {
                Ok(assertion) => check(&assertion),
                Err(problem) => ClusterCheck::Skip(problem.message),
            };
            found.push((span.of(&self.0).trim().to_owned(), check));
        }
        found
    }
}

fn check(assertion: &Assertion) -> ClusterCheck {
    match assertion {
        Assertion::Happens { moment, times, .. } => happens(moment, *times),
        Assertion::Is { moment, .. } | Assertion::Stays { moment, .. } => {
            happens(moment, Times::AtLeast(1))
        }
        Assertion::Order { first, then } => match (instant(first), instant(then)) {
            (Some((a, when_a)), Some((b, when_b))) => shell(&["earlier", a, when_a, b, when_b]),
            _ => skip("the cluster does not keep these instants"),
        },
        Assertion::Manifest(_) | Assertion::NoRemarks(_) => {
            skip("it is about the text of manifest.yaml")
        }
        Assertion::Cluster(_) => skip("look at the object with kubectl get -o yaml"),
        Assertion::NoErrors | Assertion::NoWarnings => skip("kubectl apply has said so already"),
        Assertion::NothingUnsimulated => skip("a cluster does not simulate"),
        Assertion::Refused(_) => skip("the manifest would have to be refused"),
    }
}

fn happens(moment: &Moment, times: Times) -> ClusterCheck {
    let (least, most) = match times {
        Times::AtLeast(n) => (n.to_string(), "any".to_owned()),
        Times::AtMost(n) => ("0".to_owned(), n.to_string()),
        Times::Exactly(n) => (n.to_string(), n.to_string()),
    };
    match (&moment.who, &moment.deed) {
        (Who::Container { name, .. }, Deed::Logs(pattern)) => {
            let (option, text) = pattern.for_grep();
            shell(&["logs", name, &least, &most, option, text])
        }
        (Who::Container { name, .. }, Deed::Restarts) => shell(&["restarts", name, &least, &most]),
        (Who::Pod(name), Deed::Row { ready, status }) if !name.ends_with('*') && most == "any" => {
            let ready = ready.map_or("any".to_owned(), |(ready, all)| format!("{ready}/{all}"));
            shell(&["row", name, &ready, status])
        }
        (Who::File { place, name, path }, Deed::Contains(pattern)) if place == "volume" => {
            let (volume, path, pattern) = (name.clone(), path.clone(), pattern.as_expression());
            ClusterCheck::File { volume, path, pattern }
        }
        (_, Deed::Request { .. }) => skip("the cluster does not record requests"),
        _ => skip("the cluster does not keep this"),
    }
}

/// A container and `starts` or `ends`, where its status keeps the time.
fn instant(moment: &Moment) -> Option<(&str, &'static str)> {
    let Who::Container { name, .. } = &moment.who else { return None };
    match &moment.deed {
        Deed::Starts => Some((name, "starts")),
        Deed::Exits(_) => Some((name, "ends")),
        Deed::State(word) if word == "Completed" || word == "Terminated" => Some((name, "ends")),
        _ => None,
    }
}

fn shell(words: &[&str]) -> ClusterCheck {
    ClusterCheck::Shell(words.iter().map(|word| (*word).to_owned()).collect())
}

fn skip(why: &str) -> ClusterCheck {
    ClusterCheck::Skip(why.to_owned())
}

impl Pattern {
    fn for_grep(&self) -> (&'static str, &str) {
        match self {
            Pattern::Text(text) => ("-F", text),
            Pattern::Expression(e) => ("-E", &e.text),
        }
    }

    fn as_expression(&self) -> String {
        match self {
            Pattern::Expression(e) => e.text.clone(),
            Pattern::Text(text) => {
                let mut out = String::new();
                for ch in text.chars() {
                    if "\\^$.|?*+()[]{}".contains(ch) {
                        out.push('\\');
                    }
                    out.push(ch);
                }
                out
            }
        }
    }
}
