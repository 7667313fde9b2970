//! Hazards of one pod's containers: what they run, what they mount, who they run as.

use super::{Pod, containers, never_ends};
use crate::check::cursor::At;
use crate::check::fix;
use crate::check::report::Report;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn of(pod: &Pod, r: &mut Report) {
    let staying = pod.spec.get("containers").items();
    for one in pod.spec.get("initContainers").items() {
        let sidecar = one.str_of("restartPolicy") == "Always";
        if !sidecar && never_ends(&one) {
            endless_init(&one, r);
        }
    }
    for one in &staying {
        lost_sidecar(one, r);
    }
    for one in containers(&pod.spec) {
        hidden_files(&one, r);
        unset_variables(&one, r);
        missing_shell(&one, r);
        root(&one, &pod.spec.get("securityContext"), r);
        read_only(&one, r);
    }
    lonely_volumes(pod, r);
}

/// The containers behind an init container that never ends never start.
fn endless_init(one: &At, r: &mut Report) {
    let name = one.get("name");
    let text = format!("`{}` never ends, so the containers after it never start", name.str());
    let title = "Make it a sidecar";
    let repair = fix::add_field(r.text, one, "restartPolicy", "Always", title);
    let found = r.hazard("endless-init", &name, text);
    found.help = Some(
        "With `restartPolicy: Always` the kubelet takes it for a sidecar and goes on as soon as it \
         has started."
            .to_owned(),
    );
    found.fixes.extend(repair);
}

/// `restartPolicy: Always` makes a sidecar of init containers only.
fn lost_sidecar(one: &At, r: &mut Report) {
    let policy = one.get("restartPolicy");
    if policy.str() == "Always" {
        let text = "this makes no sidecar of a container in `containers`".to_owned();
        r.hazard("sidecar-in-containers", &policy, text).help = Some(
            "Move it to `initContainers`: there it starts first and is stopped last.".to_owned(),
        );
    }
}

