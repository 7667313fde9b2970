//! `kubectl create`, `run` and `expose`: objects made from flags, handed on as JSON.
//!
//! Models k8s.io/kubectl/pkg/cmd/create, run and expose (v1.36).

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, dump, get, kinds};
use crate::kube::tree::Tree;

pub(super) const FLAGS: &str = "f:filename image: r:replicas port: env: l:labels restart: command! \
     from-literal: from-file: from-env-file: schedule: from: tcp: name: target-port: type: \
     protocol: \
     dry-run: o:output i!stdin t!tty rm! attach! q!quiet clusterip: node-port: external-name: \
     validate: save-config! selector: overrides: annotations: image-pull-policy: k:kustomize";

fn text(words: &str) -> Tree {
    Tree::from(words)
}

/// `key: value` pairs of `k=v,k=v`.
fn map_of(pairs: &str) -> Tree {
    let mut map = Tree::map();
    for (key, value) in pairs.split(',').filter_map(|pair| pair.split_once('=')) {
        map.put(key.to_owned(), text(value));
    }
    map
}

fn object(api_version: &str, kind: &str, name: &str, labels: Tree) -> Tree {
    let metadata = Tree::of(vec![
        ("labels", if labels.entries().is_empty() { Tree::Null } else { labels }),
        ("name", text(name)),
    ]);
    Tree::of(vec![("apiVersion", text(api_version)), ("kind", text(kind)), ("metadata", metadata)])
}

/// Prints or makes an object, where there is none of its name yet.
fn finish(cluster: &Cluster, args: &Args, mut made: Tree, done: &str) -> Said {
    let Some(kind) = kinds::of(made.text("kind")) else {
        return Said::error("not simulated: this kind of object");
    };
    let name = made.text("metadata.name").to_owned();
    let dry = args.flag("dry-run").filter(|how| *how != "none");
    if let Some(format) = args.flag("output").filter(|_| dry.is_some()) {
        return Said::printed(match format {
            "json" => {
                let mut out = String::new();
                dump::json(&made, 4, 0, &mut out);
                out + "\n"
            }
            "name" => format!("{}/{name}\n", kind.prefix()),
            _ => dump::yaml(&made),
        });
    }
    let namespace = get::namespace(cluster, args);
    if cluster.one(kind, &namespace, &name).is_some() && dry.is_none() {
        let lower = kind.name.to_lowercase();
        let why = format!("{} \"{name}\" already exists", kind.full());
        return match done {
            "created" if !args.word(0).is_empty() && kind.name != "Pod" => {
                Said::error(&format!("failed to create {lower}: {why}"))
            }
            _ => Said::failed(&format!("Error from server (AlreadyExists): {why}")),
        };
    }
    if let Some(metadata) = made.get_mut("metadata") {
        metadata.put("namespace", Tree::from(namespace));
    }
    let mut json = String::new();
    dump::json(&made, 0, 0, &mut json);
    let note = match dry {
        None => "",
        Some("server") => " (server dry run)",
        Some(_) => " (dry run)",
    };
    Said {
        out: format!("{}/{name} {done}{note}\n", kind.prefix()),
        actions: if dry.is_none() { vec![format!("create {json}")] } else { Vec::new() },
        ..Said::default()
    }
}

fn container(name: &str, args: &Args) -> Tree {
    let words = |list: &[String]| match list.is_empty() {
        true => Tree::Null,
        false => Tree::List(list.iter().map(|word| text(word)).collect()),
    };
    let rest = args.rest.as_deref().unwrap_or(&[]);
    let port = args.flag("port").and_then(|port| port.parse::<i64>().ok());
    let port = port.map(|port| Tree::of(vec![("containerPort", Tree::Int(port))]));
    let env = args.all("env").iter().filter_map(|pair| pair.split_once('='));
    let env: Vec<Tree> = env
        .map(|(name, value)| Tree::of(vec![("name", text(name)), ("value", text(value))]))
        .collect();
    let as_command = args.has("command") || !args.word(0).is_empty();
    Tree::of(vec![
        ("args", if as_command { Tree::Null } else { words(rest) }),
        ("command", if as_command { words(rest) } else { Tree::Null }),
        ("env", if env.is_empty() { Tree::Null } else { Tree::List(env) }),
        ("image", text(args.flag("image").unwrap_or(""))),
        ("name", text(name)),
        ("ports", port.map_or(Tree::Null, |port| Tree::List(vec![port]))),
    ])
}

