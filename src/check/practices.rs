//! Best practice: the fourth level, off unless asked for. What runs well in a lab and badly in
//! production, as a table (`practices.txt`): code, what it is about, field, when it speaks, what
//! it says, and why in a sentence.

use super::cursor::At;
use super::hazards::{Pod, containers};
use super::report::Report;
use crate::diagnostic::{Severity, Stage};
use crate::part::part;

const ROWS: &str = include_str!("practices.txt");

/// The table's rows: code, owner, field, when, what, why.
pub(super) fn table() -> impl Iterator<Item = [&'static str; 6]> {
    ROWS.lines().filter_map(|line| {
        let mut cells = line.split('|');
        let mut next = || cells.next();
        Some([next()?, next()?, next()?, next()?, next()?, next()?])
    })
}

type Look = fn(&[At], &[Pod], &mut Report);

part! { LOOK: Look = &(look as Look), in Rules; }

/// Looks at all objects of a manifest.
pub(super) fn of(objects: &[At], pods: &[Pod], r: &mut Report) {
    if let Some(look) = loaded() {
        look(objects, pods, r);
    }
}

fn look(objects: &[At], pods: &[Pod], r: &mut Report) {
    for pod in pods {
        let security = pod.spec.get("securityContext");
        for (list, staying) in [("initContainers", false), ("containers", true)] {
            for one in pod.spec.get(list).items() {
                let stays = (staying || one.str_of("restartPolicy") == "Always")
                    && !matches!(pod.kind, "Job" | "CronJob");
                let name = one.get("name");
                rows("container", &one, &name, Some(&security), r);
                if stays {
                    rows("staying", &one, &name, None, r);
                }
            }
        }
        rows("pod", &pod.spec, &pod.spec, None, r);
        for volume in pod.spec.get("volumes").items() {
            for kind in ["emptyDir", "hostPath"] {
                if volume.get(kind).here() {
                    rows(kind, &volume.get(kind), &volume.get("name"), None, r);
                }
            }
        }
        containers(&pod.spec).iter().for_each(|one| container(one, r));
    }
    for object in objects {
        let name = object.get("metadata.name");
        rows(object.str_of("kind"), object, &name, None, r);
    }
}

/// All rows of an owner; `shown` is underlined where the field is absent.
fn rows(owner: &str, at: &At, shown: &At, security: Option<&At>, r: &mut Report) {
    let whole = at.path.is_empty();
    for [code, of, path, when, what, why] in table() {
        if (of == "*" && whole || of.split(' ').any(|kind| kind == owner))
            && speaks(at, path, when, security)
        {
            let field = at.get(path);
            speak(code, if field.here() { &field } else { shown }, what, why, r);
        }
    }
}

fn speaks(at: &At, path: &str, when: &str, security: Option<&At>) -> bool {
    let field = at.get(path);
    let (when, word) = when.split_once(' ').unwrap_or((when, ""));
    match when {
        "absent" => !field.here() || field.node.is_some_and(|n| super::show::json(n).len() == 2),
        "set" => field.here(),
        "true" => field.bool(),
        "not-true" => !field.bool(),
        "not-false" => field.node.is_none_or(|n| n.as_bool() != Some(false)),
        "default" => ["", "default"].contains(&field.str()),
        "lacks" => !field.items().iter().any(|item| item.str() == word),
        "unsafe" => {
            let own = at.get("securityContext").get(path);
            !own.here() && security.is_none_or(|pod| !pod.get(path).here())
        }
        _ => is(&field, word),
    }
}

/// Absent fields have the value the server fills in.
fn is(field: &At, word: &str) -> bool {
    match field.int() {
        Some(number) => number.to_string() == word,
        None if !field.here() => ["1", "File", "Allow", "default"].contains(&word),
        None => field.str() == word,
    }
}

fn speak(code: &'static str, at: &At, what: &str, why: &str, r: &mut Report) {
    let one = r.hazard(code, at, what.to_owned());
    one.severity = Severity::Practice;
    one.stage = Stage::Beyond;
    one.help = Some(why.to_owned());
}

/// Tags that move, passwords in the open, probes that ask the same.
fn container(container: &At, r: &mut Report) {
    let image = container.get("image");
    let name = image.str().rsplit('/').next().unwrap_or("");
    let open = !name.contains(':') || name.ends_with(":latest");
    if !name.is_empty() && !name.contains('@') && open {
        let why = "Tomorrow the same name may be another program: name a version, or a digest.";
        speak("latest-tag", &image, "the image's version is left open", why, r);
    }
    for one in container.get("env").items() {
        let name = one.str_of("name").to_ascii_uppercase();
        let secret = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY"];
        if secret.iter().any(|word| name.contains(word)) && !one.str_of("value").is_empty() {
            let why = "Who may read the workload reads it too: keep it in a Secret.";
            speak("secret-in-env", &one.get("value"), "a secret in plain sight", why, r);
        }
    }
    let (live, ready) = (container.get("livenessProbe"), container.get("readinessProbe"));
    let asks = |at: &At<'_>| {
        ["httpGet", "tcpSocket", "exec", "grpc"].map(|key| at.get(key).node.map(super::show::json))
    };
    if live.here() && ready.here() && asks(&live) == asks(&ready) {
        let why = "Where both ask the same, a pod that is merely busy is killed, not spared.";
        speak("same-probes", &live, "liveness and readiness ask the same", why, r);
    }
}
