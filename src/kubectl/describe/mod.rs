//! `kubectl describe`: which objects, and what all kinds have in common: labels, annotations,
//! events.
//!
//! Models k8s.io/kubectl/pkg/describe/describe.go (v1.36).

mod containers;
mod other;
mod pod;
mod policy;
mod tabs;
mod volumes;
mod work;

use super::cluster::Cluster;
use super::kinds::Kind;
use super::words::Args;
use super::{Said, clock, get};
use crate::kube::tree::Tree;
use crate::order::Order;
use tabs::Page;

pub(super) use containers::pod_template;
pub(super) use tabs::lay_out as columns;

pub(super) const FLAGS: &str =
    "A!all-namespaces l:selector show-events! f:filename R!recursive k:kustomize chunk-size:";

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    if args.words.is_empty() {
        return Said::failed(
            "error: You must specify the type of resource to describe. Use \"kubectl \
             api-resources\" for a complete list of supported resources.",
        );
    }
    let found = get::asked(&args.words).and_then(|asked| get::find(cluster, args, &asked));
    let (found, missing) = match found {
        Ok(found) => found,
        Err(why) => return Said::error(&why),
    };
    let n: usize = found.iter().map(|(_, list)| list.len()).sum();
    if n == 0 && args.words.len() == 2 && !missing.is_empty() {
        return by_prefix(cluster, args, &missing);
    }
    let with_events = match args.flag("show-events") {
        Some(value) => value != "false",
        None => n <= 1 && missing.is_empty(),
    };
    let mut said = Said::default();
    let all = found.iter().flat_map(|(kind, list)| list.iter().map(move |object| (kind, object)));
    for (i, (kind, object)) in all.enumerate() {
        if i > 0 {
            said.out.push_str("\n\n");
        }
        said.out.push_str(&one(cluster, kind, object, with_events));
    }
    if n == 0 && missing.is_empty() {
        said.err = match args.has("all-namespaces") {
            true => "No resources found\n".to_owned(),
            false => {
                format!("No resources found in {} namespace.\n", get::namespace(cluster, args))
            }
        };
    }
    for line in &missing {
        said.err.push_str(&format!("{line}\n"));
        said.exit = 1;
    }
    said
}

/// `describe pod web` also finds pods whose names start so.
fn by_prefix(cluster: &Cluster, args: &Args, missing: &[String]) -> Said {
    let namespace = get::namespace(cluster, args);
    let mut said = Said::default();
    if let Some(kind) = super::kinds::find(args.word(0)) {
        for object in cluster.list(kind, Some(&namespace)) {
            if object.text("metadata.name").starts_with(args.word(1)) {
                let with_events = args.flag("show-events").is_some_and(|value| value != "false");
                said.out.push_str(&one(cluster, kind, object, with_events));
                said.out.push('\n');
            }
        }
    }
    if said.out.is_empty() {
        return Said::failed(&missing.join("\n"));
    }
    said
}

fn one(cluster: &Cluster, kind: &Kind, object: &Tree, with_events: bool) -> String {
    let mut page = Page::default();
    let events = with_events.then(|| cluster.about(object));
    let events = events.as_deref();
    match kind.name {
        "Pod" => pod::describe(cluster, &mut page, object),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob" => {
            work::describe(cluster, kind.name, &mut page, object);
        }
        name => match policy::describe(cluster, name, &mut page, object) {
            Some(true) => {}
            Some(false) => return page.finish(),
            None => return other::describe(cluster, name, page, object, events),
        },
    }
    if let Some(events) = events {
        list_events(cluster, &mut page, events);
    }
    page.finish()
}

/// `Labels:` and the like, sorted, each on a line of its own.
fn labels(page: &mut Page, indent: &str, title: &str, labels: &Tree) {
    page.put(0, format_args!("{indent}{title}:\t"));
    if labels.entries().is_empty() {
        page.line(0, "<none>");
    }
    for (i, (key, value)) in labels.entries().iter().enumerate() {
        let lead = if i == 0 { "" } else { "\t" };
        page.put(0, format_args!("{lead}{key}={}\n", value.show()));
    }
}

const ANNOTATION_LENGTH_MAX: usize = 140;

fn annotations(page: &mut Page, title: &str, all: &Tree) {
    page.put(0, format_args!("{title}:\t"));
    let hidden = "kubectl.kubernetes.io/last-applied-configuration";
    let shown = all.entries().iter().filter(|(key, _)| key != hidden);
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() {
        page.line(0, "<none>");
    }
    for (i, (key, value)) in shown.into_iter().enumerate() {
        let lead = if i == 0 { "" } else { "\t" };
        let value = value.show();
        let value = value.strip_suffix('\n').unwrap_or(&value);
        if value.len() + key.len() + 2 <= ANNOTATION_LENGTH_MAX && !value.contains('\n') {
            page.put(0, format_args!("{lead}{key}: {value}\n"));
            continue;
        }
        page.put(0, format_args!("{lead}{key}:\n"));
        for line in value.split('\n') {
            let short: String = line.chars().take(ANNOTATION_LENGTH_MAX - 2).collect();
            let more = if short.len() < line.len() { "..." } else { "" };
            page.put(0, format_args!("\t  {short}{more}\n"));
        }
    }
}

fn head(page: &mut Page, object: &Tree) {
    page.field(0, "Name", object.text("metadata.name"));
    page.field(0, "Namespace", object.text("metadata.namespace"));
}

fn tags(page: &mut Page, object: &Tree) {
    labels(page, "", "Labels", object.at("metadata.labels"));
    annotations(page, "Annotations", object.at("metadata.annotations"));
}

/// `ReplicaSet/web-1`, where a controller owns the object.
pub(super) fn controller(object: &Tree) -> Option<String> {
    let owners = object.at("metadata.ownerReferences").items();
    let owner = owners.iter().find(|owner| owner.is_true("controller"))?;
    Some(format!("{}/{}", owner.text("kind"), owner.text("name")))
}

fn controlled_by(page: &mut Page, object: &Tree) {
    if let Some(controller) = controller(object) {
        page.field(0, "Controlled By", &controller);
    }
}

/// `%v` of a value, or a word where there is none.
fn or<'t>(text: &'t str, none: &'t str) -> &'t str {
    if text.is_empty() { none } else { text }
}

fn truth(tree: &Tree) -> &'static str {
    match tree {
        Tree::Bool(true) => "True",
        Tree::Bool(false) => "False",
        _ => "<unset>",
    }
}

/// Models DescribeEvents.
fn list_events(cluster: &Cluster, page: &mut Page, events: &[&Tree]) {
    if events.is_empty() {
        return page.field(0, "Events", "<none>");
    }
    page.flush();
    let mut sorted = events.to_vec();
    sorted.order_by_key(|event| event.text("lastTimestamp"));
    page.line(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    let now = cluster.now_millis();
    for event in sorted {
        let first = or(event.text("eventTime"), event.text("firstTimestamp"));
        let first = clock::since(first, now);
        let newest = match event.text("eventTime") {
            "" => event.text("lastTimestamp"),
            _ => event.text("seriesAt"),
        };
        let age = match event.int("count") {
            count @ 2.. => format!("{} (x{count} over {first})", clock::since(newest, now)),
            _ => first,
        };
        let field = match event.text("involvedObject.fieldPath") {
            "" => String::new(),
            path => format!("{path}: "),
        };
        let text = |path: &str| event.text(path).to_owned();
        page.put(
            1,
            format_args!(
                "{}\t{}\t{age}\t{}\t{field}{}\n",
                text("type"),
                text("reason"),
                text("source.component"),
                text("message").trim()
            ),
        );
    }
}