/// `kubectl run NAME --image=IMAGE`.
pub(super) fn pod(cluster: &Cluster, args: &Args) -> Said {
    let name = args.word(0);
    if name.is_empty() {
        return Said::failed(
            "error: NAME is required for run\nSee 'kubectl run -h' for help and examples",
        );
    }
    if args.flag("image").is_none() {
        return Said::failed("error: required flag(s) \"image\" not set");
    }
    let labels = map_of(args.flag("labels").unwrap_or(&format!("run={name}")));
    let mut made = object("v1", "Pod", name, labels);
    // Words after the dashes are arguments here unless --command says otherwise.
    let mut one = container(name, args);
    if !args.has("command") {
        let words = one.get("command").clone();
        one.put("args", words);
        one.put("command", Tree::Null);
    }
    made.put(
        "spec",
        Tree::of(vec![
            ("containers", Tree::List(vec![one])),
            ("restartPolicy", text(args.flag("restart").unwrap_or("Always"))),
        ]),
    );
    finish(cluster, args, made, "created")
}

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    if args.flag("filename").is_some() {
        return Said::error(
            "not simulated: files of your own; the manifest in the editor is what the run starts \
             with",
        );
    }
    let (what, name) = (args.word(0), args.word(1));
    let (what, name) = match (what, name) {
        ("secret", "generic") => ("secret", args.word(2)),
        ("service" | "svc", "clusterip") => ("service", args.word(2)),
        pair => pair,
    };
    let kind = kinds::find(what).map_or("", |kind| kind.name);
    if name.is_empty() {
        let why = "exactly one NAME is required, got 0";
        return match kind {
            "" => Said::error(
                "must specify one of -f and -k\n\nerror: unknown command, or an object kubectl \
                 create does not know",
            ),
            _ => Said::failed(&format!(
                "error: {why}\nSee 'kubectl create {what} -h' for help and examples"
            )),
        };
    }
    let made = match kind {
        "ConfigMap" | "Secret" => data(kind, name, args),
        "Deployment" => deployment(name, args),
        "Job" => job(cluster, name, args),
        "CronJob" => Ok(cron_job(name, args)),
        "Service" => service(name, args),
        "Namespace" | "ServiceAccount" => Ok(object("v1", kind, name, Tree::map())),
        _ => Err(format!("not simulated: kubectl create {what}")),
    };
    match made {
        Ok(made) => finish(cluster, args, made, "created"),
        Err(why) => Said::error(&why),
    }
}

fn data(kind: &str, name: &str, args: &Args) -> Result<Tree, String> {
    if args.flag("from-file").or(args.flag("from-env-file")).is_some() {
        return Err("not simulated: files of your own; use --from-literal".to_owned());
    }
    let mut map = Tree::map();
    for pair in args.all("from-literal") {
        let wrong = || format!("invalid literal source {pair}, expected key=value");
        let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
        map.put(key.to_owned(), text(value));
    }
    let mut made = object("v1", kind, name, Tree::map());
    made.put(if kind == "Secret" { "stringData" } else { "data" }, map);
    if kind == "Secret" {
        made.put("type", text("Opaque"));
    }
    Ok(made)
}

/// A pod template of one container named after its image.
fn template(args: &Args, labels: Tree, restart: &str) -> Tree {
    let image = args.flag("image").unwrap_or("");
    let base = image.rsplit('/').next().unwrap_or(image);
    let name = base.split([':', '@']).next().unwrap_or(base);
    let spec = Tree::of(vec![
        ("containers", Tree::List(vec![container(name, args)])),
        ("restartPolicy", if restart.is_empty() { Tree::Null } else { text(restart) }),
    ]);
    let labels = if labels.entries().is_empty() { Tree::Null } else { labels };
    Tree::of(vec![("metadata", Tree::of(vec![("labels", labels)])), ("spec", spec)])
}

fn needs_image(args: &Args) -> Result<(), String> {
    args.flag("image").map(|_| ()).ok_or_else(|| "required flag(s) \"image\" not set".to_owned())
}

fn deployment(name: &str, args: &Args) -> Result<Tree, String> {
    needs_image(args)?;
    let labels = map_of(&format!("app={name}"));
    let replicas = args.flag("replicas").and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut made = object("apps/v1", "Deployment", name, labels.clone());
    made.put(
        "spec",
        Tree::of(vec![
            ("replicas", Tree::Int(replicas)),
            ("selector", Tree::of(vec![("matchLabels", labels.clone())])),
            ("template", template(args, labels, "")),
        ]),
    );
    Ok(made)
}

