//! Verdicts as marked manifests: under a line, `#   ^^^ error[code] text` claims a diagnostic that
//! underlines just these columns; what is found and not claimed fails as well. Each repair offered
//! is tried. `UPDATE_EXPECT=1` rewrites the marks, for a person to read.

use podlab::check::{
    check, check_with, complete, hover, kubectl, links, practices, rename, update,
};
use podlab::diagnostic::{Diagnostic, Severity, Stage};
use podlab::text::{LineIndex, apply};
use std::fs;
use std::path::{Path, PathBuf};

/// Messages are marked up to here; the server's regular expressions are long.
const MESSAGE_MAX: usize = 120;

fn manifests() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut files: Vec<PathBuf> =
        fs::read_dir(dir).expect("manifests").map(|e| e.expect("entry").path()).collect();
    files.sort();
    files
}

fn is_mark(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix('#').map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with('^') || rest.starts_with("fix: "))
}

fn without_marks(text: &str) -> String {
    text.lines().filter(|line| !is_mark(line)).map(|line| format!("{line}\n")).collect()
}

fn severity(one: &Diagnostic) -> &'static str {
    match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hazard => "hazard",
        Severity::Practice => "practice",
    }
}

/// The mark of a diagnostic; a `#` right before the carets stands for one itself.
fn mark(text: &str, lines: &LineIndex, one: &Diagnostic) -> String {
    let column = lines.line_col(text, one.span.start).column as usize - 1;
    let line = one.span.of(text).lines().next().unwrap_or("");
    let width = line.chars().count().max(1);
    let carets = match column {
        0 => format!("#{}", "^".repeat(width.max(2) - 1)),
        _ => format!("#{}{}", " ".repeat(column - 1), "^".repeat(width)),
    };
    let named = one.stage == Stage::Validation && one.severity == Severity::Error;
    let field = if named { format!("{}: ", one.field) } else { String::new() };
    let message: String = format!("{field}{}", one.message).chars().take(MESSAGE_MAX).collect();
    let message = message.replace('\n', " ");
    let mut marks = format!("{carets} {}[{}] {}\n", severity(one), one.code, message.trim_end());
    for fix in &one.fixes {
        marks.push_str(&format!("# fix: {}\n", fix.title));
    }
    marks
}

/// The text with the marks that belong to it.
fn marked(text: &str) -> String {
    let found = check(text).diagnostics;
    let lines = LineIndex::new(text);
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        out.push_str(&format!("{line}\n"));
        for one in found.iter().filter(|d| lines.line(d.span.start) as usize == i + 1) {
            out.push_str(&mark(text, &lines, one));
        }
    }
    out
}

/// The first line in which a marked manifest differs from what is found.
fn difference(file: &str) -> Option<String> {
    let real = marked(&without_marks(file));
    if real == file {
        return None;
    }
    let mut pairs = real.lines().zip(file.lines());
    let differ = pairs.find(|(a, b)| a != b);
    Some(differ.map_or("length".to_owned(), |(a, b)| format!("found   {a}\nclaimed {b}")))
}

#[test]
fn manifests_have_the_problems_they_claim() {
    let mut n_claims = 0;
    for path in manifests() {
        let file = fs::read_to_string(&path).expect("readable");
        if std::env::var("UPDATE_EXPECT").is_ok() {
            fs::write(&path, marked(&without_marks(&file))).expect("writable");
            continue;
        }
        n_claims += file.lines().filter(|l| is_mark(l) && l.contains('^')).count();
        if let Some(difference) = difference(&file) {
            panic!("{}\n{difference}", path.display());
        }
    }
    let updating = std::env::var("UPDATE_EXPECT").is_ok();
    assert!(updating || n_claims >= 100, "only {n_claims} claims");
}

#[test]
fn a_wrong_claim_fails() {
    let good = marked("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec: {containers: 1}\n");
    assert_eq!(difference(&good), None);
    assert!(good.contains("wrong-type"), "{good}");
    for (from, to) in [("wrong-type", "required"), ("^ error", "^^ error"), ("PodSpec", "Pod")] {
        assert!(difference(&good.replace(from, to)).is_some(), "{from} -> {to} passes");
    }
    let unclaimed = without_marks(&good);
    assert!(difference(&unclaimed).is_some());
}

