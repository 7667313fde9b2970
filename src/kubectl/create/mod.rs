//! `kubectl create`, `run` and `expose`: objects made from flags, printed for `--dry-run=client
//! -o yaml` as kubectl prints them, or handed on as JSON. What each kind is made of is not here.
//!
//! Models k8s.io/kubectl/pkg/cmd/create, run and expose (v1.36).

mod expose;
mod pod;
mod rules;
mod simple;
mod sources;
mod work;

pub(super) use expose::{EXPOSE, autoscale, expose};
pub(super) use pod::{RUN, attaches, json_line, pod};

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, dump, get, kinds};
use crate::kube::tree::Tree;

/// Flags of all of them; each takes some.
pub(super) const FLAGS: &str = "f:filename image: r:replicas port: from-literal: from-file: \
     from-env-file: append-hash! schedule: restart: from: tcp: node-port: external-name: \
     clusterip: verb: resource: resource-name: role: clusterrole: user: group: serviceaccount: \
     hard: scopes: selector: min-available: max-unavailable: rule: class: annotation: \
     default-backend: value: description: global-default! preemption-policy: docker-username: \
     docker-password: docker-server: docker-email: cert: key: type: aggregation-rule: \
     non-resource-url: duration: dry-run: o:output validate: save-config! k:kustomize \
     field-manager: template: R!recursive edit! show-managed-fields! windows-line-endings! raw: \
     audience:";

const EVERYWHERE: &str = "dry-run output validate save-config field-manager template namespace \
     show-managed-fields context context-namespace kubeconfig request-timeout v help";

/// The token that pods of the account find, too: beyond its head it says that it is none.
/// Models k8s.io/kubectl/pkg/cmd/create/create_token.go (v1.36).
fn token(cluster: &Cluster, args: &Args) -> Said {
    let [_, name] = &args.words[..] else {
        let n = args.words.len().saturating_sub(1);
        return Said::error(&format!(
            "exactly one NAME is required, got {n}\nSee 'kubectl create token -h' for help and \
             examples"
        ));
    };
    let namespace = get::namespace(cluster, args);
    let kind = kinds::of("ServiceAccount");
    let known = kind.is_some_and(|kind| cluster.one(kind, &namespace, name).is_some());
    if !known && name != "default" {
        let why = format!("failed to create token: serviceaccounts \"{name}\" not found");
        return Said::error(&why);
    }
    Said::printed(format!("{}\n", crate::sim::TOKEN))
}

/// A subcommand: its names, its own flags, what it makes.
struct Maker {
    names: &'static str,
    flags: &'static str,
    needs: &'static str,
    make: fn(&Cluster, &str, &Args) -> Result<Tree, String>,
}

const MAKERS: &[Maker] = &[
    Maker {
        names: "deployment deploy",
        flags: "image replicas port",
        needs: "image",
        make: |_, name, args| work::deployment(name, args),
    },
    Maker { names: "job", flags: "image from", needs: "", make: work::job },
    Maker {
        names: "cronjob cj",
        flags: "image schedule restart",
        needs: "image schedule",
        make: |_, name, args| work::cron_job(name, args),
    },
    Maker {
        names: "configmap cm",
        flags: "from-literal from-file from-env-file append-hash",
        needs: "",
        make: simple::config_map,
    },
    Maker {
        names: "secret generic",
        flags: "from-literal from-file from-env-file append-hash type",
        needs: "",
        make: simple::secret,
    },
    Maker {
        names: "secret docker-registry",
        flags: "from-file docker-username docker-password docker-server docker-email append-hash",
        needs: "",
        make: |_, name, args| simple::registry_secret(name, args),
    },
    Maker {
        names: "secret tls",
        flags: "cert key append-hash",
        needs: "",
        make: |cluster, _, args| {
            let file = args.flag("cert").unwrap_or("");
            match cluster.desk.read(file) {
                Some(_) => simple::no_file(Some(file)),
                None => {
                    Err(format!("Cannot read file {file}, open {file}: no such file or directory"))
                }
            }
        },
    },
    Maker {
        names: "service clusterip",
        flags: "tcp clusterip",
        needs: "",
        make: |_, name, args| simple::service(name, args, "ClusterIP"),
    },
    Maker {
        names: "service nodeport",
        flags: "tcp node-port",
        needs: "",
        make: |_, name, args| simple::service(name, args, "NodePort"),
    },
    Maker {
        names: "service loadbalancer",
        flags: "tcp",
        needs: "",
        make: |_, name, args| simple::service(name, args, "LoadBalancer"),
    },
    Maker {
        names: "service externalname",
        flags: "tcp external-name",
        needs: "external-name",
        make: |_, name, args| simple::service(name, args, "ExternalName"),
    },
    Maker {
        names: "namespace ns",
        flags: "",
        needs: "",
        make: |_, name, _| Ok(simple::namespace(name)),
    },
    Maker {
        names: "serviceaccount sa",
        flags: "",
        needs: "",
        make: |_, name, _| Ok(object("v1", "ServiceAccount", name)),
    },
    Maker {
        names: "role",
        flags: "verb resource resource-name",
        needs: "",
        make: |_, name, args| rules::role("Role", name, args),
    },
    Maker {
        names: "clusterrole",
        flags: "verb resource resource-name aggregation-rule non-resource-url",
        needs: "",
        make: |_, name, args| rules::role("ClusterRole", name, args),
    },
    Maker {
        names: "rolebinding",
        flags: "role clusterrole user group serviceaccount",
        needs: "",
        make: |_, name, args| rules::binding("RoleBinding", name, args),
    },
    Maker {
        names: "clusterrolebinding",
        flags: "clusterrole user group serviceaccount",
        needs: "",
        make: |_, name, args| rules::binding("ClusterRoleBinding", name, args),
    },
    Maker {
        names: "quota resourcequota",
        flags: "hard scopes",
        needs: "",
        make: |_, name, args| rules::quota(name, args),
    },
    Maker {
        names: "poddisruptionbudget pdb",
        flags: "selector min-available max-unavailable",
        needs: "",
        make: |_, name, args| rules::budget(name, args),
    },
    Maker {
        names: "priorityclass pc",
        flags: "value description global-default preemption-policy",
        needs: "",
        make: |_, name, args| rules::priority(name, args),
    },
    Maker {
        names: "ingress ing",
        flags: "rule class annotation default-backend",
        needs: "",
        make: |_, name, args| rules::ingress(name, args),
    },
];

