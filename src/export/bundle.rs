//! The zip a learner downloads: the manifest byte for byte, and what is needed around it.

use super::{cluster_script, needs, zip};
use crate::kube::Desired;
use crate::lesson::Task;
use crate::time::SimTime;

/// What goes into a bundle besides the manifest.
#[derive(Clone, Debug, Default)]
pub struct Bundle<'a> {
    /// The folder's name in the zip: `sidecar-log-shipping`, `sandbox`.
    pub name: &'a str,
    pub title: &'a str,
    /// The lesson's tasks; empty for a sandbox.
    pub tasks: &'a [Task],
    pub actions: &'a [(SimTime, String)],
    pub run_secs: u64,
    /// What the lesson says a cluster needs.
    pub needs: &'a [String],
}

/// A zip with `manifest.yaml`, `kustomization.yaml`, `README.md` and, with tasks, `check.sh`.
pub fn bundle(about: &Bundle, manifest: &str, desired: &Desired) -> Vec<u8> {
    let mut files = vec![
        ("manifest.yaml", manifest.to_owned()),
        ("kustomization.yaml", KUSTOMIZATION.to_owned()),
        ("README.md", readme(about, desired)),
    ];
    if !about.tasks.is_empty() {
        files.push(("check.sh", cluster_script(about, desired)));
    }
    let named =
        |(name, text): (&str, String)| (format!("{}/{name}", about.name), text.into_bytes());
    zip(&files.into_iter().map(named).collect::<Vec<_>>())
}

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - manifest.yaml
";

fn readme(about: &Bundle, desired: &Desired) -> String {
    let mut out = format!("# {}\n\nMade with Podlab.\n\n", about.title);
    out.push_str("## What it needs\n\n");
    let told: Vec<String> = about.needs.iter().map(|need| text_of(need)).collect();
    // What the lesson's own words name already need not be said twice.
    let named = |need: &String| {
        let name = need.rsplit(' ').next().unwrap_or("");
        told.iter().any(|text| text.contains(name))
    };
    let outside: Vec<String> = needs(desired).into_iter().filter(|need| !named(need)).collect();
    for need in told.iter().chain(&outside) {
        out.push_str(&format!("- {need}\n"));
    }
    out.push_str("\n## Try it on a cluster of your own\n\n```sh\n");
    out.push_str("kubectl create namespace podlab\n");
    out.push_str("kubectl --namespace podlab apply -f manifest.yaml   # or: apply -k .\n");
    out.push_str("kubectl --namespace podlab get pods -w\n");
    if !about.tasks.is_empty() {
        out.push_str(
            "\n# Or apply it and check the lesson's tasks in one go:\nsh check.sh podlab\n",
        );
    }
    out.push_str("\nkubectl delete namespace podlab\n```\n");
    out
}

/// A phrase of HTML as plain text, for a README and a script's output.
pub(super) fn text_of(html: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    for ch in html.chars() {
        match ch {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if !in_tag => out.push(ch),
            _ => {}
        }
    }
    for (entity, ch) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        out = out.replace(entity, ch);
    }
    out
}
