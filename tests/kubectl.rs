//! kubectl's words over simulated clusters: each `tests/kubectl/NAME.tour` is a list of commands
//! against `NAME.yaml` and what each prints. `UPDATE_EXPECT=1` writes the tours anew.
//!
//! A line `$ 12 get pods` runs a command at second 12; lines of stderr start with `! `, and an
//! exit code other than 0 ends the answer as `[1]`.

use podlab::check::check;
use podlab::kubectl::{Files, Said, complete_line, run_among, run_at};
use podlab::sim::Scenario;
use podlab::time::SimTime;
use std::fs;
use std::path::Path;

fn shown(said: &Said) -> String {
    let mut out = said.out.clone();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str("~\n");
    }
    for line in said.err.lines() {
        out.push_str(&format!("! {line}\n"));
    }
    if said.exit != 0 {
        out.push_str(&format!("[{}]\n", said.exit));
    }
    out
}

/// The tour as it comes out: its commands run in order, what they change stays changed.
fn played(manifest: &str, tour: &str) -> String {
    let checked = check(manifest).accepted();
    let review = Some(podlab::check::review as podlab::sim::Review);
    let mut scenario = Scenario { review, ..Scenario::new(checked) };
    let (mut out, mut files) = (String::new(), Files::new());
    for command in tour.lines().filter(|line| line.starts_with("$ ")) {
        let (at, line) = command[2..].split_once(' ').expect("a second and a command");
        let at = SimTime::from_millis((at.parse::<f64>().expect("seconds") * 1000.0) as u64);
        let said = run_among(&mut scenario, at, line, &mut files);
        out.push_str(&format!("{command}\n{}\n", shown(&said)));
    }
    out.trim_end().to_owned() + "\n"
}

#[test]
fn tours_print_what_kubectl_prints() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubectl");
    let mut n_tours = 0;
    for entry in fs::read_dir(dir).expect("tests/kubectl") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|e| e != "tour") {
            continue;
        }
        n_tours += 1;
        let tour = fs::read_to_string(&path).expect("readable");
        let manifest = fs::read_to_string(path.with_extension("yaml")).expect("readable");
        let got = played(&manifest, &tour);
        if std::env::var("UPDATE_EXPECT").is_ok() {
            fs::write(&path, got).expect("writable");
        } else {
            assert_eq!(got, tour, "{}", path.display());
        }
    }
    assert!(n_tours > 0, "no tours");
}

#[test]
fn a_wrong_tour_is_told() {
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, \
                    image: busybox, command: [sleep, '9']}]}\n";
    let tour = "$ 3 get pods\nNAME   READY   STATUS    RESTARTS   AGE\nx      0/1     Running   0          3s\n";
    assert_ne!(played(manifest, tour), tour);
    assert_eq!(played(manifest, tour), tour.replace("0/1", "1/1"));
}

/// No command line, however odd, panics or prints without end.
#[test]
fn odd_command_lines_are_answered() {
    let mut scenario = Scenario::new(check("").accepted());
    for line in [
        "",
        " ",
        "kubectl",
        "k",
        "get",
        "get pods -o",
        "get pods -o jsonpath={",
        "get -l 'a in (' pods",
        "get pods -o custom-columns=",
        "describe",
        "describe pods /",
        "logs",
        "logs -",
        "exec",
        "exec x --",
        "exec x ls",
        "set",
        "set image",
        "set image x",
        "scale x",
        "rollout",
        "rollout status",
        "wait x",
        "wait --for=x pods",
        "top",
        "explain",
        "explain .",
        "explain pod..",
        "label",
        "label pod",
        "patch x",
        "patch pod x -p '{'",
        "create",
        "create x",
        "create cm",
        "run",
        "expose",
        "drain",
        "auth can-i",
        "-n",
        "get pods 'unclosed",
        "--",
        "get --",
        "get a/b/c",
        "get /",
        "cp a b",
        "port-forward x 1:2",
        "api-versions",
    ] {
        let said = run_at(&mut scenario, SimTime::from_secs(1), line);
        assert!(said.out.len() + said.err.len() < 20_000, "{line}");
        assert!(!said.out.is_empty() || !said.err.is_empty(), "{line} is not answered");
    }
    assert_eq!(scenario.actions, []);
}

/// Several lines at once are a script, as pasted into a terminal.
#[test]
fn lines_are_a_script() {
    let mut scenario = Scenario::new(check("").accepted());
    let script = "cat <<EOF | kubectl apply -f -\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  \
                  name: c\ndata:\n  a: b\nEOF\nkubectl get cm c -o jsonpath='{.data}'\n";
    let mut files = Files::new();
    let said = run_among(&mut scenario, SimTime::from_secs(3), script, &mut files);
    assert_eq!(said.out, "configmap/c created\n{\"a\":\"b\"}", "{}", said.err);
    assert_eq!(said.exit, 0);
}

/// Tab: the line as it may go on, and the ways where there are several.
#[test]
fn lines_are_completed_from_the_run() {
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: web-app}\nspec: {containers: \
                    [{name: front, image: busybox, command: [sleep, '9']}, {name: back, image: \
                    busybox, command: [sleep, '9']}]}\n";
    let scenario = Scenario::new(check(manifest).accepted());
    for (line, completed, ways) in [
        ("des", "describe ", ""),
        ("kubectl get dep", "kubectl get deployments ", ""),
        ("describe pod we", "describe pod web-app ", ""),
        ("logs we", "logs web-app ", ""),
        ("logs web-app -c f", "logs web-app -c front ", ""),
        ("get pods -n def", "get pods -n default ", ""),
        ("get pods | grep x; k get pod/we", "get pods | grep x; k get pod/web-app ", ""),
        ("rollout st", "rollout status ", ""),
        ("create dep", "create deployment ", ""),
        ("apply -f man", "apply -f manifest.yaml ", ""),
        ("get pods --show-l", "get pods --show-labels ", ""),
        ("get nosuch x", "get nosuch x", ""),
        ("dr", "drain ", ""),
        ("ex", "ex", "exec  explain  expose"),
        ("logs web-app -c ", "logs web-app -c ", "back  front"),
    ] {
        let at = SimTime::from_secs(3);
        let (got, others) = complete_line(&scenario, at, line, &Files::new());
        assert_eq!((got.as_str(), others.as_str()), (completed, ways), "{line}");
    }
    let (_, verbs) = complete_line(&scenario, SimTime::from_secs(3), "", &Files::new());
    assert!(verbs.contains("apply  "), "{verbs}");
}