#[test]
fn each_repair_leaves_fewer_problems() {
    let mut n_fixes = 0;
    for path in manifests() {
        let text = without_marks(&fs::read_to_string(&path).expect("readable"));
        for document in text.split_inclusive("---\n") {
            let before = check(document).diagnostics;
            for (one, fix) in before.iter().flat_map(|d| d.fixes.iter().map(move |f| (d, f))) {
                n_fixes += 1;
                let repaired = apply(document, &fix.edits);
                let after = check(&repaired).diagnostics;
                let same = |d: &&Diagnostic| {
                    d.code == one.code && d.field == one.field && d.message == one.message
                };
                let gone = after.iter().filter(same).count() < before.iter().filter(same).count();
                // Past YAML and envelope, fields come into view with problems of their own.
                let early = matches!(one.stage, Stage::Yaml | Stage::Schema);
                let fewer = after.len() < before.len() || early || one.field == "kind";
                assert!(
                    gone && fewer,
                    "{}: `{}` of {} leaves\n{repaired}\n{after:#?}",
                    path.display(),
                    fix.title,
                    one.message
                );
            }
        }
    }
    assert!(n_fixes >= 25, "only {n_fixes} repairs");
}

/// Every line of every manifest, broken in two ways.
#[test]
fn repairs_of_broken_manifests_repair() {
    let (mut n_fixes, mut wrong) = (0, Vec::new());
    for path in manifests() {
        let whole = without_marks(&fs::read_to_string(&path).expect("readable"));
        for document in whole.split_inclusive("---\n") {
            let n_lines = document.lines().count();
            for (at, how) in (0..n_lines).flat_map(|at| [(at, at % 6), (at, (at + 3) % 6)]) {
                let text = mutated(document, at, how as u8, 'x');
                let before = check(&text).diagnostics;
                for (one, fix) in before.iter().flat_map(|d| d.fixes.iter().map(move |f| (d, f))) {
                    n_fixes += 1;
                    let after = check(&apply(&text, &fix.edits)).diagnostics;
                    let same = |d: &&Diagnostic| {
                        d.code == one.code && d.field == one.field && d.message == one.message
                    };
                    if after.iter().filter(same).count() >= before.iter().filter(same).count() {
                        wrong.push(format!("`{}` of {} in\n{text}", fix.title, one.message));
                    }
                }
            }
        }
    }
    let shown: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} of {n_fixes} repair nothing: {shown:#?}", wrong.len());
    assert!(n_fixes > 1000, "only {n_fixes} repairs");
}

#[test]
fn repairs_keep_comments_and_style() {
    let text = "apiVersion: v1 # first\nkind: Pod\nmetadata:\n  name: a # mine\nspec:\n  \
                containers:\n  - name: app # the app\n    image: nginx\n    volumeMounts:\n    \
                - {name: logs, mountPath: /l} # shared\n";
    let found = check(text).diagnostics;
    let fix = &found.iter().find(|d| d.code == "volume-not-found").expect("found").fixes[0];
    let expected = format!("{text}  volumes:\n  - name: logs\n    emptyDir: {{}}\n");
    assert_eq!(apply(text, &fix.edits), expected.trim_end_matches('\n').to_owned() + "\n");
}

/// `|` is the cursor.
fn at_cursor(marked: &str) -> (String, usize) {
    let at = marked.find('|').expect("a cursor");
    (marked.replacen('|', "", 1), at)
}

fn labels(marked: &str) -> Vec<String> {
    let (text, at) = at_cursor(marked);
    complete(&text, at).into_iter().map(|c| c.label).collect()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n";

#[test]
fn completions_fit_the_place() {
    let cases = [
        ("apiVersion: v1\nkind: Po|\n", "Pod"),
        ("kind: Deployment\napiVersion: |\n", "apps/v1"),
        ("apiVersion: v1\nkind: Pod\nsp|\n", "spec"),
        (&format!("{POD}  rest|\n"), "restartPolicy"),
        (&format!("{POD}  restartPolicy: n|\n"), "Never"),
        (&format!("{POD}  containers:\n  - name: a\n    ima|\n"), "image"),
        (&format!("{POD}  containers:\n    - |\n"), "name"),
        (&format!("{POD}  containers:\n  - name: a\n    readinessProbe:\n      h|\n"), "httpGet"),
        (&format!("{POD}  containers:\n  - name: a\n    tty: t|\n"), "true"),
        (
            &format!(
                "{POD}  volumes:\n  - name: logs\n  containers:\n  - name: a\n    \
                 volumeMounts:\n    - name: |\n"
            ),
            "logs",
        ),
        (
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\n---\n{POD}  \
                 containers:\n  - name: a\n    envFrom:\n    - configMapRef:\n        name: |\n"
            ),
            "settings",
        ),
    ];
    for (text, wanted) in cases {
        let found = labels(text);
        assert_eq!(found.first().map(String::as_str), Some(wanted), "{text}\n{found:?}");
    }
}

