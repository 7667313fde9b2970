//! `kubectl expose` and `kubectl autoscale`: an object made for another one.

use super::{finish, list, map_of, object, put_labels, text, usage};
use crate::kube::quantity::Quantity;
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::kinds::Kind;
use crate::kubectl::words::Args;
use crate::kubectl::{Said, get, select};

pub(in crate::kubectl) const EXPOSE: &str = "port: target-port: name: type: protocol: selector: \
     l:labels cluster-ip: external-ip: external-name: load-balancer-ip: session-affinity: \
     overrides: override-type: f:filename k:kustomize R!recursive dry-run: o:output save-config! \
     field-manager: template: show-managed-fields! min: max: cpu: memory: cpu-percent:";

/// The one object a command names.
fn named<'c>(cluster: &'c Cluster, args: &Args) -> Result<(&'static Kind, &'c Tree), Said> {
    let asked = get::asked(&args.words).map_err(|why| Said::error(&why))?;
    let (found, missing) = get::find(cluster, args, &asked).map_err(|why| Said::error(&why))?;
    if let Some(line) = missing.first() {
        return Err(Said::failed(line));
    }
    if asked.iter().all(|one| one.names.is_empty()) {
        return Err(Said::error("resource(s) were provided, but no name was specified"));
    }
    let mut all =
        found.into_iter().flat_map(|(kind, list)| list.into_iter().map(move |o| (kind, o)));
    all.next().ok_or_else(|| Said::error("resource(s) were provided, but no name was specified"))
}

fn selector_of(kind: &Kind, object: &Tree) -> Result<Tree, String> {
    let found = match kind.name {
        "Pod" => object.at("metadata.labels").clone(),
        "Service" => object.at("spec.selector").clone(),
        "Deployment" | "ReplicaSet" => {
            let selector = object.at("spec.selector");
            let expressions = selector.get("matchExpressions");
            if !expressions.items().is_empty() {
                return Err(format!(
                    "couldn't convert expressions - \"{}\" to map-based selector format",
                    select::show(&Tree::of(vec![("matchExpressions", expressions.clone())]))
                ));
            }
            selector.get("matchLabels").clone()
        }
        _ => return Err(format!("cannot expose a {}", kind.full())),
    };
    match (found.entries().is_empty(), kind.name) {
        (false, _) => Ok(found),
        (true, "Pod") => Err("the pod has no labels and cannot be exposed".to_owned()),
        (true, _) => Err("invalid service 'selector' is empty".to_owned()),
    }
}

/// (number, protocol) of each port the object has. Models ports_for_object.go.
fn ports_of(kind: &Kind, object: &Tree) -> Vec<(i64, String)> {
    if kind.name == "Service" {
        let all = object.at("spec.ports").items().iter();
        return all.map(|p| (p.int("port"), p.text("protocol").to_owned())).collect();
    }
    let spec = object.at(if kind.name == "Pod" { "spec" } else { "spec.template.spec" });
    let all = spec.get("containers").items().iter().flat_map(|one| one.get("ports").items());
    all.map(|p| (p.int("containerPort"), p.text("protocol").to_owned())).collect()
}

/// The new Service's ports: those asked for, else the object's own; None where there are none.
fn ports(kind: &Kind, source: &Tree, args: &Args) -> Option<Tree> {
    let own = ports_of(kind, source);
    let protocol = |number: i64| {
        let known = own.iter().find(|(port, _)| *port == number).map(|(_, p)| p.clone());
        let asked = args.flag("protocol").map(str::to_owned);
        asked.or(known).filter(|p| !p.is_empty()).unwrap_or_else(|| "TCP".to_owned())
    };
    let numbers: Vec<i64> = match args.flag("port") {
        Some(given) => given.split(',').filter_map(|n| n.parse().ok()).collect(),
        None => own.iter().map(|(number, _)| *number).collect(),
    };
    if numbers.is_empty() && args.flag("cluster-ip") != Some("None") {
        return None;
    }
    let port = |(i, number): (usize, &i64)| {
        let target = match args.flag("target-port") {
            Some(target) => target.parse().map_or_else(|_| text(target), Tree::Int),
            None => Tree::Int(*number),
        };
        // Several ports have names.
        let name = (numbers.len() > 1).then(|| format!("port-{}", i + 1));
        Tree::of(vec![
            ("name", Tree::from(name)),
            ("port", Tree::Int(*number)),
            ("protocol", Tree::from(protocol(*number))),
            ("targetPort", target),
        ])
    };
    Some(list(numbers.iter().enumerate().map(port).collect()))
}

