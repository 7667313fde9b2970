//! ConfigMaps, Secrets, Services and Namespaces of a command line.

use super::{list, map_of, object, put_labels, text};
use crate::kube::tree::{Raise, Tree};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::words::Args;
use k8s_openapi::ByteString;

pub(super) fn no_file(file: Option<&str>) -> Result<Tree, String> {
    let file = file.unwrap_or("");
    Err(format!("not simulated: what is in {file} here"))
}

/// What the command gives as data; each key once.
fn data(cluster: &Cluster, args: &Args, secret: bool) -> Result<Tree, String> {
    let mut map = Tree::map();
    for (key, value) in super::sources::of(cluster, args)? {
        if !map.get(&key).is_null() {
            return Err(format!(
                "cannot add key \"{key}\", another key by that name already exists in Data for \
                 {} \"{}\"",
                if secret { "Secret" } else { "ConfigMap" },
                args.words.last().map_or("", String::as_str)
            ));
        }
        let value = match secret {
            true => ByteString(value.into_bytes()).raise(),
            false => Tree::from(value),
        };
        map.put(key, value);
    }
    Ok(if map.entries().is_empty() { Tree::Null } else { map })
}

pub(super) fn config_map(cluster: &Cluster, name: &str, args: &Args) -> Result<Tree, String> {
    let mut made = object("v1", "ConfigMap", name);
    made.put("data", data(cluster, args, false)?);
    Ok(made)
}

pub(super) fn secret(cluster: &Cluster, name: &str, args: &Args) -> Result<Tree, String> {
    let mut made = object("v1", "Secret", name);
    made.put("data", data(cluster, args, true)?);
    made.put("type", Tree::from(args.flag("type")));
    Ok(made)
}

pub(super) fn registry_secret(name: &str, args: &Args) -> Result<Tree, String> {
    if args.flag("from-file").is_some() {
        return no_file(args.flag("from-file"));
    }
    let [user, password, email] =
        ["username", "password", "email"].map(|key| args.flag(&format!("docker-{key}")));
    let (Some(user), Some(password)) = (user, password) else {
        return Err(
            "either --from-file or the combination of --docker-username, --docker-password and \
             --docker-server is required"
                .to_owned(),
        );
    };
    let server = args.flag("docker-server").unwrap_or("https://index.docker.io/v1/");
    let login = ByteString(format!("{user}:{password}").into_bytes()).raise();
    let mut json =
        format!("{{\"auths\":{{{server:?}:{{\"username\":{user:?},\"password\":{password:?}");
    if let Some(email) = email {
        json.push_str(&format!(",\"email\":{email:?}"));
    }
    json.push_str(&format!(",\"auth\":{:?}}}}}}}", login.str()));
    let mut made = object("v1", "Secret", name);
    let data = vec![(".dockerconfigjson", ByteString(json.into_bytes()).raise())];
    made.put("data", Tree::of(data));
    made.put("type", text("kubernetes.io/dockerconfigjson"));
    Ok(made)
}

pub(super) fn namespace(name: &str) -> Tree {
    let mut made = object("v1", "Namespace", name);
    made.put("spec", Tree::map());
    made.put("status", Tree::map());
    made
}

/// A port of a Service; a target that is no number is a name.
pub(super) fn port(number: &str, target: &str, name: Option<&str>) -> Option<Tree> {
    let number: i64 = number.parse().ok().filter(|n| (0..=65_535).contains(n))?;
    let target = target.parse().map_or_else(|_| text(target), Tree::Int);
    Some(Tree::of(vec![
        ("name", Tree::from(name)),
        ("port", Tree::Int(number)),
        ("protocol", text("TCP")),
        ("targetPort", target),
    ]))
}

/// Models create_service.go.
pub(super) fn service(name: &str, args: &Args, kind: &str) -> Result<Tree, String> {
    let headless = args.flag("clusterip") == Some("None");
    let mut ports = Vec::new();
    for pair in args.all("tcp").iter().flat_map(|all| all.split(',')) {
        let (from, to) = pair.split_once(':').unwrap_or((pair, pair));
        let made = port(from, to, Some(&pair.replace(':', "-")));
        let wrong = || format!("strconv.ParseUint: parsing {from:?}: invalid syntax");
        let mut made = made.ok_or_else(wrong)?;
        let node = args.flag("node-port").and_then(|n| n.parse::<i64>().ok()).filter(|n| *n != 0);
        made.put("nodePort", node.map_or(Tree::Null, Tree::Int));
        ports.push(made);
    }
    if ports.is_empty() && !headless && kind != "ExternalName" {
        return Err("at least one tcp port specifier must be provided".to_owned());
    }
    let labels = map_of(&format!("app={name}"));
    let mut made = object("v1", "Service", name);
    put_labels(&mut made, labels.clone());
    let spec = vec![
        ("clusterIP", Tree::from(args.flag("clusterip"))),
        ("externalName", Tree::from(args.flag("external-name"))),
        ("ports", list(ports)),
        ("selector", labels),
        ("type", text(kind)),
    ];
    made.put("spec", Tree::of(spec));
    made.put("status", Tree::of(vec![("loadBalancer", Tree::map())]));
    Ok(made)
}