#[test]
fn completions_stay_out_of_scripts_and_taken_keys() {
    let script = format!("{POD}  containers:\n  - name: a\n    command:\n    - |\n      ec");
    assert!(complete(&script, script.len()).is_empty());
    let taken =
        labels(&format!("{POD}  containers:\n  - name: a\n    image: b\n    |\n    env: []"));
    assert!(taken.contains(&"ports".to_owned()), "{taken:?}");
    for key in ["name", "image", "env"] {
        assert!(!taken.contains(&key.to_owned()), "{key} in {taken:?}");
    }
}

#[test]
fn hover_tells_what_a_field_is() {
    let (text, at) = at_cursor(&format!("{POD}  containers:\n  - name: a\n    ima|ge: nginx\n"));
    let found = hover(&text, at).expect("a field");
    assert_eq!(
        (found.path.as_str(), found.type_name.as_str()),
        ("spec.containers[0].image", "string")
    );
    assert!(found.doc.starts_with("What to run"), "{}", found.doc);
    let trust = "\nThe lab's nginx:\nverified: entrypoint";
    assert!(found.doc.contains(trust), "{}", found.doc);
    let (text, at) = at_cursor("apiVersion: v1\nkind: Pod\nspec:\n  restart|Policy: Never\n");
    assert!(hover(&text, at).expect("a field").doc.contains("OnFailure"));
    assert_eq!(hover("kind: |\n", 3), None);
}

#[test]
fn kubectl_prints_what_kubectl_prints() {
    let pod = format!("{POD}  containers: [{{name: a, image: b}}]\n");
    let cases = [
        (pod.clone(), 0, "pod/a created (server dry run)\n", ""),
        (
            format!("{POD}  containers: [{{name: a}}]\n"),
            1,
            "",
            "The Pod \"a\" is invalid: spec.containers[0].image: Required value\n",
        ),
        (
            "kind: Pod\n".to_owned(),
            1,
            "",
            "error: error validating \"STDIN\": error validating data: apiVersion not set; if you \
             choose to ignore these errors, turn validation off with --validate=false\n",
        ),
        (
            format!("{pod}---\n{POD}  contaners: []\n"),
            1,
            "pod/a created (server dry run)\n",
            "Error from server (BadRequest): error when creating \"STDIN\": Pod in version \"v1\" \
             cannot be handled as a Pod: strict decoding error: unknown field \
             \"spec.contaners\"\n",
        ),
        ("# nothing\n".to_owned(), 1, "", "error: no objects passed to create\n"),
    ];
    for (manifest, exit, stdout, stderr) in cases {
        let printed = kubectl::create(&manifest);
        let real = (printed.exit, printed.stdout.as_str(), printed.stderr.as_str());
        assert_eq!(real, (exit, stdout, stderr), "{manifest}");
    }
}

/// Texts nobody meant to write; each must be answered in words.
#[test]
fn bad_input_gets_an_answer() {
    let bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let last = format!("*a{}", i - 1);
            text.push_str(&format!("a{i}: &a{i} [{}]\n", [last.as_str(); 9].join(", ")));
        }
        text
    };
    let deep = "[".repeat(5000);
    let cases: [(&str, String, bool); 9] = [
        ("empty", String::new(), false),
        ("comment", "# only this\n---\n".to_owned(), false),
        ("5 MB", "data: x\n".repeat(640 * 1024), true),
        ("binary", "\u{0}\u{1}PK\u{3}\u{4}\u{fffd}\u{7f}".to_owned(), true),
        (
            "half a document",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - na".to_owned(),
            true,
        ),
        ("open quote", "apiVersion: \"v1\nkind: Pod\n".to_owned(), true),
        ("bomb", bomb, true),
        ("deep", deep, true),
        ("list of lists", "apiVersion: v1\nkind: List\nitems: [[], 1, {}]\n".to_owned(), true),
    ];
    for (name, text, wrong) in cases {
        let found = check(&text).diagnostics;
        assert_eq!(found.iter().any(|d| d.severity == Severity::Error), wrong, "{name}: {found:?}");
        assert!(found.iter().all(|d| !d.message.is_empty()), "{name}");
        assert_eq!(kubectl::create(&text).exit, 1, "{name}");
    }
}

