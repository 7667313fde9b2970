//! Goals against a run made by hand: what holds, what does not, and the sentence that says why.

use super::super::{Goal, goal_problems, judge};
use crate::check::Checked;
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::kube::{Desired, Kind, Object, Origins};
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{Change, ContainerStatus, End, Event, EventId, FileChange, Request, State};
use crate::trace::{Subject, Timeline, What};
use crate::yaml::{Entry, Node, Scalar, Style, Value};
use std::sync::Arc;

fn pod() -> Subject {
    Subject::Pod("web".into())
}

fn container(name: &str) -> Subject {
    Subject::Container { pod: "web".into(), container: name.into() }
}

fn row(ready: u32, status: &str) -> What {
    What::Row { ready, total: 2, status: status.into(), restarts: 0, restarted_at: None }
}

fn log(line: &str) -> What {
    What::Log { stderr: false, line: line.into() }
}

fn running(restart_count: u32, ready: bool) -> What {
    let state = State::Running { started_at: SimTime::ZERO };
    What::Status(ContainerStatus { state, last: None, restart_count, ready, started: true })
}

fn completed() -> What {
    let state = State::Terminated {
        reason: "Completed".into(),
        exit_code: 0,
        message: None,
        started_at: SimTime::ZERO,
        finished_at: SimTime::ZERO,
    };
    let restart_count = 0;
    What::Status(ContainerStatus { state, last: None, restart_count, ready: false, started: false })
}

fn wrote(change: Change) -> What {
    let (place, path) = ("volume:logs".into(), "app.log".into());
    What::Wrote(Box::new(FileChange { place, path, change }))
}

fn request(ok: bool) -> What {
    What::Request(Box::new(Request {
        to: "localhost:6379".into(),
        port: 6379,
        served_by: None,
        summary: "GET /metrics HTTP/1.1".into(),
        outcome: if ok { "200 OK" } else { "connection refused" }.into(),
        ok,
        took: SimTime::ZERO,
    }))
}

/// Two containers: `app` restarts once and writes a file, `shipper` reads it.
fn run(end: Option<End>) -> Timeline {
    let append = |text: &str| Change::Append { content: text.into(), size: 0 };
    let steps = [
        (1, pod(), row(0, "ContainerCreating")),
        (2, container("setup"), completed()),
        (3, container("app"), What::Started { pid: 1 }),
        (3, container("app"), running(0, true)),
        (4, container("app"), wrote(append("INFO a\n"))),
        (5, container("app"), wrote(append("ERROR b\n"))),
        (5, pod(), row(2, "Running")),
        (6, container("shipper"), log("ERROR b")),
        (7, container("shipper"), request(false)),
        (8, container("shipper"), request(true)),
        (9, container("shipper"), log("ERROR c")),
        (10, container("app"), running(1, true)),
        (11, pod(), row(1, "Error")),
        (12, pod(), row(2, "Running")),
    ];
    let events = steps.into_iter().enumerate().map(|(idx, (at, subject, what))| Event {
        id: EventId(idx as u32),
        at: SimTime::from_secs(at),
        subject,
        what,
        cause: None,
        origin: None,
    });
    let mut timeline = Timeline::default();
    timeline.extend(events.collect::<Vec<_>>(), SimTime::from_secs(20));
    timeline.end = end;
    timeline
}

/// A pod `web` of two containers: `app` of `busybox:1.36`, `log` of `nginx`.
fn manifest() -> Checked {
    let node = |value| Node { span: Span::new(0, 1), value };
    let text = |text: &str| {
        let (text, style, marks) = (text.to_owned(), Style::Plain, Vec::new());
        node(Value::Str(Scalar { text, style, marks }))
    };
    let map = |pairs: Vec<(&str, Node)>| {
        let entry =
            |(key, value): (&str, Node)| Entry { key: key.into(), key_span: value.span, value };
        node(Value::Map(pairs.into_iter().map(entry).collect()))
    };
    let app = map(vec![("name", text("app")), ("image", text("busybox:1.36"))]);
    let log = map(vec![("name", text("log")), ("image", text("nginx"))]);
    let root = map(vec![
        ("kind", text("Pod")),
        ("metadata", map(vec![("name", text("web"))])),
        ("spec", map(vec![("containers", node(Value::Seq(vec![app, log])))])),
    ]);
    let kind = Kind::Other {
        api_version: "v1".into(),
        kind: "Pod".into(),
        name: "web".into(),
        namespace: None,
    };
    let objects = vec![Object { kind, origins: Origins { root: Some(Arc::new(root)) } }];
    let remark = Diagnostic::new(
        Severity::Practice,
        Stage::Beyond,
        "privileged",
        Span::new(0, 1),
        "runs privileged",
    );
    Checked { desired: Arc::new(Desired { objects }), diagnostics: vec![remark] }
}