/// Subcommands that have subcommands.
const GROUPS: [(&str, &[&str]); 2] = [("secret", &["secret"]), ("service", &["service", "svc"])];

pub(super) fn text(words: &str) -> Tree {
    Tree::from(words)
}

/// `key: value` pairs of `k=v,k=v`.
pub(super) fn map_of(pairs: &str) -> Tree {
    let mut map = Tree::map();
    for (key, value) in pairs.split(',').filter_map(|pair| pair.split_once('=')) {
        map.put(key.to_owned(), text(value));
    }
    map
}

/// A list, or nothing where it is empty.
pub(super) fn list(items: Vec<Tree>) -> Tree {
    if items.is_empty() { Tree::Null } else { Tree::List(items) }
}

pub(super) fn texts<'t>(all: impl IntoIterator<Item = &'t str>) -> Tree {
    list(all.into_iter().map(text).collect())
}

/// An object with nothing but a name.
pub(super) fn object(api_version: &str, kind: &str, name: &str) -> Tree {
    let metadata = Tree::of(vec![("name", text(name))]);
    Tree::of(vec![("apiVersion", text(api_version)), ("kind", text(kind)), ("metadata", metadata)])
}

pub(super) fn put_labels(object: &mut Tree, labels: Tree) {
    if let Some(metadata) = object.get_mut("metadata")
        && !labels.entries().is_empty()
    {
        metadata.put("labels", labels);
    }
}

fn usage(why: &str, of: &str) -> Said {
    Said::failed(&format!("error: {why}\nSee 'kubectl {of} -h' for help and examples"))
}

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    let (first, second) = (args.word(0), args.word(1));
    if first.is_empty() {
        return match args.flag("filename") {
            Some(file) => super::files::each(cluster, args, file, "create"),
            None => Said::error("must specify one of -f and -k"),
        };
    }
    let group = GROUPS.iter().find(|(_, names)| names.contains(&first));
    let (maker, n_words) = match group {
        Some((group, _)) => (MAKERS.iter().find(|m| m.names == format!("{group} {second}")), 2),
        None => (MAKERS.iter().find(|m| m.names.split(' ').any(|name| name == first)), 1),
    };
    let Some(maker) = maker else {
        if let (Some((group, _)), false) = (group, second.is_empty()) {
            return usage(&format!("unknown command \"{second} {}\"", args.word(2)), group);
        }
        return match (group, first) {
            (Some((group, _)), _) => Said::printed(format!("Create a {group}.\n")),
            (None, "token") => token(cluster, args),
            _ => usage(&format!("Unexpected args: [{}]", args.words.join(" ")), "create"),
        };
    };
    let of = match group {
        Some(_) => maker.names,
        None => maker.names.split(' ').next().unwrap_or(""),
    };
    if let Some(flag) = args.outside(&[maker.flags, EVERYWHERE]) {
        let why = format!("error: unknown flag: --{flag}");
        return Said::failed(&format!("{why}\nSee 'kubectl create {of} --help' for usage."));
    }
    let missing: Vec<String> = maker
        .needs
        .split(' ')
        .filter(|need| !need.is_empty() && args.flag(need).is_none())
        .map(|need| format!("\"{need}\""))
        .collect();
    if !missing.is_empty() {
        return Said::error(&format!("required flag(s) {} not set", missing.join(", ")));
    }
    // A job's command may follow without dashes; of all others there is one name.
    let n = args.words.len() - n_words;
    if n != 1 && !(of == "job" && n > 1) {
        return usage(&format!("exactly one NAME is required, got {n}"), &format!("create {of}"));
    }
    let told = if of.ends_with("role") { rules::odd_verbs(args) } else { String::new() };
    let mut said = match (maker.make)(cluster, args.word(n_words), args) {
        Ok(made) => finish(cluster, args, vec![made], "created"),
        Err(why) if why.starts_with("the server") => Said::failed(&why),
        Err(why) => Said::error(&why),
    };
    said.err.insert_str(0, &told);
    said
}

