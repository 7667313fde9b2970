//! The lesson's goals as a POSIX shell script for a real cluster. What cannot be seen there is
//! said to be skipped, never passed.

use super::bundle::{Bundle, text_of};
use super::needs::pod_spec;
use crate::kube::{Desired, Kind};
use crate::lesson::ClusterCheck;

/// A whole script: applies the manifest, follows the logs, does what the lesson does, checks.
pub fn cluster_script(about: &Bundle, desired: &Desired) -> String {
    let mut out = HEAD.replace("TITLE", &about.title.replace('\n', " "));
    out.push_str("k apply -f \"$here/manifest.yaml\"\n");
    out.push_str("k get pods --watch --no-headers > \"$dir/rows\" 2> /dev/null &\nwatchers=$!\n");
    for (pod, container) in containers(desired) {
        out.push_str(&format!("follow {} {}\n", quote(pod), quote(container)));
    }
    let mut now = 0;
    for (at, action) in about.actions {
        wait_until(&mut out, &mut now, at.as_secs());
        out.push_str(&format!("k {} --wait=false\n", safe_action(action)));
    }
    wait_until(&mut out, &mut now, about.run_secs);
    for task in about.tasks {
        let Some(goal) = &task.goal else { continue };
        out.push_str(&format!("\ntask {}\n", quote(&text_of(&task.text))));
        for (line, check) in goal.on_a_cluster() {
            out.push_str(&call(&check, &line, desired));
        }
    }
    out.push_str("\nexit \"$failed\"\n");
    out
}

fn wait_until(out: &mut String, now: &mut u64, secs: u64) {
    if secs > *now {
        out.push_str(&format!("sleep {}\n", secs - *now));
        *now = secs;
    }
}

/// Actions are ours, not the learner's, but a script is no place for surprises.
fn safe_action(action: &str) -> String {
    action.split_whitespace().map(quote).collect::<Vec<_>>().join(" ")
}

fn call(check: &ClusterCheck, line: &str, desired: &Desired) -> String {
    let words: Vec<String> = match check {
        ClusterCheck::Shell(words) => words.iter().map(|word| quote(word)).collect(),
        ClusterCheck::File { volume, path, pattern } => match mount(desired, volume) {
            Some((pod, container, dir)) => {
                let path = format!("{}/{path}", dir.trim_end_matches('/'));
                let words = ["file_has", pod, container, &path, pattern];
                words.iter().map(|word| quote(word)).collect()
            }
            None => vec!["skip".to_owned(), quote("no container mounts the volume")],
        },
        ClusterCheck::Skip(why) => vec!["skip".to_owned(), quote(why)],
    };
    format!("about {}\n{}\n", quote(line.trim()), words.join(" "))
}

/// (pod, container) of the plain pods; generated names are not known before they exist.
fn containers(desired: &Desired) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for object in &desired.objects {
        let (Kind::Pod(pod), Some(spec)) = (&object.kind, pod_spec(&object.kind)) else { continue };
        let name = pod.metadata.name.as_deref().unwrap_or("");
        for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
            found.push((name, container.name.as_str()));
        }
    }
    found
}

/// A running container of a plain pod that mounts the volume, and where.
fn mount<'a>(desired: &'a Desired, volume: &str) -> Option<(&'a str, &'a str, &'a str)> {
    for object in &desired.objects {
        let (Kind::Pod(pod), Some(spec)) = (&object.kind, pod_spec(&object.kind)) else { continue };
        for container in &spec.containers {
            let mounts = container.volume_mounts.iter().flatten();
            if let Some(mount) = mounts.into_iter().find(|mount| mount.name == volume) {
                return Some((pod.metadata.name.as_deref()?, &container.name, &mount.mount_path));
            }
        }
    }
    None
}

/// Single quotes keep everything as it is; a single quote itself needs the old trick.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

const HEAD: &str = r#"#!/bin/sh
# TITLE: the lesson's tasks, checked on a real cluster.
# Usage: sh check.sh [NAMESPACE]   It applies manifest.yaml there and deletes nothing else.
set -u
ns=${1:-default}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'kill $watchers 2> /dev/null; rm -rf "$dir"' EXIT
watchers=
failed=0
k() { kubectl --namespace "$ns" "$@"; }
task() { printf '\n%s\n' "$1"; }
about() { what=$1; }
good() { printf '  pass  %s\n' "$what"; }
bad() { printf '  FAIL  %s\n' "$what"; failed=1; }
skip() { printf '  skip  %s (%s)\n' "$what" "$1"; }
holds() { if "$@"; then good; else bad; fi; }

# follow POD CONTAINER: keeps its log, also when the pod is deleted later.
follow() {
  (until k logs -f "$1" -c "$2" > "$dir/$1.$2" 2> /dev/null; do sleep 1; done) &
  watchers="$watchers $!"
}
# log CONTAINER: what it has printed.
log() { cat "$dir"/*."$1" 2> /dev/null; }
# pod_of CONTAINER: the first pod that has it.
pod_of() {
  k get pods -o 'jsonpath={range .items[*]}{.metadata.name}{" "}{.spec.initContainers[*].name}{" "}{.spec.containers[*].name}{"\n"}{end}' |
    grep -w -e "$1" | head -n 1 | cut -d ' ' -f 1
}
# field POD CONTAINER PATH: from the container's status.
field() {
  for list in initContainerStatuses containerStatuses; do
    k get pod "$1" -o "jsonpath={.status.$list[?(@.name==\"$2\")]$3}"
  done
}
# between N LEAST MOST
between() { [ "$1" -ge "$2" ] && { [ "$3" = any ] || [ "$1" -le "$3" ]; }; }
# logs CONTAINER LEAST MOST OPTION PATTERN
logs() { holds between "$(log "$1" | grep -c "$4" -e "$5")" "$2" "$3"; }
# row POD READY STATUS: whether kubectl has ever printed it since the start.
row() { holds awk -v pod="$1" -v ready="$2" -v status="$3" '
  $1 == pod && $3 == status && (ready == "any" || $2 == ready) { found = 1 }
  END { exit !found }' "$dir/rows"; }
# restarts CONTAINER LEAST MOST
restarts() {
  n=$(field "$(pod_of "$1")" "$1" .restartCount)
  if [ -n "$n" ]; then holds between "$n" "$2" "$3"; else skip 'the pod no longer tells'; fi
}
# earlier CONTAINER WHEN CONTAINER WHEN: by the times in the pod's status.
moment() {
  pod=$(pod_of "$1")
  case $2 in
    starts) at=$(field "$pod" "$1" .state.running.startedAt)
      [ -n "$at" ] || at=$(field "$pod" "$1" .state.terminated.startedAt) ;;
    ends) at=$(field "$pod" "$1" .state.terminated.finishedAt) ;;
  esac
  printf '%s' "$at"
}
earlier() {
  first=$(moment "$1" "$2"); second=$(moment "$3" "$4")
  if [ -z "$first" ] || [ -z "$second" ]; then
    skip 'the pod no longer tells'
  elif [ "$(printf '%s\n%s\n' "$first" "$second" | sort | head -n 1)" = "$first" ]; then
    good
  else
    bad
  fi
}
# file_has POD CONTAINER PATH PATTERN
file_has() { holds sh -c 'kubectl --namespace "$1" exec "$2" -c "$3" -- cat "$4" | grep -q -E -e "$5"' sh "$ns" "$@"; }

"#;