#[track_caller]
fn check(timeline: &Timeline, cases: &[(&str, bool, &str)]) {
    for (goal, holds, because) in cases {
        let result = judge(&[Goal((*goal).into())], &manifest(), timeline, None).remove(0);
        assert_eq!(result.holds, *holds, "{goal}: {}", result.because);
        assert!(result.because.contains(because), "{goal}: {}", result.because);
    }
}

#[test]
fn goals_about_the_cluster_look_at_its_objects_when_the_run_is_over() {
    let live = manifest().desired;
    for (goal, is_over, holds, because) in [
        ("cluster has Pod/web", true, true, "The cluster has Pod/web."),
        ("cluster has no Pod/web", true, false, "The cluster has Pod/web."),
        ("cluster has Pod/db", true, false, "The cluster has no Pod/db."),
        ("cluster has no Pod/db", true, true, "The cluster has no Pod/db."),
        ("cluster has spec.containers[name=log].image = nginx in Pod/web", true, true, "nginx"),
        ("cluster has spec.containers[name=log].image = redis", true, false, "In the cluster"),
        ("cluster has Pod/web", false, false, "It is only 20.000 s in this run."),
    ] {
        let timeline = run(is_over.then_some(End::Horizon));
        let live = is_over.then_some(&*live);
        let nothing = Checked { desired: Arc::default(), diagnostics: vec![] };
        let result = judge(&[Goal(goal.into())], &nothing, &timeline, live).remove(0);
        assert_eq!((result.holds, result.origin), (holds, None), "{goal}: {}", result.because);
        assert!(result.because.contains(because), "{goal}: {}", result.because);
    }
}

