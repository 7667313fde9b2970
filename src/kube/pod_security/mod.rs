//! The Pod Security Standards: what a namespace's labels ask of its pods, and what of a pod breaks
//! it, in the server's words. A function of labels and a pod's spec; nothing here refuses anything.

mod baseline;
mod restricted;
mod visit;

use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;
use std::fmt;

/// From free to strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    Privileged,
    Baseline,
    Restricted,
}

/// A level as of a minor version of Kubernetes 1; None is the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standard {
    pub level: Level,
    pub minor: Option<u32>,
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            None => write!(f, "{level}:latest"),
            Some(minor) => write!(f, "{level}:v1.{minor}"),
        }
    }
}

/// What a namespace asks for. Namespaces without labels ask for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Pods that break it are refused.
    pub enforce: Standard,
    /// Pods that break it are noted in the server's audit log.
    pub audit: Standard,
    /// Whoever makes pods that break it, or their controllers, is warned.
    pub warn: Standard,
}

/// One kind of thing a pod does against a standard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// `allowPrivilegeEscalation != false`.
    pub reason: String,
    /// `container "app" must set securityContext.allowPrivilegeEscalation=false`; may be empty.
    pub detail: String,
    /// Where: paths of fields below the pod, as `spec.containers[0].securityContext`.
    pub paths: Vec<String>,
}

/// Labels that say a policy all start so.
pub const LABEL_PREFIX: &str = "pod-security.kubernetes.io/";

fn parse_level(text: &str) -> Option<Level> {
    match text {
        "privileged" => Some(Level::Privileged),
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

/// The outer None is a text that is no version.
fn parse_version(text: &str) -> Option<Option<u32>> {
    if text == "latest" {
        return Some(None);
    }
    let minor = text.strip_prefix("v1.")?;
    let plain = minor.bytes().all(|b| b.is_ascii_digit());
    let plain = plain && (minor.len() == 1 || !minor.starts_with('0'));
    minor.parse().ok().filter(|_| plain).map(Some)
}

impl Policy {
    // Models k8s.io/pod-security-admission api/helpers.go PolicyToEvaluate (v1.36).
    pub fn of_labels(labels: &BTreeMap<String, String>) -> Policy {
        let label = |name: &str| labels.get(&format!("{LABEL_PREFIX}{name}")).map(String::as_str);
        // What can't be read: the strictest where it would refuse, nothing elsewhere.
        let standard = |mode: &str, unread: Level| Standard {
            level: label(mode).map_or(Level::Privileged, |l| parse_level(l).unwrap_or(unread)),
            minor: label(&format!("{mode}-version")).and_then(parse_version).flatten(),
        };
        let enforce = standard("enforce", Level::Restricted);
        let mut warn = standard("warn", Level::Privileged);
        let known = label("enforce").is_some_and(|l| parse_level(l).is_some());
        if label("warn").is_none() && known && enforce.level > warn.level {
            warn.level = enforce.level;
            if label("warn-version").is_none() {
                warn.minor = enforce.minor;
            }
        }
        Policy { enforce, audit: standard("audit", Level::Privileged), warn }
    }

    pub fn is_free(&self) -> bool {
        let free = |one: &Standard| one.level == Level::Privileged;
        free(&self.enforce) && free(&self.audit) && free(&self.warn)
    }
}

/// Labels of a namespace that say no policy: (label, value, why), in the server's order.
// Models k8s.io/pod-security-admission api/helpers.go PolicyToEvaluate's errors (v1.36).
pub fn label_problems(labels: &BTreeMap<String, String>) -> Vec<(String, String, &'static str)> {
    let mut found = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        for (suffix, why) in [
            ("", "must be one of privileged, baseline, restricted"),
            ("-version", "must be \"latest\" or \"v1.x\""),
        ] {
            let label = format!("{LABEL_PREFIX}{mode}{suffix}");
            let Some(value) = labels.get(&label) else { continue };
            let good = match suffix {
                "" => parse_level(value).is_some(),
                _ => parse_version(value).is_some(),
            };
            if !good {
                found.push((label, value.clone(), why));
            }
        }
    }
    found
}

/// What in a pod breaks a standard, in the server's order.
// Models k8s.io/pod-security-admission policy/registry.go EvaluatePod (v1.36).
pub fn evaluate(
    standard: Standard,
    annotations: &BTreeMap<String, String>,
    spec: &core::PodSpec,
) -> Vec<Violation> {
    let pod = visit::Pod::new(annotations, spec, standard.minor.unwrap_or(u32::MAX));
    let strict = standard.level == Level::Restricted;
    let mut found = Vec::new();
    if standard.level != Level::Privileged {
        found.extend(baseline::CHECKS.iter().filter_map(|check| {
            let replaced = check.replaced_since.is_some_and(|since| strict && pod.minor >= since);
            (!replaced).then(|| (check.look)(&pod)).flatten()
        }));
    }
    if strict {
        found.extend(restricted::CHECKS.iter().filter_map(|look| look(&pod)));
    }
    found
}

/// `privileged (container "a" must not ...), host namespaces (hostPID=true)`.
// Models k8s.io/pod-security-admission policy/checks.go ForbiddenDetail (v1.36).
pub fn words(violations: &[Violation]) -> String {
    let one = |v: &Violation| match v.detail.as_str() {
        "" => v.reason.clone(),
        detail => format!("{} ({detail})", v.reason),
    };
    violations.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `violates PodSecurity "baseline:latest": ...`, and where; None for a pod that may be.
pub fn refusal(
    policy: &Policy,
    annotations: &BTreeMap<String, String>,
    spec: &core::PodSpec,
) -> Option<(String, Vec<String>)> {
    let found = evaluate(policy.enforce, annotations, spec);
    sentence("violates", policy.enforce, &found)
}

/// `would violate PodSecurity "restricted:latest": ...`, and where: what makers of pods and of
/// their controllers are warned of, where the pod itself is not refused.
pub fn warning(
    policy: &Policy,
    annotations: &BTreeMap<String, String>,
    spec: &core::PodSpec,
) -> Option<(String, Vec<String>)> {
    sentence("would violate", policy.warn, &evaluate(policy.warn, annotations, spec))
}

/// As `warning`, for the server's audit log.
pub fn audited(
    policy: &Policy,
    annotations: &BTreeMap<String, String>,
    spec: &core::PodSpec,
) -> Option<(String, Vec<String>)> {
    sentence("would violate", policy.audit, &evaluate(policy.audit, annotations, spec))
}

// Models k8s.io/pod-security-admission admission/admission.go EvaluatePod (v1.36).
fn sentence(
    verb: &str,
    standard: Standard,
    violations: &[Violation],
) -> Option<(String, Vec<String>)> {
    let paths = violations.iter().flat_map(|v| v.paths.clone()).collect();
    let text = format!("{verb} PodSecurity \"{standard}\": {}", words(violations));
    (!violations.is_empty()).then_some((text, paths))
}

#[cfg(test)]
mod tests;
