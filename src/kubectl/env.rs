//! `set env`, `set selector`, `set serviceaccount`: fields of controllers and Services, given on
//! the line or taken from a ConfigMap or Secret.
//!
//! Models k8s.io/kubectl/pkg/cmd/set (v1.36).

use super::act::{each, target};
use super::cluster::Cluster;
use super::kinds::{self, Kind};
use super::words::Args;
use super::{Said, get, mark};
use crate::kube::tree::Tree;

/// Variables that `--from` names, by key.
pub(super) fn from(cluster: &Cluster, args: &Args) -> Result<Vec<Tree>, Said> {
    let Some(from) = args.flag("from") else { return Ok(Vec::new()) };
    let (word, name) = from.split_once('/').unwrap_or((from, ""));
    let Some(kind) = kinds::find(word) else {
        let why = format!("the server doesn't have a resource type \"{word}\"");
        return Err(Said::error(&why));
    };
    let reference = match kind.name {
        "ConfigMap" => "configMapKeyRef",
        "Secret" => "secretKeyRef",
        _ => {
            let why = format!("unsupported resource specified in --from: \"{from}\"");
            return Err(Said::error(&why));
        }
    };
    let Some(object) = cluster.one(kind, &get::namespace(cluster, args), name) else {
        return Err(Said::failed(&get::not_found(kind, name)));
    };
    let keys: Vec<&str> = args.all("keys").iter().flat_map(|one| one.split(',')).collect();
    let prefix = args.flag("prefix").unwrap_or("");
    let data = object.get("data").entries().iter().map(|(key, _)| key.as_ref());
    let wanted = data.filter(|key| keys.is_empty() || keys.contains(key));
    let var = |key: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
        let name_of = key.chars().map(plain).collect::<String>().to_uppercase();
        let of = Tree::of(vec![("key", Tree::from(key)), ("name", Tree::from(name))]);
        Tree::of(vec![
            ("name", Tree::from(format!("{prefix}{name_of}"))),
            ("valueFrom", Tree::of(vec![(reference, of)])),
        ])
    };
    Ok(wanted.map(var).collect())
}

/// Whether a container's name fits `-c`, where `*` stands for any letters.
fn fits(name: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
        None => name == wanted,
    }
}

/// The action that gives a controller's containers variables and takes others away: `K=V`, `K-`.
pub(super) fn set(
    cluster: &Cluster,
    (kind, object): (&Kind, &Tree),
    (vars, pairs): (&[Tree], &[String]),
    wanted: &str,
) -> Result<String, String> {
    let base = mark::base(cluster, kind, object)?;
    let mut new = base.clone();
    let template = new.get_mut("spec").and_then(|spec| spec.get_mut("template"));
    let Some(spec) = template.and_then(|template| template.get_mut("spec")) else {
        return Ok(String::new());
    };
    let given = pairs.iter().filter_map(|pair| pair.split_once('='));
    let given = given
        .map(|(name, value)| Tree::of(vec![("name", name.into()), ("value", Tree::from(value))]));
    let vars: Vec<Tree> = vars.iter().cloned().chain(given).collect();
    for list in ["initContainers", "containers"] {
        let Some(Tree::List(all)) = spec.get_mut(list) else { continue };
        for one in all.iter_mut().filter(|one| fits(one.text("name"), wanted)) {
            let mut env = one.get("env").items().to_vec();
            env.retain(|old| !pairs.iter().any(|p| p.strip_suffix('-') == Some(old.text("name"))));
            for var in &vars {
                match env.iter_mut().find(|old| old.get("name") == var.get("name")) {
                    Some(old) => old.clone_from(var),
                    None => env.push(var.clone()),
                }
            }
            one.put("env", if env.is_empty() { Tree::Null } else { Tree::List(env) });
        }
    }
    mark::change(cluster, &target(cluster, kind, object), &base, &new)
}