#[test]
fn goals_over_a_finished_run() {
    check(
        &run(Some(End::Horizon)),
        &[
            ("pod web reaches 2/2 Running within 20s", true, "At 5.000 s pod web was 2/2 Running"),
            ("pod web reaches 2/2 Running within 4s", false, "later than the 4.000 s asked for"),
            ("pod web reaches 3/3 Running", false, "pod web has not reached 3/3 Running; at 12"),
            ("pod we* reaches Running", true, "At 5.000 s"),
            ("pod db reaches Running", false, "There is no pod db in this run"),
            ("pod web reaches 2/2 Running 2 times", true, "2 times in all"),
            ("pod web is 1/2 Error at 11.5s", true, "From 11.000 s on"),
            ("pod web ends 2/2 Running", true, "From 12.000 s on"),
            ("pod web stays Running from 6s", false, "At 11.000 s pod web was 1/2 Error"),
            ("pod web stays 2/2 Running from 12s", true, "From 12.000 s on"),
            ("pod web never reaches CrashLoopBackOff", true, "never reached CrashLoopBackOff"),
            ("container shipper logs \"ERROR\" at least 2 times", true, "\"ERROR c\" at 9.000 s"),
            ("container shipper logs \"ERROR\" 3 times", false, "2 times so far, 3 are asked for"),
            ("container shipper logs /^ERROR [bc]$/ 2 times", true, "2 times in all"),
            ("container shipper logs \"WARN\"", false, "has not logged \"WARN\"; at 9.000 s it"),
            ("container app in pod web logs \"x\"", false, "app has not logged \"x\"."),
            ("container shipper logs \"ERROR\" once", false, "it should have been once at most"),
            ("container shipper logs \"b\" after 7s", false, "it logged \"ERROR c\""),
            ("container app restarts once", true, "app restarted at 10.000 s"),
            ("container app restarts never", false, "it should have been never"),
            ("container shipper restarts never", true, "shipper never restarted"),
            (
                "container setup is Completed before container app starts",
                true,
                ", before app start",
            ),
            ("container setup is Completed after container app starts", false, ", but setup"),
            ("container app is ready within 5s", true, "app became ready at 3.000 s"),
            ("container app listens on 80", false, "at 10.000 s it was running and ready"),
            ("file volume:logs/app.log contains \"ERROR b\"", true, "held \"ERROR b\" at 5.000 s"),
            ("file volume:logs/app.log contains \"FATAL\"", false, "holds \"ERROR b\" instead"),
            ("file volume:logs/b.log exists", false, "There is no file b.log in volume logs"),
            ("request from shipper to localhost:6379 succeeds", true, "\"200 OK\""),
            ("request from shipper to *:6379/metrics succeeds", true, "\"200 OK\""),
            ("request from * to *:* succeeds", true, "\"200 OK\""),
            ("request from other to *:* succeeds", false, ""),
            ("request from shipper to localhost:6379 fails within 7s", true, "refused"),
            ("request from shipper to localhost:6379/x succeeds", false, "has not got an answer"),
            ("manifest has spec.containers[name=app].image = busybox:1.36", true, "busybox"),
            ("manifest has spec.containers[*].image = caddy in Pod/web", false, "is \"nginx"),
            ("manifest has spec.*[name=app].image", true, "The manifest has"),
            ("manifest has spec.containers[each].image = busybox:1.36", false, "is \"nginx"),
            ("manifest has spec.containers[each].image", true, "The manifest has"),
            ("manifest has spec.volumes[each].name", false, "no spec.volumes"),
            ("manifest has no spec.volumes", true, "The manifest has no spec.volumes"),
            ("no errors", true, "no error to report"),
            ("no remarks", false, "To mend: runs privileged"),
            ("no remarks privileged host-path", false, "To mend: runs privileged"),
            ("no remarks host-path", true, "nothing to remark"),
            ("no \"not simulated\"", true, "Everything"),
            ("manifest is refused with \"x\"", false, "No refusal says"),
            ("pod web ends Running\npod web reaches Pending", false, "not reached Pending"),
        ],
    );
}

#[test]
fn nothing_is_promised_before_the_end() {
    check(
        &run(None),
        &[
            ("container shipper restarts never", false, "So far so good at 20.000 s"),
            ("container shipper restarts never within 15s", true, "never restarted"),
            ("pod web ends 2/2 Running", false, "only 20.000 s"),
            ("pod web reaches 2/2 Running", true, "At 5.000 s"),
        ],
    );
}

#[test]
fn what_is_not_understood_is_a_problem_with_a_column() {
    let cases = [
        ("pod web reachs 2/2 Running", 9, "perhaps `reaches`"),
        ("pod web reaches 2/2 Runing", 21, "perhaps `Running`"),
        ("container a logs ERROR", 18, "\"text\" or /expression/"),
        ("container a logs \"x", 18, "no closing"),
        ("container a logs /x(/", 18, "not a POSIX"),
        ("container a logs \"x\" within soon", 29, "a time such as"),
        ("container a logs \"x\" at 2 times", 25, "`2` is none of `least`"),
        ("container a is Complted", 16, "perhaps `Completed`"),
        ("file logs/app.log exists", 6, "volume:NAME/PATH"),
        ("manifest has spec..x", 14, "a path is keys"),
        ("no erors", 4, "perhaps `errors`"),
        ("no errors at all", 11, "no more to say"),
        ("pod web", 8, "is expected here"),
        ("", 1, "says nothing"),
    ];
    for (goal, column, message) in cases {
        let found = goal_problems(&Goal(goal.into()));
        let problem = found.first().unwrap_or_else(|| panic!("{goal}: no problem"));
        assert_eq!(problem.span.start + 1, column, "{goal}: {}", problem.message);
        assert!(problem.message.contains(message), "{goal}: {}", problem.message);
        check(&run(None), &[(goal, false, "")]);
    }
}
