//! `kubectl run`: a pod of one container. Its output, where the command attaches, is not here.
//!
//! Models k8s.io/kubectl/pkg/cmd/run and pkg/generate/versioned BasicPod (v1.36).

use super::{finish, list, map_of, object, put_labels, simple, text, usage};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::words::Args;
use crate::kubectl::{Said, dump};

pub(in crate::kubectl) const RUN: &str = "image: port: env: l:labels restart: command! expose! \
     dry-run: o:output i!stdin t!tty rm! attach! q!quiet overrides: override-type: annotations: \
     image-pull-policy: privileged! leave-stdin-open! save-config! pod-running-timeout: \
     grace-period: force! timeout: wait! cascade: field-manager: template: show-managed-fields! \
     f:filename k:kustomize R!recursive detach-keys:";

/// Whether the command stays with the pod it makes.
pub(in crate::kubectl) fn attaches(args: &Args) -> bool {
    match args.flag("attach") {
        Some(value) => value != "false",
        None => args.has("stdin"),
    }
}

fn misuse(args: &Args) -> Option<Said> {
    let name = args.word(0);
    if args.flag("image").is_none() {
        return Some(Said::error("required flag(s) \"image\" not set"));
    }
    if name.is_empty() {
        return Some(usage("NAME is required for run", "run"));
    }
    let image = args.flag("image").unwrap_or("");
    if crate::sim::images::parse(image).is_err() {
        let why = format!("Invalid image name \"{image}\": invalid reference format");
        return Some(Said::error(&why));
    }
    if let Some(wrong) = args.all("env").iter().find(|pair| !pair.contains('=')) {
        return Some(Said::error(&format!("invalid env: {wrong}")));
    }
    if args.has("tty") && !args.has("stdin") {
        let why = "-i/--stdin is required for containers with -t/--tty=true";
        return Some(usage(why, "run"));
    }
    if args.has("expose") && args.flag("port").is_none() {
        return Some(usage("--port must be set when exposing a service", "run"));
    }
    let restart = args.flag("restart").unwrap_or("Always");
    if !["Always", "OnFailure", "Never"].contains(&restart) {
        return Some(usage(&format!("invalid restart policy: {restart}"), "run"));
    }
    if args.has("rm") && !attaches(args) {
        return Some(usage("--rm should only be used for attached containers", "run"));
    }
    if attaches(args) && args.flag("dry-run").is_some_and(|how| how != "none") {
        let why = "--dry-run=[server|client] can't be used with attached containers options \
                   (--attach, --stdin, or --tty)";
        return Some(usage(why, "run"));
    }
    let policy = args.flag("image-pull-policy").unwrap_or("");
    (!["", "Always", "IfNotPresent", "Never"].contains(&policy))
        .then(|| usage(&format!("invalid image pull policy: {policy}"), "run"))
}

fn container(args: &Args) -> Tree {
    let mut words: Vec<&str> = args.words.iter().skip(1).map(String::as_str).collect();
    words.extend(args.rest.iter().flatten().map(String::as_str));
    let words = super::texts(words);
    let env = args.all("env").iter().filter_map(|pair| pair.split_once('='));
    let env = env.map(|(key, value)| {
        let value = Tree::from(Some(value).filter(|value| !value.is_empty()));
        Tree::of(vec![("name", text(key)), ("value", value)])
    });
    let on = |flag: &str| if args.has(flag) { Tree::Bool(true) } else { Tree::Null };
    let port = args.flag("port").and_then(|port| port.parse::<i64>().ok());
    let port = port.map(|port| Tree::of(vec![("containerPort", Tree::Int(port))]));
    let privileged = Tree::of(vec![("privileged", Tree::Bool(true))]);
    let command = args.has("command");
    Tree::of(vec![
        ("args", if command { Tree::Null } else { words.clone() }),
        ("command", if command { words } else { Tree::Null }),
        ("env", list(env.collect())),
        ("image", text(args.flag("image").unwrap_or(""))),
        ("imagePullPolicy", Tree::from(args.flag("image-pull-policy"))),
        ("name", text(args.word(0))),
        ("ports", list(port.into_iter().collect())),
        ("resources", Tree::map()),
        ("securityContext", if args.has("privileged") { privileged } else { Tree::Null }),
        ("stdin", on("stdin")),
        ("stdinOnce", if args.has("leave-stdin-open") { Tree::Null } else { on("stdin") }),
        ("tty", on("tty")),
    ])
}

/// A JSON merge: maps grow together, all else is replaced.
fn merge(into: &mut Tree, over: &Tree) {
    for (key, value) in over.entries() {
        match (into.get_mut(key), value) {
            (Some(old @ Tree::Map(_)), Tree::Map(_)) => merge(old, value),
            _ => into.put(key.clone(), value.clone()),
        }
    }
}

/// `kubectl run NAME --image=IMAGE`.
pub(in crate::kubectl) fn pod(cluster: &Cluster, args: &Args) -> Said {
    if let Some(said) = misuse(args) {
        return said;
    }
    let name = args.word(0);
    let labels = map_of(args.flag("labels").unwrap_or(&format!("run={name}")));
    let mut made = object("v1", "Pod", name);
    let mut annotations = Tree::map();
    for (key, value) in args.all("annotations").iter().filter_map(|pair| pair.split_once('=')) {
        annotations.put(key.to_owned(), text(value));
    }
    put_labels(&mut made, labels.clone());
    if let Some(metadata) = made.get_mut("metadata").filter(|_| !annotations.entries().is_empty()) {
        metadata.put("annotations", annotations);
    }
    made.put(
        "spec",
        Tree::of(vec![
            ("containers", Tree::List(vec![container(args)])),
            ("dnsPolicy", text("ClusterFirst")),
            ("restartPolicy", text(args.flag("restart").unwrap_or("Always"))),
        ]),
    );
    made.put("status", Tree::map());
    if let Some(over) = args.flag("overrides") {
        match crate::kube::tree_of(over) {
            Some(over @ Tree::Map(_)) => merge(&mut made, &over),
            _ => return Said::error("Invalid JSON Patch"),
        }
    }
    if !args.has("expose") {
        return finish(cluster, args, vec![made], "created");
    }
    let port = args.flag("port").unwrap_or("");
    let mut service = object("v1", "Service", name);
    let spec = vec![
        ("ports", list(simple::port(port, port, None).into_iter().collect())),
        ("selector", labels),
    ];
    service.put("spec", Tree::of(spec));
    service.put("status", Tree::of(vec![("loadBalancer", Tree::map())]));
    let mut said = finish(cluster, args, vec![service], "created");
    if args.flag("output") == Some("yaml") {
        said.out.push_str("---\n");
    }
    let more = finish(cluster, args, vec![made], "created");
    said.out.push_str(&more.out);
    said.err.push_str(&more.err);
    said.actions.extend(more.actions);
    said.exit = said.exit.max(more.exit);
    said
}

/// An object on one line, as actions carry it.
pub(in crate::kubectl) fn json_line(object: &Tree) -> String {
    let mut json = String::new();
    dump::json(object, 0, 0, &mut json);
    json
}
