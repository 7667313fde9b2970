//! A hand-made run for tests of the page's own logic: an init container, a sidecar that ships a
//! file, and an app that dies once. Not a simulation; never shown to anyone.

use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{
    Change, ContainerShape, ContainerStatus, Event, EventId, FileChange, MountShape, Name,
    PodShape, Request, Role, State, Subject, Timeline, VolumeShape, What,
};

pub(crate) fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    timeline.extend(events(), SimTime::from_secs(60));
    timeline
}

pub(crate) fn events() -> Vec<Event> {
    let mut out = Vec::new();
    let mut add = |secs: u64, container: Option<&str>, what: What| {
        let pod: Name = "web".into();
        let subject = match container {
            Some(name) => Subject::Container { pod, container: name.into() },
            None => Subject::Pod(pod),
        };
        let id = EventId(out.len() as u32);
        let cause = id.0.checked_sub(1).map(EventId);
        let at = SimTime::from_secs(secs);
        out.push(Event { id, at, subject, what, cause, origin: Some(Span::new(0, 3)) });
    };
    add(0, None, What::PodAdded(Box::new(shape())));
    add(0, None, row(0, "Pending", 0));
    add(1, Some("setup"), running(1, false, 0));
    add(3, Some("setup"), What::Exited { code: 0, signal: None, oom: false });
    add(3, Some("setup"), ended(1, 3, 0, 0));
    add(4, Some("shipper"), running(4, true, 0));
    add(5, Some("app"), running(5, false, 0));
    add(5, Some("app"), What::Listening { address: "0.0.0.0".into(), port: 8080 });
    add(9, Some("app"), running(5, true, 0));
    add(9, None, row(2, "Running", 0));
    add(10, Some("app"), What::Wrote(Box::new(wrote("app.log", "hello\n"))));
    add(11, Some("shipper"), What::Log { stderr: false, line: "hello".into() });
    add(12, Some("shipper"), What::Request(Box::new(request())));
    add(20, Some("app"), What::Exited { code: 1, signal: None, oom: false });
    add(20, Some("app"), ended(5, 20, 1, 0));
    add(20, None, row(1, "Error", 0));
    add(21, Some("app"), waiting("CrashLoopBackOff"));
    let until = SimTime::from_secs(31);
    add(21, Some("app"), What::BackOff { until, delay: SimTime::from_secs(10) });
    add(31, Some("app"), running(31, true, 1));
    add(31, None, row(2, "Running", 1));
    out
}

fn shape() -> PodShape {
    let container = |name: &str, role: Role, mounts: Vec<MountShape>| ContainerShape {
        name: name.into(),
        role,
        image: "busybox:1.37".into(),
        command: vec!["sh".into()],
        ports: if role == Role::Main { vec![(8080, Some("http".into()))] } else { vec![] },
        mounts,
        probes: vec![],
        cpu_limit_millis: Some(100),
        memory_limit_bytes: Some(64 << 20),
        origin: Some(Span::new(0, 3)),
    };
    let mount = |read_only| MountShape {
        volume: "logs".into(),
        path: "/var/log".into(),
        read_only,
        origin: None,
    };
    PodShape {
        namespace: "default".into(),
        containers: vec![
            container("setup", Role::Init, vec![]),
            container("shipper", Role::Sidecar, vec![mount(true)]),
            container("app", Role::Main, vec![mount(false)]),
        ],
        volumes: vec![VolumeShape {
            name: "logs".into(),
            kind: "emptyDir".into(),
            detail: String::new(),
            origin: None,
        }],
        grace_secs: 30,
        restart_policy: "Always".into(),
        ..PodShape::default()
    }
}

fn row(ready: u32, status: &str, restarts: u32) -> What {
    What::Row { ready, total: 2, status: status.into(), restarts, restarted_at: None }
}

fn status(state: State, ready: bool, restart_count: u32) -> What {
    What::Status(ContainerStatus { state, last: None, restart_count, ready, started: ready })
}

fn running(since: u64, ready: bool, restarts: u32) -> What {
    status(State::Running { started_at: SimTime::from_secs(since) }, ready, restarts)
}

fn waiting(reason: &str) -> What {
    status(State::Waiting { reason: reason.into(), message: None }, false, 0)
}

fn ended(from: u64, to: u64, exit_code: i32, restarts: u32) -> What {
    let state = State::Terminated {
        reason: if exit_code == 0 { "Completed" } else { "Error" }.into(),
        exit_code,
        message: None,
        started_at: SimTime::from_secs(from),
        finished_at: SimTime::from_secs(to),
    };
    status(state, false, restarts)
}

fn wrote(path: &str, text: &str) -> FileChange {
    FileChange {
        place: "volume:logs".into(),
        path: path.into(),
        change: Change::Append { content: text.into(), size: text.len() as u64 },
    }
}

fn request() -> Request {
    Request {
        to: "localhost:8080".into(),
        port: 8080,
        served_by: Some(("web".into(), "app".into())),
        summary: "GET /".into(),
        outcome: "200 OK".into(),
        ok: true,
        took: SimTime::from_millis(2),
    }
}