fn job(cluster: &Cluster, name: &str, args: &Args) -> Result<Tree, String> {
    let mut made = object("batch/v1", "Job", name, Tree::map());
    if let Some(from) = args.flag("from") {
        let from = from.split_once('/').map_or(from, |(_, name)| name);
        let namespace = get::namespace(cluster, args);
        let found = kinds::of("CronJob").and_then(|kind| cluster.one(kind, &namespace, from));
        let found = found.ok_or(format!("cronjobs.batch \"{from}\" not found"))?;
        made.put("spec", found.at("spec.jobTemplate.spec").clone());
        return Ok(made);
    }
    needs_image(args).map_err(|_| "either --image or --from must be specified".to_owned())?;
    made.put("spec", Tree::of(vec![("template", template(args, Tree::map(), "Never"))]));
    Ok(made)
}

fn cron_job(name: &str, args: &Args) -> Tree {
    let restart = args.flag("restart").unwrap_or("OnFailure");
    let inside = Tree::of(vec![("template", template(args, Tree::map(), restart))]);
    let mut made = object("batch/v1", "CronJob", name, Tree::map());
    made.put(
        "spec",
        Tree::of(vec![
            ("jobTemplate", Tree::of(vec![("spec", inside)])),
            ("schedule", text(args.flag("schedule").unwrap_or(""))),
        ]),
    );
    made
}

fn port(number: &str, target: &str, name: Option<&str>) -> Option<Tree> {
    let number: i64 = number.parse().ok()?;
    let target = target.parse().map_or_else(|_| text(target), Tree::Int);
    Some(Tree::of(vec![
        ("name", Tree::from(name)),
        ("port", Tree::Int(number)),
        ("protocol", text("TCP")),
        ("targetPort", target),
    ]))
}

fn service(name: &str, args: &Args) -> Result<Tree, String> {
    let mut ports = Vec::new();
    for pair in args.all("tcp").iter().flat_map(|all| all.split(',')) {
        let (from, to) = pair.split_once(':').unwrap_or((pair, pair));
        ports.extend(port(from, to, Some(&format!("{from}-{to}"))));
    }
    if ports.is_empty() {
        return Err("at least one tcp port specifier must be provided".to_owned());
    }
    let labels = map_of(&format!("app={name}"));
    let mut made = object("v1", "Service", name, labels.clone());
    let spec =
        vec![("ports", Tree::List(ports)), ("selector", labels), ("type", text("ClusterIP"))];
    made.put("spec", Tree::of(spec));
    Ok(made)
}

/// `kubectl expose deploy web --port=80`.
pub(super) fn expose(cluster: &Cluster, args: &Args) -> Said {
    let word = match args.words.as_slice() {
        [kind, name] => format!("{kind}/{name}"),
        words => words.first().cloned().unwrap_or_default(),
    };
    let (kind, name) = word.split_once('/').unwrap_or(("pod", &word));
    let Some(kind) = kinds::find(kind) else {
        return Said::error(&format!("the server doesn't have a resource type \"{kind}\""));
    };
    let namespace = get::namespace(cluster, args);
    let Some(object) = cluster.one(kind, &namespace, name) else {
        return Said::failed(&get::not_found(kind, name));
    };
    let selector = match kind.name {
        "Pod" => object.at("metadata.labels").clone(),
        "Service" => object.at("spec.selector").clone(),
        _ => object.at("spec.selector.matchLabels").clone(),
    };
    if selector.entries().is_empty() {
        return Said::error(
            "couldn't retrieve selectors via --selector flag or introspection: the object has no \
             labels and cannot be exposed",
        );
    }
    let own = object.at("spec.template.spec.containers.0.ports.0.containerPort").show();
    let number = args.flag("port").map_or(own, str::to_owned);
    let target = args.flag("target-port").unwrap_or(&number).to_owned();
    let Some(port) = port(&number, &target, None) else {
        return Said::error(
            "couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help \
             and examples",
        );
    };
    let labels = object.at("metadata.labels").clone();
    let mut made =
        super::create::object("v1", "Service", args.flag("name").unwrap_or(name), labels);
    let spec = vec![
        ("ports", Tree::List(vec![port])),
        ("selector", selector),
        ("type", Tree::from(args.flag("type"))),
    ];
    made.put("spec", Tree::of(spec));
    finish(cluster, args, made, "exposed")
}
