//! Roles, bindings, quotas, budgets, priorities and Ingresses of a command line.

use super::{list, object, text, texts};
use crate::kube::tree::Tree;
use crate::kubectl::kinds;
use crate::kubectl::words::Args;

const RBAC: &str = "rbac.authorization.k8s.io";
const RBAC_V1: &str = "rbac.authorization.k8s.io/v1";

/// All values of a flag that takes lists, each once.
fn values<'a>(args: &'a Args, flag: &str) -> Vec<&'a str> {
    let mut out = Vec::new();
    for value in args.all(flag).iter().flat_map(|all| all.split(',')) {
        if !value.is_empty() && !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

/// (group, name with its subresource) of `pods`, `deploy.apps`, `pods/log`.
fn resource(word: &str) -> Result<(String, String), String> {
    let (whole, sub) = word.split_once('/').map_or((word, ""), |(whole, sub)| (whole, sub));
    let (plain, group) = whole.split_once('.').unwrap_or((whole, ""));
    let known = kinds::find(whole).or_else(|| kinds::find(plain).filter(|k| k.group == group));
    let (group, name) = match (known, plain) {
        (Some(kind), _) => (kind.group, kind.plural),
        (None, "*") => (group, "*"),
        (None, _) => {
            return Err(match group {
                "" => format!("the server doesn't have a resource type \"{plain}\""),
                _ => format!(
                    "the server doesn't have a resource type \"{plain}\" in group \"{group}\""
                ),
            });
        }
    };
    let sub = if sub.is_empty() { String::new() } else { format!("/{sub}") };
    Ok((group.to_owned(), format!("{name}{sub}")))
}

/// What kubectl says of verbs it does not know.
pub(super) fn odd_verbs(args: &Args) -> String {
    const VERBS: &str = "* get delete list create update patch watch proxy deletecollection \
                         use bind escalate impersonate";
    let known = |verb: &&str| VERBS.split_whitespace().any(|one| one == *verb);
    let odd = values(args, "verb").into_iter().filter(|verb| !known(verb));
    odd.map(|verb| format!("Warning: '{verb}' is not a standard resource verb\n")).collect()
}

/// Models create_role.go generateResourcePolicyRules: a rule for each group.
pub(super) fn role(kind: &str, name: &str, args: &Args) -> Result<Tree, String> {
    let (mut verbs, named) = (values(args, "verb"), values(args, "resource-name"));
    let urls = values(args, "non-resource-url");
    if verbs.is_empty() {
        return Err("at least one verb must be specified".to_owned());
    }
    if verbs.contains(&"*") {
        verbs = vec!["*"];
    }
    let asked = values(args, "resource");
    if asked.is_empty() && urls.is_empty() {
        return Err(match kind {
            "Role" => "at least one resource must be specified".to_owned(),
            _ => "one of resource or nonResourceURL must be specified".to_owned(),
        });
    }
    let mut groups: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for word in asked {
        let (group, name) = resource(word)?;
        let names = groups.entry(group).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let verbs = texts(verbs);
    let mut rules = Vec::new();
    for (group, names) in &groups {
        rules.push(Tree::of(vec![
            ("apiGroups", Tree::List(vec![text(group)])),
            ("resourceNames", texts(named.iter().copied())),
            ("resources", texts(names.iter().map(String::as_str))),
            ("verbs", verbs.clone()),
        ]));
    }
    if !urls.is_empty() {
        rules.push(Tree::of(vec![("nonResourceURLs", texts(urls)), ("verbs", verbs)]));
    }
    let mut made = object(RBAC_V1, kind, name);
    made.put("rules", Tree::List(rules));
    Ok(made)
}

pub(super) fn binding(kind: &str, name: &str, args: &Args) -> Result<Tree, String> {
    let (role, whole) = (args.flag("role"), args.flag("clusterrole"));
    let (of, to) = match (kind, role, whole) {
        ("RoleBinding", Some(role), None) => ("Role", role),
        (_, None, Some(role)) => ("ClusterRole", role),
        ("RoleBinding", ..) => {
            return Err("exactly one of clusterrole or role must be specified".to_owned());
        }
        _ => return Err("required flag(s) \"clusterrole\" not set".to_owned()),
    };
    let mut subjects = Vec::new();
    for (kind, flag) in [("User", "user"), ("Group", "group")] {
        for name in values(args, flag) {
            subjects.push(Tree::of(vec![
                ("apiGroup", text(RBAC)),
                ("kind", text(kind)),
                ("name", text(name)),
            ]));
        }
    }
    for account in values(args, "serviceaccount") {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, name] = parts[..] else {
            return Err("serviceaccount must be <namespace>:<name>".to_owned());
        };
        subjects.push(Tree::of(vec![
            ("kind", text("ServiceAccount")),
            ("name", text(name)),
            ("namespace", text(namespace)),
        ]));
    }
    let mut made = object(RBAC_V1, kind, name);
    let to = vec![("apiGroup", text(RBAC)), ("kind", text(of)), ("name", text(to))];
    made.put("roleRef", Tree::of(to));
    made.put("subjects", list(subjects));
    Ok(made)
}

pub(super) fn quota(name: &str, args: &Args) -> Result<Tree, String> {
    let mut hard = Tree::map();
    for pair in values(args, "hard") {
        let wrong = || format!("Invalid argument syntax {pair}, expected <resource>=<value>");
        let (resource, amount) = pair.split_once('=').ok_or_else(wrong)?;
        let parsed = crate::kube::quantity::Quantity::parse(amount);
        parsed.map_err(str::to_owned)?;
        hard.put(resource.to_owned(), text(amount));
    }
    let hard = if hard.entries().is_empty() { Tree::Null } else { hard };
    let mut made = object("v1", "ResourceQuota", name);
    made.put("spec", Tree::of(vec![("hard", hard), ("scopes", texts(values(args, "scopes")))]));
    made.put("status", Tree::map());
    Ok(made)
}

/// `3` or `50%`.
fn amount(flag: &str, words: &str) -> Result<Tree, String> {
    let digits = words.strip_suffix('%').unwrap_or(words);
    let wrong = || format!("invalid format specified for {flag}");
    let number: i64 = digits.parse().map_err(|_| wrong())?;
    Ok(if digits == words { Tree::Int(number) } else { text(words) })
}

pub(super) fn budget(name: &str, args: &Args) -> Result<Tree, String> {
    let Some(selector) = args.flag("selector") else {
        return Err("a selector must be specified".to_owned());
    };
    let spec = match (args.flag("min-available"), args.flag("max-unavailable")) {
        (None, None) => {
            return Err("one of min-available or max-unavailable must be specified".to_owned());
        }
        (Some(_), Some(_)) => {
            return Err("min-available and max-unavailable cannot be both specified".to_owned());
        }
        (Some(least), _) => vec![("minAvailable", amount("min-available", least)?)],
        (_, Some(most)) => vec![("maxUnavailable", amount("max-unavailable", most)?)],
    };
    let mut spec = Tree::of(spec);
    spec.put("selector", Tree::of(vec![("matchLabels", super::map_of(selector))]));
    let mut made = object("policy/v1", "PodDisruptionBudget", name);
    made.put("spec", spec);
    let counts = ["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"];
    made.put("status", Tree::of(counts.map(|key| (key, Tree::Int(0))).to_vec()));
    Ok(made)
}

pub(super) fn priority(name: &str, args: &Args) -> Result<Tree, String> {
    let mut made = object("scheduling.k8s.io/v1", "PriorityClass", name);
    let value = args.flag("value").and_then(|n| n.parse().ok()).unwrap_or(0);
    made.put("value", Tree::Int(value));
    made.put("description", Tree::from(args.flag("description").filter(|d| !d.is_empty())));
    made.put(
        "globalDefault",
        if args.has("global-default") { Tree::Bool(true) } else { Tree::Null },
    );
    let policy = args.flag("preemption-policy").unwrap_or("PreemptLowerPriority");
    made.put("preemptionPolicy", text(policy));
    Ok(made)
}

fn behind(pair: &str) -> Option<Tree> {
    let (name, port) = pair.split_once(':')?;
    let port = match port.parse::<i64>() {
        Ok(number) => vec![("number", Tree::Int(number))],
        Err(_) => vec![("name", text(port))],
    };
    let service = Tree::of(vec![("name", text(name)), ("port", Tree::of(port))]);
    Some(Tree::of(vec![("service", service)]))
}

/// (host, path, secret asked for) of `host/path*=service:port,tls=secret`.
fn route(rule: &str) -> Option<(&str, Tree, Option<&str>)> {
    let (main, tls) = rule.split_once(',').map_or((rule, None), |(main, tls)| (main, Some(tls)));
    let (host, rest) = main.split_once('/')?;
    let (path, service) = rest.split_once('=')?;
    let (path, kind) = match path.strip_suffix('*') {
        Some(start) => (start, "Prefix"),
        None => (path, "Exact"),
    };
    let secret = match tls {
        None => None,
        Some("tls") => Some(""),
        Some(tls) => Some(tls.strip_prefix("tls=")?),
    };
    let path = Tree::of(vec![
        ("backend", behind(service)?),
        ("path", text(&format!("/{path}"))),
        ("pathType", text(kind)),
    ]);
    Some((host, path, secret))
}

/// Paths by host, hosts by secret.
type Routes<'a> = (Vec<(&'a str, Vec<Tree>)>, Vec<(&'a str, Vec<&'a str>)>);