/// Directories every image keeps its programs and libraries in.
const OF_IMAGE: [&str; 8] = ["/", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/usr/bin", "/etc"];

fn hidden_files(one: &At, r: &mut Report) {
    for mount in one.get("volumeMounts").items() {
        let path = mount.get("mountPath");
        let bare = path.str().trim_end_matches('/');
        let bare = if bare.is_empty() && !path.str().is_empty() { "/" } else { bare };
        if OF_IMAGE.contains(&bare) && mount.str_of("subPath").is_empty() {
            let text = format!("hides what the image has in `{bare}`");
            r.hazard("hidden-files", &path, text).help = Some(
                "A volume takes the place of the whole directory: mount it beside, or one file \
                 with `subPath`."
                    .to_owned(),
            );
        }
    }
}

/// `$(NAME)` of a variable that is not set stays as it is written.
fn unset_variables(one: &At, r: &mut Report) {
    if one.get("envFrom").len() > 0 {
        return;
    }
    let env = one.get("env").items();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for variable in &env {
        unset(&variable.get("value"), &known, r);
        known.insert(variable.str_of("name"));
    }
    for list in ["command", "args"] {
        let words = one.get(list).items();
        // A shell's own `$(program)` looks the same.
        let script = |at: &At<'_>| at.str().contains([' ', '\n', ';']);
        words.iter().filter(|at| !script(at)).for_each(|at| unset(at, &known, r));
    }
}

fn unset(at: &At, known: &BTreeSet<&str>, r: &mut Report) {
    for (i, _) in at.str().match_indices("$(").take(20) {
        let Some((name, _)) = at.str()[i + 2..].split_once(')') else { continue };
        let plain =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let escaped = at.str()[..i].ends_with('$');
        // Set for each Service: WEB_SERVICE_HOST, WEB_PORT, WEB_PORT_80_TCP_ADDR and their like.
        let service = name.contains("_SERVICE_") || name.contains("_PORT");
        if plain && !escaped && !service && !known.contains(name) {
            let text = format!("no variable `{name}` is set before this, so `$({name})` stays");
            let all: Vec<&str> = known.iter().copied().collect();
            let repair = fix::nearest(name, &all)
                .map(|near| at.str().replace(&format!("$({name})"), &format!("$({near})")));
            let span = at.span;
            let found = r.hazard("unset-variable", at, text);
            let title = "Use the variable that is set";
            found.fixes.extend(repair.map(|text| fix::replace(span, &fix::scalar(&text), title)));
        }
    }
}

/// Name and tag of an image of Docker's official ones; a namesake elsewhere is another program.
fn official(image: &str) -> (&str, &str) {
    let bare = ["docker.io/library/", "library/"].iter().find_map(|at| image.strip_prefix(at));
    let bare = bare.unwrap_or(image);
    let bare = bare.split_once('@').map_or(bare, |(name, _)| name);
    if bare.contains('/') { ("", "") } else { bare.split_once(':').unwrap_or((bare, "")) }
}

/// Those whose Alpine variant is Alpine's base and one program.
const PLAIN: [&str; 9] =
    ["nginx", "redis", "node", "python", "httpd", "haproxy", "memcached", "golang", "php"];

/// Small images bring `sh`, not `bash`.
fn missing_shell(one: &At, r: &mut Report) {
    let image = one.str_of("image");
    let (name, tag) = official(image);
    let small =
        ["busybox", "alpine"].contains(&name) || tag.contains("alpine") && PLAIN.contains(&name);
    let word = one.get("command").items().into_iter().next();
    let Some(word) = word.filter(|w| small && ["bash", "/bin/bash"].contains(&w.str())) else {
        return;
    };
    let text = format!("`{image}` has no bash");
    let (span, text_of) = (word.span, r.text);
    let found = r.hazard("missing-program", &word, text);
    found.help = Some("It has `sh`, which most scripts are content with.".to_owned());
    if !text_of.is_empty() {
        found.fixes.push(fix::replace(span, "sh", "Use `sh`"));
    }
}

/// The kubelet refuses to start an image whose user is root if it is told to.
fn root(one: &At, pod: &At, r: &mut Report) {
    let own = one.get("securityContext");
    let of = |key: &str| if own.get(key).here() { own.get(key) } else { pod.get(key) };
    let (must, user) = (of("runAsNonRoot"), of("runAsUser"));
    if !must.bool() {
        return;
    }
    let (image, _) = official(one.str_of("image"));
    let known = ["busybox", "alpine", "nginx", "ubuntu", "debian", "httpd", "python", "node"];
    let text = match user.int() {
        Some(0) => "`runAsUser: 0` is root, which `runAsNonRoot` forbids".to_owned(),
        None if known.contains(&image) => {
            format!("`{image}` runs as root, which `runAsNonRoot` forbids")
        }
        _ => return,
    };
    let at = if own.get("runAsNonRoot").here() { must } else { one.get("image") };
    r.hazard("root-image", &at, text).help = Some(
        "The container stays in CreateContainerConfigError: name a `runAsUser` that is not 0."
            .to_owned(),
    );
}

/// What a script writes where nothing can be written.
fn read_only(one: &At, r: &mut Report) {
    if !one.get("securityContext.readOnlyRootFilesystem").bool() {
        return;
    }
    let mounts = one.get("volumeMounts").items();
    for list in ["command", "args"] {
        for word in one.get(list).items() {
            let Some(path) = written(word.str()).find(|path| {
                let below = |m: &At<'_>| path.starts_with(m.str_of("mountPath"));
                !path.starts_with("/dev/")
                    && !path.starts_with("/proc/")
                    && !mounts.iter().any(below)
            }) else {
                continue;
            };
            let text = format!("writes to `{path}`, but the root file system is read-only");
            r.hazard("read-only-root", &word, text).help =
                Some("Mount an `emptyDir` where it writes.".to_owned());
            return;
        }
    }
}

/// Absolute paths a script redirects into.
fn written(script: &str) -> impl Iterator<Item = &str> {
    script
        .split('>')
        .skip(1)
        .map(|rest| {
            let rest = rest.trim_start();
            let n = rest.find(|c: char| c.is_whitespace() || ";&|)\"'".contains(c));
            &rest[..n.unwrap_or(rest.len())]
        })
        // `<b>/tmp</b>` is text.
        .filter(|path| path.starts_with('/') && path.len() > 1 && !path.contains('<'))
}

/// A volume of the pod that all who mount it only read stays empty.
fn lonely_volumes(pod: &Pod, r: &mut Report) {
    let all = containers(&pod.spec);
    let mut by_name: BTreeMap<&str, Vec<At>> = BTreeMap::new();
    for mount in all.iter().flat_map(|c| c.get("volumeMounts").items()) {
        by_name.entry(mount.str_of("name")).or_default().push(mount);
    }
    for volume in pod.spec.get("volumes").items() {
        let name = volume.get("name");
        let others = ["configMap", "secret", "persistentVolumeClaim", "projected", "downwardAPI"];
        let filled = others.iter().any(|kind| volume.get(kind).here());
        if filled || !volume.get("emptyDir").here() || name.str().is_empty() {
            continue;
        }
        let mounts = by_name.get(name.str()).map_or(&[][..], Vec::as_slice);
        if !mounts.is_empty() && mounts.iter().all(|m| m.get("readOnly").bool()) {
            let text = format!("nobody can write to the volume `{}`", name.str());
            let found = r.hazard("unwritten-volume", &name, text);
            found.help = Some("Every mount of it says `readOnly: true`, so it stays empty.".into());
            let places = mounts.iter().map(|m| (m.get("readOnly").span, "read-only here".into()));
            found.related.extend(places);
        }
    }
}
