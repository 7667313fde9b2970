//! `auth` and `config`: who one is, what one may do, which namespace is meant.
//!
//! Models k8s.io/kubectl/pkg/cmd/auth and config, and plugin/pkg/auth/authorizer/rbac (v1.36).

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, dump, get, jsonpath, kinds};
use crate::kube::tree::Tree;

pub(super) const AUTH: &str = "list! A!all-namespaces q!quiet subresource: no-headers!";
pub(super) const CONFIG: &str = "minify! raw! o:output current! flatten! merge!";

/// Where the namespace of the context is kept among the person's own files.
pub(super) const CONFIG_FILE: &str = "/root/.kube/namespace";

/// What everybody may ask of a server, as `can-i --list` shows it.
const PATHS: &str = "/.well-known/* /.well-known /api/* /api /apis/* /apis /healthz /healthz /livez \
     /livez /openapi/* /openapi /readyz /readyz /version/ /version/ /version /version";

pub(super) fn auth(cluster: &Cluster, args: &Args) -> Said {
    match (args.word(0), args.word(1), args.word(2)) {
        ("can-i", "", _) if args.has("list") => list(args),
        ("can-i", verb, what) if !verb.is_empty() && !what.is_empty() => {
            can_i(cluster, args, verb, what)
        }
        ("whoami", ..) => Said::printed(
            "ATTRIBUTE   VALUE\nUsername    kubernetes-admin\nGroups      [system:masters system:authenticated]\n",
        ),
        ("can-i", ..) => Said::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ),
        (verb, ..) => Said::error(&format!("unknown command \"{verb}\" for \"kubectl auth\"")),
    }
}

fn list(args: &Args) -> Said {
    if args.flag("as").is_some() {
        return Said::error("not simulated: can-i --list of somebody else; ask verb by verb");
    }
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let mut lines = vec![
        row(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]),
        row(["*.*", "[]", "[]", "[*]"]),
        row(["", "[*]", "[]", "[*]"]),
        row(["selfsubjectreviews.authentication.k8s.io", "[]", "[]", "[create]"]),
        row(["selfsubjectaccessreviews.authorization.k8s.io", "[]", "[]", "[create]"]),
        row(["selfsubjectrulesreviews.authorization.k8s.io", "[]", "[]", "[create]"]),
    ];
    lines.extend(
        PATHS.split_whitespace().map(|path| row(["", &format!("[{path}]"), "[]", "[get]"])),
    );
    Said::printed(get::table(&lines, args.has("no-headers")))
}

fn can_i(cluster: &Cluster, args: &Args, verb: &str, what: &str) -> Said {
    const VERBS: &str = "get list watch create update patch delete deletecollection use bind \
                 impersonate * approve sign escalate attest proxy post head put options connect";
    let mut said = Said::default();
    let (word, name) = what.split_once('/').unwrap_or((what, ""));
    let known = kinds::find(word);
    let path = what.starts_with('/');
    let row = kinds::resources().find(|row| row[0] == word || row[1] == word);
    if known.is_none() && row.is_none() && word != "*" && !path {
        said.err += &format!("Warning: the server doesn't have a resource type '{word}'\n\n");
    }
    if let Some(kind) = known.filter(|kind| !kind.namespaced && !args.has("all-namespaces")) {
        let (plural, group) = (kind.plural, kind.group);
        let of = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
        said.err += &format!("Warning: resource '{plural}' is not namespace scoped{of}\n\n");
    }
    if !VERBS.split_whitespace().any(|known| known == verb) {
        said.err += &format!("Warning: verb '{verb}' is not a known verb\n\n");
    }
    let allowed = match args.flag("as") {
        None => Ok(true),
        Some(user) => {
            let plural = known.map_or(word, |kind| kind.plural);
            let mut resource = plural.to_owned();
            if let Some(sub) = args.flag("subresource") {
                resource = format!("{plural}/{sub}");
            }
            let group = known.map_or("", |kind| kind.group);
            let namespace = match args.has("all-namespaces") {
                true => String::new(),
                false => get::namespace(cluster, args),
            };
            let wish = Wish { verb, group, resource: &resource, name, path: path.then_some(what) };
            Who::new(user, args.all("as-group")).may(cluster, &namespace, &wish)
        }
    };
    let (answer, exit) = match allowed {
        Ok(true) => ("yes\n".to_owned(), 0),
        Ok(false) => ("no\n".to_owned(), 1),
        Err(why) => (format!("no - RBAC: {why}\n"), 1),
    };
    said.out = if args.has("quiet") { String::new() } else { answer };
    said.exit = exit;
    said
}

/// What somebody wants to do.
struct Wish<'a> {
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    name: &'a str,
    path: Option<&'a str>,
}

struct Who {
    user: String,
    groups: Vec<String>,
}

impl Who {
    fn new(user: &str, groups: &[String]) -> Who {
        let mut groups = groups.to_vec();
        groups.push("system:authenticated".to_owned());
        if let Some(account) = user.strip_prefix("system:serviceaccount:") {
            let namespace = account.split(':').next().unwrap_or("");
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{namespace}"));
        }
        Who { user: user.to_owned(), groups }
    }