fn routes(asked: &[String]) -> Result<Routes<'_>, String> {
    let mut hosts: Vec<(&str, Vec<Tree>)> = Vec::new();
    let mut secrets: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in asked {
        let wrong = || {
            format!(
                "rule {rule} is invalid and should be in format \
                 host/path=svcname:svcport[,tls[=secret]]"
            )
        };
        let (host, path, secret) = route(rule).ok_or_else(wrong)?;
        match hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((host, vec![path])),
        }
        let seen = secrets.iter().any(|(_, hosts)| hosts.contains(&host));
        if let Some(secret) = secret.filter(|_| !seen) {
            match secrets.iter_mut().find(|(known, _)| *known == secret) {
                Some((_, hosts)) => hosts.push(host),
                None => secrets.push((secret, vec![host])),
            }
        }
    }
    Ok((hosts, secrets))
}

/// Models create_ingress.go.
pub(super) fn ingress(name: &str, args: &Args) -> Result<Tree, String> {
    let (asked, default) = (args.all("rule"), args.flag("default-backend"));
    if asked.is_empty() && default.is_none() {
        return Err("not enough information provided: every ingress has to either specify a \
                    default-backend (which catches all traffic) or a list of rules (which catch \
                    specific paths)"
            .to_owned());
    }
    let (hosts, secrets) = routes(asked)?;
    let rule = |(host, paths): (&str, Vec<Tree>)| {
        let http = Tree::of(vec![("paths", Tree::List(paths))]);
        let host = Tree::from(Some(host).filter(|host| !host.is_empty()));
        Tree::of(vec![("host", host), ("http", http)])
    };
    let tls = |(secret, hosts): (&str, Vec<&str>)| {
        let secret = Tree::from(Some(secret).filter(|secret| !secret.is_empty()));
        let hosts = texts(hosts.into_iter().filter(|host| !host.is_empty()));
        Tree::of(vec![("hosts", hosts), ("secretName", secret)])
    };
    let wrong = || "default-backend should be in format servicename:serviceport".to_owned();
    let default = default.map(|pair| behind(pair).ok_or_else(wrong)).transpose()?;
    let mut made = object("networking.k8s.io/v1", "Ingress", name);
    let marks = args.all("annotation").iter().filter_map(|pair| pair.split_once('='));
    let mut annotations = Tree::map();
    marks.for_each(|(key, value)| annotations.put(key.to_owned(), text(value)));
    if let Some(metadata) = made.get_mut("metadata").filter(|_| !annotations.entries().is_empty()) {
        metadata.put("annotations", annotations);
    }
    made.put(
        "spec",
        Tree::of(vec![
            ("defaultBackend", default.unwrap_or_default()),
            ("ingressClassName", Tree::from(args.flag("class"))),
            ("rules", list(hosts.into_iter().map(rule).collect())),
            ("tls", list(secrets.into_iter().map(tls).collect())),
        ]),
    );
    made.put("status", Tree::of(vec![("loadBalancer", Tree::map())]));
    Ok(made)
}
