//! What the admission plugins of a plain cluster refuse.
//! Models plugin/pkg/admission/serviceaccount, plugin/pkg/admission/priority and
//! plugin/pkg/admission/runtimeclass (v1.36).

use crate::check::cursor::At;
use crate::check::known::Known;
use crate::check::report::Report;
use crate::check::show;
use crate::diagnostic::{Diagnostic, POD_REFUSED, Severity, Stage};
use crate::kube::names;

/// Priority classes each cluster has, and their priorities.
const CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// What is refused before a Pod's fields are looked at.
pub(in crate::check) fn admit_pod(root: &At, known: &Known, r: &mut Report) {
    if known.is_trusting() {
        return;
    }
    account(root, known, r);
    priority(root, known, r);
    let runtime = root.get("spec.runtimeClassName");
    let named = !runtime.str().is_empty() && names::subdomain(runtime.str()).is_empty();
    if named && known.find("RuntimeClass", runtime.str()).is_none() {
        let name = show::quote(runtime.str());
        let later = known.comes_later("RuntimeClass", runtime.str());
        refuse(root, &runtime, &format!("pod rejected: RuntimeClass {name} not found"), later, r);
    }
}

/// What is refused of a Pod that is valid.
pub(in crate::check) fn admit_valid_pod(root: &At, known: &Known, r: &mut Report) {
    if known.is_trusting() {
        return;
    }
    let spec = root.get("spec");
    let class = known.find("RuntimeClass", spec.str_of("runtimeClassName"));
    let own = class.is_some_and(|class| class.get("overhead.podFixed").len() > 0);
    let overhead = spec.get("overhead");
    if overhead.len() > 0 && !own {
        let text = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined \
                    Overhead";
        refuse(root, &overhead, text, None, r);
    }
}

/// Models plugin/pkg/admission/serviceaccount Admit (v1.36).
fn account(root: &At, known: &Known, r: &mut Report) {
    let spec = root.get("spec");
    let mut at = spec.get("serviceAccountName");
    if at.str().is_empty() {
        at = spec.get("serviceAccount");
    }
    let (name, namespace) = (at.str(), root.str_of("metadata.namespace"));
    if name.is_empty() || known.has_account(namespace, name) {
        return;
    }
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    let start = format!("error looking up service account {namespace}/{name}");
    let objections = names::path_segment(name);
    let text = match objections.is_empty() {
        true => format!("{start}: serviceaccount {} not found", show::quote(name)),
        false => {
            let name = show::quote(name);
            format!("{start}: invalid resource name {name}: [{}]", objections.join(" "))
        }
    };
    let help = known.comes_later("ServiceAccount", name).unwrap_or_else(|| {
        format!("Create the ServiceAccount `{name}` first; each namespace has `default` only.")
    });
    refuse(root, &at, &text, Some(help), r);
    if let Some(one) = r.found.last_mut() {
        one.code = POD_REFUSED.into();
    }
}

/// A Pod's priority is its class's.
fn priority(root: &At, known: &Known, r: &mut Report) {
    let spec = root.get("spec");
    let class = spec.get("priorityClassName");
    let mut computed = 0;
    let mut policy_of_class = "PreemptLowerPriority";
    let system = CLASSES.iter().find(|(name, _)| *name == class.str());
    let written = match class.str() {
        "" => known.of_kind("PriorityClass").find(|at| at.get("globalDefault").bool()),
        name => known.find("PriorityClass", name),
    };
    if let Some(found) = &written {
        computed = found.get("value").int().unwrap_or(0);
        if found.str_of("preemptionPolicy") == "Never" {
            policy_of_class = "Never";
        }
    } else if let Some((_, worth)) = system {
        computed = *worth;
    } else if !class.str().is_empty() {
        let text = format!("no PriorityClass with name {} was found", class.str());
        return refuse(root, &class, &text, known.comes_later("PriorityClass", class.str()), r);
    }
    let priority = spec.get("priority");
    if let Some(given) = priority.int().filter(|given| *given != computed) {
        let text = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority \
             admission controller computed {computed} from the given PriorityClass name"
        );
        refuse(root, &priority, &text, None, r);
    }
    let policy = spec.get("preemptionPolicy");
    if policy.here() && policy.str() != policy_of_class {
        let text = format!(
            "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority \
             admission controller computed {policy_of_class} from the given PriorityClass name",
            policy.str()
        );
        refuse(root, &policy, &text, None, r);
    }
}

fn refuse(root: &At, at: &At, why: &str, help: Option<String>, r: &mut Report) {
    let name = show::quote(root.get("metadata").str_of("name"));
    let text = format!("pods {name} is forbidden: {why}");
    let mut one = Diagnostic::new(Severity::Error, Stage::Admission, "not-admitted", at.span, text);
    one.help = help;
    r.push(one.at_field(at.path.clone()));
}