    fn is(&self, subject: &Tree) -> bool {
        let name = subject.text("name");
        match subject.text("kind") {
            "User" => self.user == name,
            "Group" => self.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                self.user == format!("system:serviceaccount:{}:{name}", subject.text("namespace"))
            }
            _ => false,
        }
    }

    /// The error names roles that bindings ask for and nobody made.
    fn may(&self, cluster: &Cluster, namespace: &str, wish: &Wish) -> Result<bool, String> {
        if self.groups.iter().any(|group| group == "system:masters") {
            return Ok(true);
        }
        let list = |kind: &str, within: Option<&str>| {
            kinds::of(kind).map(|kind| cluster.list(kind, within)).unwrap_or_default()
        };
        let mut bindings = list("ClusterRoleBinding", None);
        if !namespace.is_empty() {
            bindings.extend(list("RoleBinding", Some(namespace)));
        }
        let mut missing = Vec::new();
        for binding in bindings {
            if !binding.get("subjects").items().iter().any(|subject| self.is(subject)) {
                continue;
            }
            let (kind, name) = (binding.text("roleRef.kind"), binding.text("roleRef.name"));
            let role = kinds::of(kind).and_then(|kind| cluster.one(kind, namespace, name));
            match role {
                Some(role) if role.get("rules").items().iter().any(|rule| wish.fits(rule)) => {
                    return Ok(true);
                }
                Some(_) => {}
                None if kind == "ClusterRole" && name == "cluster-admin" => return Ok(true),
                None => missing.push(format!(
                    "{}.rbac.authorization.k8s.io \"{name}\" not found",
                    kind.to_lowercase()
                )),
            }
        }
        match missing.len() {
            0 => Ok(false),
            1 => Err(missing.remove(0)),
            _ => Err(format!("[{}]", missing.join(", "))),
        }
    }
}

impl Wish<'_> {
    /// Models pkg/registry/rbac/validation RuleAllows (v1.36).
    fn fits(&self, rule: &Tree) -> bool {
        let has = |list: &str, wanted: &str| {
            rule.get(list).items().iter().any(|one| one.str() == "*" || one.str() == wanted)
        };
        if let Some(path) = self.path {
            let fits = |one: &Tree| match one.str().strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => one.str() == path,
            };
            return has("verbs", self.verb) && rule.get("nonResourceURLs").items().iter().any(fits);
        }
        let below = self.resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
        let resource = has("resources", self.resource)
            || below.is_some_and(|below| {
                rule.get("resources").items().iter().any(|one| one.str() == below)
            });
        let names = rule.get("resourceNames").items();
        let named = names.is_empty() || names.iter().any(|one| one.str() == self.name);
        has("verbs", self.verb) && has("apiGroups", self.group) && resource && named
    }
}

pub(super) fn config(cluster: &Cluster, args: &Args) -> Said {
    let namespace = get::namespace(cluster, args);
    match args.word(0) {
        "current-context" => Said::printed("podlab\n"),
        "get-contexts" if args.flag("output") == Some("name") => Said::printed("podlab\n"),
        "get-contexts" => Said::printed(format!(
            "CURRENT   NAME     CLUSTER   AUTHINFO           NAMESPACE\n*         podlab   podlab    \
             kubernetes-admin   {namespace}\n"
        )),
        "get-clusters" => Said::printed("NAME\npodlab\n"),
        "get-users" => Said::printed("NAME\nkubernetes-admin\n"),
        "view" => view(args, &namespace),
        "use-context" => match args.word(1) {
            "podlab" => Said::printed("Switched to context \"podlab\".\n"),
            name => Said::error(&format!("no context exists with the name: \"{name}\"")),
        },
        "set-context" => {
            let name = if args.has("current") { "podlab" } else { args.word(1) };
            match (name, args.flag("namespace")) {
                ("", _) => Said::error("you must specify a non-empty context name or --current"),
                ("podlab", namespace) => {
                    let text = namespace.map(|name| (CONFIG_FILE.to_owned(), name.to_owned()));
                    let written = text.into_iter().collect();
                    let out = "Context \"podlab\" modified.\n".to_owned();
                    Said { out, written, ..Said::default() }
                }
                _ => Said::error("not simulated: other contexts; the lab has one, podlab"),
            }
        }
        verb @ ("set" | "unset" | "set-cluster" | "set-credentials" | "delete-context"
        | "rename-context" | "delete-cluster" | "delete-user") => {
            Said::error(&format!("not simulated: kubectl config {verb}"))
        }
        _ => Said::unknown_below("config", &args.words),
    }
}

fn view(args: &Args, namespace: &str) -> Said {
    let text = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: DATA+OMITTED\n    \
         server: https://10.96.0.1:443\n  name: podlab\ncontexts:\n- context:\n    cluster: \
         podlab\n    namespace: {namespace}\n    user: kubernetes-admin\n  name: podlab\n\
         current-context: podlab\nkind: Config\nusers:\n- name: kubernetes-admin\n  user:\n    \
         client-certificate-data: DATA+OMITTED\n    client-key-data: DATA+OMITTED\n"
    );
    let tree = crate::kube::tree_of(&text).unwrap_or_default();
    match args.flag("output").map(|format| format.split_once('=').unwrap_or((format, ""))) {
        None | Some(("yaml", _)) => Said::printed(text),
        Some(("json", _)) => {
            let mut out = String::new();
            dump::json(&tree, 4, 0, &mut out);
            Said::printed(out + "\n")
        }
        Some(("jsonpath", path)) => match jsonpath::fill(path, &tree) {
            Ok(out) => Said::printed(out),
            Err(why) => Said::error(&why),
        },
        Some((format, _)) => Said::error(&get::no_printer(format)),
    }
}
