//! Deployments, Jobs and CronJobs of a command line.

use super::{list, map_of, object, put_labels, text, texts};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::words::Args;
use crate::kubectl::{get, kinds};

/// A container; Go writes its empty `resources` too.
pub(super) fn container(name: &str, image: &str, command: &[String], port: Option<&str>) -> Tree {
    let port = port.and_then(|port| port.parse::<i64>().ok());
    let port = port.map(|port| Tree::of(vec![("containerPort", Tree::Int(port))]));
    Tree::of(vec![
        ("command", texts(command.iter().map(String::as_str))),
        ("image", text(image)),
        ("name", text(name)),
        ("ports", list(port.into_iter().collect())),
        ("resources", Tree::map()),
    ])
}

fn template(labels: Tree, containers: Vec<Tree>, restart: Option<&str>) -> Tree {
    let labels = if labels.entries().is_empty() { Tree::Null } else { labels };
    let spec = Tree::of(vec![
        ("containers", Tree::List(containers)),
        ("restartPolicy", Tree::from(restart)),
    ]);
    Tree::of(vec![("metadata", Tree::of(vec![("labels", labels)])), ("spec", spec)])
}

/// A container's name from its image. Models create_deployment.go buildPodSpec, which also adds a
/// random word where it had to change something; here that word stands for the image.
fn name_of(image: &str) -> String {
    let base = image.rsplit('/').next().unwrap_or(image);
    let base = base.split(['@', ':']).next().unwrap_or(base);
    let clean: String =
        base.to_lowercase().chars().map(|c| if "_.".contains(c) { '-' } else { c }).collect();
    match clean == base {
        true => clean,
        false => format!("{clean}-{}", crate::sim::suffix_of(image, 5)),
    }
}

fn command(args: &Args) -> &[String] {
    args.rest.as_deref().unwrap_or(&[])
}

pub(super) fn deployment(name: &str, args: &Args) -> Result<Tree, String> {
    let images: Vec<&str> = args.all("image").iter().flat_map(|all| all.split(',')).collect();
    if images.len() > 1 && !command(args).is_empty() {
        return Err("cannot specify multiple --image options and command".to_owned());
    }
    let replicas = args.flag("replicas").and_then(|n| n.parse().ok()).unwrap_or(1);
    let one = |image: &&str| container(&name_of(image), image, command(args), args.flag("port"));
    let labels = map_of(&format!("app={name}"));
    let mut made = object("apps/v1", "Deployment", name);
    put_labels(&mut made, labels.clone());
    made.put(
        "spec",
        Tree::of(vec![
            ("replicas", Tree::Int(replicas)),
            ("selector", Tree::of(vec![("matchLabels", labels.clone())])),
            ("strategy", Tree::map()),
            ("template", template(labels, images.iter().map(one).collect(), None)),
        ]),
    );
    made.put("status", Tree::map());
    Ok(made)
}

pub(super) fn job(cluster: &Cluster, name: &str, args: &Args) -> Result<Tree, String> {
    let (image, from) = (args.flag("image"), args.flag("from"));
    let mut words = command(args);
    if words.is_empty() {
        words = args.words.get(2..).unwrap_or(&[]);
    }
    if image.is_some() == from.is_some() {
        return Err("either --image or --from must be specified".to_owned());
    }
    let mut made = object("batch/v1", "Job", name);
    if let Some(from) = from {
        if !words.is_empty() {
            return Err("cannot specify --from and command".to_owned());
        }
        let (kind, source) = from.split_once('/').unwrap_or(("cronjob", from));
        if kinds::find(kind).is_none_or(|kind| kind.name != "CronJob") {
            return Err("from must be an existing cronjob".to_owned());
        }
        let namespace = get::namespace(cluster, args);
        let found = kinds::of("CronJob").and_then(|kind| cluster.one(kind, &namespace, source));
        let found = found.ok_or(format!(
            "Error from server (NotFound): cronjobs.batch \"{source}\" not found"
        ))?;
        let mut marks = found.at("spec.jobTemplate.metadata.annotations").clone();
        marks.put("cronjob.kubernetes.io/instantiate", text("manual"));
        let owner = Tree::of(vec![
            ("apiVersion", text("batch/v1")),
            ("blockOwnerDeletion", Tree::Null),
            ("controller", Tree::Bool(true)),
            ("kind", text("CronJob")),
            ("name", text(source)),
            ("uid", found.at("metadata.uid").clone()),
        ]);
        if let Some(metadata) = made.get_mut("metadata") {
            metadata.put("annotations", marks);
            metadata.put("labels", found.at("spec.jobTemplate.metadata.labels").clone());
            metadata.put("ownerReferences", Tree::List(vec![owner]));
        }
        made.put("spec", found.at("spec.jobTemplate.spec").clone());
    } else {
        let one = container(name, image.unwrap_or(""), words, None);
        let pods = template(Tree::Null, vec![one], Some("Never"));
        made.put("spec", Tree::of(vec![("template", pods)]));
    }
    made.put("status", Tree::map());
    Ok(made)
}

pub(super) fn cron_job(name: &str, args: &Args) -> Result<Tree, String> {
    let restart = args.flag("restart").unwrap_or("OnFailure");
    let one = container(name, args.flag("image").unwrap_or(""), command(args), None);
    let inside = Tree::of(vec![("template", template(Tree::Null, vec![one], Some(restart)))]);
    let job = Tree::of(vec![("metadata", Tree::of(vec![("name", text(name))])), ("spec", inside)]);
    let mut made = object("batch/v1", "CronJob", name);
    made.put(
        "spec",
        Tree::of(vec![
            ("jobTemplate", job),
            ("schedule", text(args.flag("schedule").unwrap_or(""))),
        ]),
    );
    made.put("status", Tree::map());
    Ok(made)
}