/// `kubectl expose deploy web --port=80`. Models pkg/cmd/expose createService (v1.36).
pub(in crate::kubectl) fn expose(cluster: &Cluster, args: &Args) -> Said {
    if args.words.is_empty() && args.flag("filename").is_none() {
        return usage("resource(s) were provided, but no name was specified", "expose");
    }
    let (kind, source) = match named(cluster, args) {
        Ok(found) => found,
        Err(said) => return said,
    };
    let exposable = ["Pod", "Service", "Deployment", "ReplicaSet"];
    if !exposable.contains(&kind.name) {
        return Said::error(&format!("cannot expose a {}", kind.gk()));
    }
    let selector = match args.flag("selector") {
        Some(pairs) => map_of(pairs),
        None => match selector_of(kind, source) {
            Ok(selector) => selector,
            Err(why) => {
                return Said::error(&format!(
                    "couldn't retrieve selectors via --selector flag or introspection: {why}"
                ));
            }
        },
    };
    let ports = match ports(kind, source, args) {
        Some(ports) => ports,
        None => return Said::error("couldn't find port via --port flag or introspection"),
    };
    let name = args.flag("name").unwrap_or(source.text("metadata.name"));
    let mut made = object("v1", "Service", name);
    let labels = args.flag("labels").map(map_of);
    put_labels(&mut made, labels.unwrap_or_else(|| source.at("metadata.labels").clone()));
    let outside = args.flag("external-ip").map(|ip| Tree::List(vec![text(ip)]));
    let spec = vec![
        ("clusterIP", Tree::from(args.flag("cluster-ip"))),
        ("externalIPs", outside.unwrap_or_default()),
        ("ports", ports),
        ("selector", selector),
        ("sessionAffinity", Tree::from(args.flag("session-affinity"))),
        ("type", Tree::from(args.flag("type"))),
    ];
    made.put("spec", Tree::of(spec));
    made.put("status", Tree::of(vec![("loadBalancer", Tree::map())]));
    finish(cluster, args, vec![made], "exposed")
}

/// A metric of `80%`, `500m`, `200Mi`; a bare number is in m or Mi. Models parseResourceInput.
fn goal(words: &str, resource: &str) -> Result<Tree, String> {
    if let Some(share) = words.strip_suffix('%') {
        let wrong = || format!("invalid percentage value: {words}");
        let share = share.parse().map_err(|_| wrong())?;
        let target = vec![("averageUtilization", Tree::Int(share)), ("type", text("Utilization"))];
        return Ok(metric(resource, target));
    }
    let unit = if resource == "cpu" { "m" } else { "Mi" };
    let amount = match words.parse::<u64>() {
        Ok(_) => format!("{words}{unit}"),
        Err(_) => words.to_owned(),
    };
    if Quantity::parse(&amount).is_err() {
        return Err(format!("invalid resource {resource} value: {words}"));
    }
    let target = vec![("averageValue", text(&amount)), ("type", text("AverageValue"))];
    Ok(metric(resource, target))
}

fn metric(resource: &str, target: Vec<(&'static str, Tree)>) -> Tree {
    let inside = Tree::of(vec![("name", text(resource)), ("target", Tree::of(target))]);
    Tree::of(vec![("resource", inside), ("type", text("Resource"))])
}

fn metrics(args: &Args) -> Result<Vec<Tree>, String> {
    let mut metrics = Vec::new();
    if let Some(share) =
        args.flag("cpu-percent").and_then(|n| n.parse().ok()).filter(|n: &i64| *n > 0)
    {
        let target = vec![("averageUtilization", Tree::Int(share)), ("type", text("Utilization"))];
        metrics.push(metric("cpu", target));
    }
    for resource in ["cpu", "memory"] {
        match args.flag(resource).map(|words| goal(words, resource)) {
            Some(Ok(metric)) => metrics.push(metric),
            Some(Err(why)) => return Err(why),
            None => {}
        }
    }
    Ok(metrics)
}

/// `kubectl autoscale deploy web --min=1 --max=3`. Models pkg/cmd/autoscale (v1.36).
pub(in crate::kubectl) fn autoscale(cluster: &Cluster, args: &Args) -> Said {
    let number = |flag: &str| args.flag(flag).and_then(|n| n.parse::<i64>().ok());
    let (least, most) = (number("min").unwrap_or(-1), number("max").unwrap_or(-1));
    if args.flag("max").is_none() {
        return Said::error("required flag(s) \"max\" not set");
    }
    if most < 1 {
        return Said::error(&format!(
            "--max=MAXPODS is required and must be at least 1, max: {most}"
        ));
    }
    if most < least {
        return Said::error(&format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}"
        ));
    }
    let (kind, source) = match named(cluster, args) {
        Ok(found) => found,
        Err(said) => return said,
    };
    if !["Deployment", "ReplicaSet", "StatefulSet"].contains(&kind.name) {
        return Said::error(&format!(
            "cannot autoscale a {}: could not find scale subresource for {}, Resource={} in \
             discovery information",
            kind.gk(),
            format_args!("{}/{}", kind.group, kind.version),
            kind.plural
        ));
    }
    let metrics = match metrics(args) {
        Ok(metrics) => metrics,
        Err(why) => return Said::error(&why),
    };
    let of = source.text("metadata.name");
    let mut made =
        object("autoscaling/v2", "HorizontalPodAutoscaler", args.flag("name").unwrap_or(of));
    let target = Tree::of(vec![
        ("apiVersion", source.get("apiVersion").clone()),
        ("kind", text(kind.name)),
        ("name", text(of)),
    ]);
    made.put(
        "spec",
        Tree::of(vec![
            ("maxReplicas", Tree::Int(most)),
            ("metrics", list(metrics)),
            ("minReplicas", if least > 0 { Tree::Int(least) } else { Tree::Null }),
            ("scaleTargetRef", target),
        ]),
    );
    // Go writes a list that is not there as null.
    let counts = [("currentMetrics", Tree::Null), ("desiredReplicas", Tree::Int(0))];
    made.put("status", Tree::Map(counts.map(|(key, value)| (key.into(), value)).to_vec()));
    finish(cluster, args, vec![made], "autoscaled")
}