/// `set selector service x a=b`: all of it anew.
pub(super) fn selector(
    cluster: &Cluster,
    args: &Args,
    (words, pairs): (&[String], &[String]),
) -> Said {
    let given = pairs.iter().flat_map(|one| one.split(',')).filter_map(|pair| pair.split_once('='));
    let mut wanted = Tree::map();
    given.for_each(|(key, value)| wanted.put(key.to_owned(), Tree::from(value)));
    if wanted.entries().is_empty() {
        return Said::error("one resource and one selector are required");
    }
    each(cluster, args, words, "selector updated", |kind, object| {
        if kind.name != "Service" {
            return Err(format!(
                "error: setting a selector is only supported for Services: {}",
                kind.name
            ));
        }
        let base = mark::base(cluster, kind, object)?;
        let mut new = base.clone();
        if let Some(spec) = new.get_mut("spec") {
            spec.put("selector", wanted.clone());
        }
        mark::change(cluster, &target(cluster, kind, object), &base, &new)
    })
}

/// `set serviceaccount deployment x NAME`.
pub(super) fn account(cluster: &Cluster, args: &Args, words: &[String]) -> Said {
    let Some((name, words)) = words.split_last().filter(|(_, words)| !words.is_empty()) else {
        return Said::error("serviceaccount is required");
    };
    each(cluster, args, words, "serviceaccount updated", |kind, object| {
        let base = mark::base(cluster, kind, object)?;
        let mut new = base.clone();
        let template = new.get_mut("spec").and_then(|spec| spec.get_mut("template"));
        let Some(spec) = template.and_then(|template| template.get_mut("spec")) else {
            return Err(format!("error: {} does not have a pod template", kind.full()));
        };
        spec.put("serviceAccountName", Tree::from(name.as_str()));
        spec.put("serviceAccount", Tree::Null);
        mark::change(cluster, &target(cluster, kind, object), &base, &new)
    })
}

/// The subjects that flags name, as a binding has them.
fn subjects(args: &Args) -> Result<Vec<Tree>, Said> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let mut out = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in args.all(flag).iter().flat_map(|names| names.split(',')) {
            let pairs = [("apiGroup", GROUP), ("kind", kind), ("name", name)];
            out.push(Tree::of(pairs.map(|(key, text)| (key, Tree::from(text))).to_vec()));
        }
    }
    for account in args.all("serviceaccount").iter().flat_map(|names| names.split(',')) {
        let Some((namespace, name)) = account.split_once(':').filter(|(_, n)| !n.contains(':'))
        else {
            return Err(Said::error("serviceaccount must be <namespace>:<name>"));
        };
        let pairs = [("kind", "ServiceAccount"), ("name", name), ("namespace", namespace)];
        out.push(Tree::of(pairs.map(|(key, text)| (key, Tree::from(text))).to_vec()));
    }
    match out.is_empty() {
        true => {
            Err(Said::error("you must specify at least one value of user, group or serviceaccount"))
        }
        false => Ok(out),
    }
}

/// `set subject rolebinding x --user=a`: those that are there stay.
/// Models k8s.io/kubectl/pkg/cmd/set/set_subject.go (v1.36).
pub(super) fn subject(cluster: &Cluster, args: &Args, words: &[String]) -> Said {
    if let Err(said) = super::act::named(cluster, args, words) {
        return said;
    }
    let more = match subjects(args) {
        Ok(more) => more,
        Err(said) => return said,
    };
    let same = std::cell::Cell::new(true);
    let said = each(cluster, args, words, "subjects updated", |kind, object| {
        if !matches!(kind.name, "RoleBinding" | "ClusterRoleBinding") {
            let (plural, name) = (kind.plural, object.text("metadata.name"));
            return Err(format!(
                "error: {plural}/{name} setting subjects is only supported for \
                 RoleBinding/ClusterRoleBinding"
            ));
        }
        let mut all = object.get("subjects").items().to_vec();
        let n = all.len();
        all.extend(
            more.iter().filter(|one| !object.get("subjects").items().contains(one)).cloned(),
        );
        if all.len() == n {
            return Ok(String::new());
        }
        same.set(false);
        let base = mark::base(cluster, kind, object)?;
        let mut new = base.clone();
        new.put("subjects", Tree::List(all));
        mark::change(cluster, &target(cluster, kind, object), &base, &new)
    });
    // Nothing is said of what stays as it is.
    if same.get() { Said { out: String::new(), ..said } } else { said }
}