/// Prints or makes objects, where there are none of their names yet.
pub(super) fn finish(cluster: &Cluster, args: &Args, made: Vec<Tree>, done: &str) -> Said {
    let dry = args.flag("dry-run").filter(|how| *how != "none");
    if let Some(wrong) = dry.filter(|how| !["client", "server", "true"].contains(how)) {
        return Said::error(&format!(
            "Invalid dry-run value ({wrong}). Must be \"none\", \"server\", or \"client\"."
        ));
    }
    let mut said = Said::default();
    for one in made {
        let more = finish_one(cluster, args, one, done, dry);
        said.out.push_str(&more.out);
        said.err.push_str(&more.err);
        said.actions.extend(more.actions);
        said.exit = said.exit.max(more.exit);
        if more.exit != 0 {
            break;
        }
    }
    said
}

/// What a command says whose object is there already.
fn there_already(kind: &kinds::Kind, made: &Tree, done: &str) -> Said {
    let name = made.text("metadata.name");
    let why = format!("{} \"{name}\" already exists", kind.full());
    let what = match kind.name {
        "Secret" => "secret ".to_owned(),
        "Service" => format!("{} service: ", made.text("spec.type")),
        "ResourceQuota" => "quota: ".to_owned(),
        "PodDisruptionBudget" => "poddisruptionbudgets: ".to_owned(),
        name => format!("{}: ", name.to_lowercase()),
    };
    // A few of them hand on what the server said as it is.
    let plain = ["Pod", "Namespace", "Role", "ClusterRole"].contains(&kind.name);
    match done {
        "created" if !plain => Said::error(&format!("failed to create {what}{why}")),
        _ => Said::failed(&format!("Error from server (AlreadyExists): {why}")),
    }
}

/// The server's refusal in the frame of a `create` command.
fn refused(kind: &kinds::Kind, why: &str, done: &str) -> Said {
    let invalid = why.strip_prefix(&format!("The {} ", kind.name));
    let plain = ["Pod", "Namespace"].contains(&kind.name) || done != "created";
    let Some(invalid) = invalid.filter(|_| !plain) else { return Said::failed(why) };
    let invalid = match invalid.split_once(": \n* ") {
        Some((head, causes)) => format!("{head}: [{}]", causes.replace("\n* ", ", ")),
        None => invalid.to_owned(),
    };
    let lower = kind.name.to_lowercase();
    Said::error(&format!("failed to create {lower}: {} {invalid}", kind.gk()))
}

fn finish_one(
    cluster: &Cluster,
    args: &Args,
    mut made: Tree,
    done: &str,
    dry: Option<&str>,
) -> Said {
    let Some(kind) = kinds::of(made.text("kind")) else {
        return Said::error("not simulated: this kind of object");
    };
    let name = made.text("metadata.name").to_owned();
    let namespace = get::namespace(cluster, args);
    let enforced = args.flag("namespace").is_some() || dry != Some("client");
    if let Some(metadata) = made.get_mut("metadata").filter(|_| enforced && kind.namespaced) {
        metadata.put("namespace", Tree::from(namespace.as_str()));
    }
    if cluster.one(kind, &namespace, &name).is_some() && dry != Some("client") {
        return there_already(kind, &made, done);
    }
    if dry != Some("client")
        && let Some(why) = cluster.refusal(&made, None)
    {
        return refused(kind, &why, done);
    }
    let mut said = Said::default();
    if dry.is_none() {
        said.actions.push(format!("create {}", json_line(&made)));
    }
    said.out = match args.flag("output") {
        None => {
            let note = match dry {
                None => "",
                Some("server") => " (server dry run)",
                Some(_) => " (dry run)",
            };
            format!("{}/{name} {done}{note}\n", kind.prefix())
        }
        Some("yaml") => dump::yaml(&made),
        Some("json") => {
            let mut out = String::new();
            dump::json(&made, 4, 0, &mut out);
            out + "\n"
        }
        Some("name") => format!("{}/{name}\n", kind.prefix()),
        Some(format) => {
            return Said::error(&get::no_printer(format));
        }
    };
    said
}
