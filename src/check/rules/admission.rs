//! What admission plugins refuse before a Pod is looked at field by field.
//! Models plugin/pkg/admission/priority and plugin/pkg/admission/runtimeclass (v1.36).

use crate::check::cursor::At;
use crate::check::report::Report;
use crate::check::show;
use crate::diagnostic::{Diagnostic, Severity, Stage};

/// Priority classes each cluster has, and their priorities.
const CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Refuses a Pod whose priority is not its class's.
pub(in crate::check) fn admit_pod(root: &At, r: &mut Report) {
    let spec = root.get("spec");
    let class = spec.get("priorityClassName");
    let mut computed = 0;
    if !class.str().is_empty() {
        let Some((_, worth)) = CLASSES.iter().find(|(name, _)| *name == class.str()) else {
            let text = format!("no PriorityClass with name {} was found", class.str());
            refuse(root, &class, &text, r);
            return;
        };
        computed = *worth;
    }
    let priority = spec.get("priority");
    if let Some(given) = priority.int().filter(|given| *given != computed) {
        let text = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority \
             admission controller computed {computed} from the given PriorityClass name"
        );
        refuse(root, &priority, &text, r);
    }
    let policy = spec.get("preemptionPolicy");
    if policy.here() && policy.str() != "PreemptLowerPriority" {
        let text = format!(
            "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority \
             admission controller computed PreemptLowerPriority from the given PriorityClass name",
            policy.str()
        );
        refuse(root, &policy, &text, r);
    }
    let runtime = spec.get("runtimeClassName");
    if !runtime.str().is_empty() && crate::kube::names::subdomain(runtime.str()).is_empty() {
        let name = show::quote(runtime.str());
        refuse(root, &runtime, &format!("pod rejected: RuntimeClass {name} not found"), r);
    }
}

fn refuse(root: &At, at: &At, why: &str, r: &mut Report) {
    let name = show::quote(root.get("metadata").str_of("name"));
    let text = format!("pods {name} is forbidden: {why}");
    let one = Diagnostic::new(Severity::Error, Stage::Admission, "not-admitted", at.span, text);
    r.push(one.at_field(at.path.clone()));
}