/// Manifests with lines and characters moved, dropped, doubled.
#[test]
fn no_mutation_panics() {
    use proptest::prelude::*;
    let seeds: Vec<String> =
        manifests().iter().map(|p| fs::read_to_string(p).expect("readable")).collect();
    let edit =
        (0usize..seeds.len(), prop::collection::vec((any::<u16>(), 0u8..6, any::<char>()), 1..6));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let result = runner.run(&edit, |(which, edits)| {
        let mut text = seeds[which].clone();
        for (at, how, ch) in edits {
            text = mutated(&text, usize::from(at), how, ch);
        }
        let found = check(&text).diagnostics;
        for one in &found {
            prop_assert!(one.span.start <= one.span.end && one.span.end as usize <= text.len());
            for fix in &one.fixes {
                let _ = apply(&text, &fix.edits);
            }
        }
        kubectl::create(&text);
        for at in (0..=text.len()).step_by(311) {
            complete(&text, at);
            hover(&text, at);
        }
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

fn mutated(text: &str, at: usize, how: u8, ch: char) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let idx = at % lines.len().max(1);
    let Some(line) = lines.get(idx).cloned() else { return ch.to_string() };
    match how {
        0 => drop(lines.remove(idx)),
        1 => lines.insert(idx, line),
        2 => lines[idx] = format!("  {line}"),
        3 => lines[idx] = line.replacen(": ", ":", 1),
        4 => lines[idx] = format!("{line}{ch}"),
        _ => {
            let cut = line.char_indices().nth(at % 20).map_or(line.len(), |(i, _)| i);
            lines[idx] = line[..cut].to_owned();
        }
    }
    lines.join("\n")
}

/// The pages of docs/rules.md: code, the manifest that has it, the one that has not.
fn pages() -> Vec<(String, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = fs::read_to_string(path).expect("readable");
    let block = |page: &str, which: &str| {
        let (_, rest) = page.split_once(&format!("```yaml {which}\n"))?;
        Some(rest.split_once("```")?.0.to_owned())
    };
    let page = |page: &str| {
        let code = page.lines().next()?.trim().to_owned();
        Some((code, block(page, "bad")?, block(page, "good")?))
    };
    text.split("\n## ").skip(1).map(|p| page(p).expect("a code, bad and good")).collect()
}

#[test]
fn each_page_shows_its_rule() {
    let mut wrong = Vec::new();
    for (code, bad, good) in pages() {
        let codes = |text: &str| -> Vec<String> {
            check(text).diagnostics.iter().map(|d| d.code.to_string()).collect()
        };
        let (of_bad, of_good) = (codes(&bad), codes(&good));
        if !of_bad.contains(&code) || of_good.contains(&code) {
            wrong.push(format!("{code}: bad has {of_bad:?}, good has {of_good:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every code a marked manifest has, and every code of the sources, has its page.
#[test]
fn each_code_has_its_page() {
    let known: Vec<String> = pages().into_iter().map(|(code, ..)| code).collect();
    let mut n_codes = 0;
    for path in manifests() {
        let text = without_marks(&fs::read_to_string(&path).expect("readable"));
        for one in check(&text).diagnostics {
            n_codes += 1;
            assert!(known.iter().any(|code| *code == one.code), "no page for {}", one.code);
        }
    }
    assert!(n_codes > 100 && known.len() >= 70, "{n_codes} codes, {} pages", known.len());
}

const WORST: &str = include_str!("practices/worst.yaml");
const BEST: &str = include_str!("practices/best.yaml");

#[test]
fn best_practice_speaks_when_asked() {
    let codes = |text: &str, on: bool| -> Vec<String> {
        let found = check_with(text, on).diagnostics;
        let found = found.iter().filter(|d| d.severity == Severity::Practice);
        found.map(|d| d.code.to_string()).collect()
    };
    assert_eq!(codes(WORST, false), [] as [&str; 0]);
    assert_eq!(codes(BEST, true), [] as [&str; 0]);
    let found = codes(WORST, true);
    for [code, ..] in practices() {
        assert!(found.iter().any(|f| f == code), "{code} does not speak");
    }
    assert!(found.iter().any(|f| f == "latest-tag"), "{found:?}");
}

#[test]
fn what_may_not_change_is_refused() {
    let roots = |text: &str| podlab::yaml::parse(text).docs.remove(0).root.expect("an object");
    let head = "metadata: {name: a}\n";
    let cases = [
        (
            "Deployment",
            "spec: {selector: {matchLabels: {a: b}}}",
            "spec: {selector: {matchLabels: {a: c}}}",
            "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable",
        ),
        ("Deployment", "spec: {replicas: 1}", "spec: {replicas: 2}", ""),
        ("StatefulSet", "spec: {replicas: 1}", "spec: {replicas: 2}", ""),
        (
            "StatefulSet",
            "spec: {serviceName: a}",
            "spec: {serviceName: b}",
            "spec: Forbidden: updates to statefulset",
        ),
        (
            "Pod",
            "spec: {containers: [{name: a, image: b}]}",
            "spec: {containers: [{name: a, image: c}]}",
            "",
        ),
        (
            "Pod",
            "spec: {containers: [{name: a, image: b}]}",
            "spec: {containers: [{name: b, image: b}]}",
            "spec: Forbidden: pod updates may not change fields",
        ),
        (
            "Pod",
            "spec: {containers: [{name: a}]}",
            "spec: {containers: []}",
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ),
        (
            "ConfigMap",
            "immutable: true\ndata: {a: b}",
            "immutable: true\ndata: {a: c}",
            "data: Forbidden: field is immutable when `immutable` is set",
        ),
        ("ConfigMap", "data: {a: b}", "data: {a: c}", ""),
        ("Secret", "type: a", "type: b", "type: Invalid value: \"b\": field is immutable"),
        (
            "Service",
            "spec: {clusterIP: 10.0.0.1}",
            "spec: {clusterIP: 10.0.0.2}",
            "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set",
        ),
    ];
    for (kind, old, new, wanted) in cases {
        let text = |body: &str| format!("apiVersion: v1\nkind: {kind}\n{head}{body}\n");
        let found = update(&roots(&text(old)), &roots(&text(new)), "");
        let found = found.first().map_or(String::new(), |d| format!("{}: {}", d.field, d.message));
        assert!(
            found.starts_with(wanted) && found.is_empty() == wanted.is_empty(),
            "{kind}: {found}"
        );
    }
}

const TWO_PODS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: fast}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports:\n  \
    - {port: 80, targetPort: http}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {app: web}\n\
    spec:\n  volumes:\n  - name: logs\n    emptyDir: {}\n  containers:\n  - name: app\n    image: b\n    \
    ports: [{name: http, containerPort: 80}]\n    readinessProbe: {httpGet: {port: http}}\n    env:\n    \
    - name: MODE\n      valueFrom: {configMapKeyRef: {name: settings, key: mode}}\n    volumeMounts:\n    \
    - {name: logs, mountPath: /l}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec:\n  \
    volumes: [{name: logs, emptyDir: {}}]\n  containers:\n  - name: app\n    image: b\n    \
    volumeMounts: [{name: logs, mountPath: /l}]\n";

/// The name at the `nth` place where `word` stands, and how often it is given and used.
fn link(word: &str, nth: usize) -> Option<(String, usize, usize)> {
    let at = TWO_PODS.match_indices(word).nth(nth).expect("there").0;
    let found = links(TWO_PODS, at + 1)?;
    for span in found.definitions.iter().chain(&found.uses) {
        assert_eq!(span.of(TWO_PODS), found.name, "{found:?}");
    }
    Some((found.what, found.definitions.len(), found.uses.len()))
}

#[test]
fn names_lead_to_where_they_are_given() {
    let one = |what: &str, given, used| Some((what.to_owned(), given, used));
    let cases = [
        ("logs", 0, one("volume", 1, 1)),
        ("logs", 3, one("volume", 1, 1)),
        ("settings", 1, one("ConfigMap", 1, 1)),
        ("mode", 1, one("key", 1, 1)),
        ("http", 0, one("port", 1, 2)),
        ("http,", 0, one("port", 1, 2)),
        ("web}", 0, one("Service", 1, 0)),
        ("web}", 1, one("label", 1, 1)),
        ("/l", 0, None),
        ("image", 0, None),
    ];
    for (word, nth, wanted) in cases {
        assert_eq!(link(word, nth), wanted, "{word} {nth}");
    }
}

#[test]
fn names_are_renamed_everywhere_or_not_at_all() {
    let at = |word: &str| TWO_PODS.find(word).expect("there") + 1;
    let before = check(TWO_PODS).diagnostics;
    for (word, to) in [
        ("logs", "shared"),
        ("settings", "config"),
        ("mode", "speed"),
        ("http", "main"),
        ("web}\n  ports", "shop"),
        ("web}\nspec", "front"),
        ("app\n", "main"),
    ] {
        let renamed = rename(TWO_PODS, at(word), to);
        assert_eq!(renamed.problem, "", "{word}");
        let text = apply(TWO_PODS, &renamed.edits);
        assert_ne!(text, TWO_PODS);
        let after = check(&text).diagnostics;
        assert_eq!(after.len(), before.len(), "{word} -> {to}\n{text}\n{after:#?}");
    }
    for (word, to) in
        [("logs", "Logs"), ("settings", "a b"), ("http", "far-too-long-for-a-port"), ("image", "x")]
    {
        let renamed = rename(TWO_PODS, at(word), to);
        assert!(renamed.edits.is_empty() && !renamed.problem.is_empty(), "{word} -> {to}");
    }
}

#[test]
fn completions_work_in_braces_and_brackets() {
    let cases = [
        (format!("{POD}  containers:\n  - {{name: a, ima|\n"), "image"),
        (format!("{POD}  containers: [{{name: a, livenessProbe: {{ht|}}}}]\n"), "httpGet"),
        (format!("{POD}  containers:\n  - {{name: a,\n     imagePullPolicy: N|\n"), "Never"),
        (
            format!(
                "{POD}  containers:\n  - name: a\n    ports: [{{containerPort: 80, protocol: U|}}]\n"
            ),
            "UDP",
        ),
        (
            format!(
                "{POD}  volumes: [{{name: logs, emptyDir: {{}}}}]\n  containers:\n  - name: a\n    volumeMounts: [{{name: |}}]\n"
            ),
            "logs",
        ),
        (
            "apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {accessModes: [ReadWriteOnceP|]}\n"
                .to_owned(),
            "ReadWriteOncePod",
        ),
        (format!("{POD}  containers: [{{name: a}}]\n  dns|\n"), "dnsConfig"),
    ];
    for (text, wanted) in cases {
        let found = labels(&text);
        assert_eq!(found.first().map(String::as_str), Some(wanted), "{text}\n{found:?}");
    }
    let taken = labels(&format!("{POD}  containers:\n  - {{name: a, image: b, |}}\n"));
    assert!(!taken.contains(&"image".to_owned()) && taken.contains(&"env".to_owned()), "{taken:?}");
    assert_eq!(labels(&format!("{POD}  containers: [{{name: \"a|\"}}]\n")), [""; 0]);
}

/// Fields the lessons' solutions write, of which hovering says no more than their values.
fn silent_fields() -> Vec<String> {
    let mut silent = Vec::new();
    let mut known = Vec::new();
    for text in solutions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons")) {
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let key = line.trim_start_matches([' ', '-']);
            let at = offset + line.len() - key.len();
            offset += line.len();
            let named = key.split_once(':').is_some_and(|(key, _)| {
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric())
            });
            let Some(found) = hover(&text, at).filter(|_| named) else { continue };
            if known.contains(&found.described) {
                continue;
            }
            if found.doc.is_empty() || found.doc.starts_with("One of ") {
                silent.push(found.path);
            }
            known.push(found.described);
        }
    }
    assert!(known.len() > 100, "only {} fields", known.len());
    silent
}

fn solutions(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("lessons").map(|entry| entry.expect("entry").path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(solutions(&path));
        } else if path.ends_with("solution.yaml") {
            found.push(fs::read_to_string(path).expect("a manifest"));
        }
    }
    found
}

#[test]
fn hover_has_a_sentence_for_each_field_of_the_lessons() {
    assert_eq!(silent_fields(), Vec::<String>::new());
}

#[test]
fn hover_tells_defaults_and_since_when() {
    let doc = |marked: &str| {
        let (text, at) = at_cursor(marked);
        hover(&text, at).expect("a field").doc
    };
    let probe =
        format!("{POD}  containers:\n  - name: a\n    livenessProbe:\n      period|Seconds: 5\n");
    assert!(doc(&probe).contains("10 if absent."));
    let sidecar = format!("{POD}  initContainers:\n  - name: a\n    restart|Policy: Always\n");
    assert!(doc(&sidecar).ends_with("Since Kubernetes 1.29."));
}
