//! Sequences of messages as data: what a session asks for and where it ends up.

use super::*;
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::lesson::{Card, Choice, Goal, GoalResult, Prediction, Step, Task};
use crate::protocol::FromWorker;
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::End;

fn goal(text: &str) -> Option<Goal> {
    Some(Goal(text.into()))
}

fn lesson() -> Lesson {
    let task = |id: &str| Task { id: id.into(), text: id.into(), goal: goal(id) };
    let choice =
        |t: &str| Choice { text: t.into(), reply: format!("you said {t}"), right_when: goal(t) };
    Lesson {
        card: Card { id: "init/wait".into(), version: "v1".into(), ..Card::default() },
        steps: vec![
            Step { tasks: vec![task("first"), task("late")], ..Step::default() },
            Step {
                prediction: Some(Prediction {
                    question: "?".into(),
                    of: "start".into(),
                    settled: None,
                    choices: vec![choice("dies"), choice("lives")],
                }),
                ..Step::default()
            },
        ],
        start: "start\n".into(),
        solution: "solution\n".into(),
        run_secs: 60,
        ..Lesson::default()
    }
}

fn booted(hash: &str, stored: Vec<(String, String)>) -> Session {
    let mut session = Session::default();
    let (hash, language) = (hash.to_owned(), "de".to_owned());
    session.update(Msg::Booted { stored, hash, storage: Ok(()), language });
    session.update(Msg::Worker(FromWorker::Ready));
    let bytes = postcard::to_allocvec(&lesson()).unwrap();
    session.update(Msg::LessonCame("init/wait".into(), Ok(bytes)));
    session
}

pub(super) fn opened() -> Session {
    booted("#/lesson/init/wait", vec![])
}

fn result(text: &str, secs: u64) -> GoalResult {
    let at = Some(SimTime::from_secs(secs));
    GoalResult { goal: Goal(text.into()), holds: true, at, ..GoalResult::default() }
}

/// Answers the newest check without problems and the newest run with the fixture.
pub(super) fn run(session: &mut Session, results: Vec<GoalResult>) {
    let revision = session.bench.revision;
    session.update(Msg::Worker(FromWorker::Checked {
        revision,
        diagnostics: vec![],
        needs: vec![],
    }));
    session.update(Msg::Simulate(revision));
    let now = SimTime::from_secs(60);
    let (events, end) = (fixture::events(), Some(End::Horizon));
    session.update(Msg::Worker(FromWorker::Judged { revision, results: results.clone() }));
    session.update(Msg::Worker(FromWorker::Ran { revision, events, now, end }));
    session.update(Msg::Worker(FromWorker::Judged { revision, results }));
}

fn posts(effects: &[Effect]) -> Vec<&'static str> {
    let kind = |e: &Effect| match e {
        Effect::Post(ToWorker::Check { .. }) => Some("check"),
        Effect::Post(ToWorker::Simulate { .. }) => Some("simulate"),
        Effect::StartWorker => Some("start"),
        _ => None,
    };
    effects.iter().filter_map(kind).collect()
}

fn error() -> Diagnostic {
    Diagnostic::new(Severity::Error, Stage::Yaml, "x", Span::new(0, 1), "bad")
}

#[test]
fn a_lesson_opens_checks_and_runs() {
    let mut session = opened();
    assert_eq!(session.bench.text, "start\n");
    run(&mut session, vec![]);
    assert_eq!(session.bench.run.lanes.lanes.len(), 3);
    assert!(session.bench.player.playing);
    session.update(Msg::Frame { dt_ms: 100.0 });
    assert_eq!(session.bench.player.cursor, SimTime::from_millis(500));
}

#[test]
fn late_answers_fall_on_the_floor() {
    let mut session = opened();
    let old = session.bench.revision;
    session.update(Msg::Edited("new\n".into()));
    let effects = session.update(Msg::Worker(FromWorker::Checked {
        revision: old,
        diagnostics: vec![error()],
        needs: vec![],
    }));
    assert_eq!(posts(&effects), ["check"], "the newest text is asked about instead");
    assert!(session.bench.diagnostics.is_empty());
    run(&mut session, vec![]);
    let events = fixture::events();
    let stray = FromWorker::Ran { revision: old, events, now: SimTime::ZERO, end: None };
    session.update(Msg::Worker(stray));
    assert_eq!(session.bench.run.timeline.events.len(), fixture::events().len());
}

#[test]
fn broken_text_keeps_the_last_good_run() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.update(Msg::Edited("broken\n".into()));
    let revision = session.bench.revision;
    let diagnostics = vec![error()];
    session.update(Msg::Worker(FromWorker::Checked { revision, diagnostics, needs: vec![] }));
    assert!(session.bench.stale.as_deref().is_some_and(|s| s.contains("1 error")));
    assert_eq!(session.bench.run.text, "start\n");
    session.update(Msg::Edited("good\n".into()));
    run(&mut session, vec![]);
    assert_eq!(session.bench.stale, None);
    assert_eq!(session.bench.run.text, "good\n");
}

#[test]
fn where_nothing_ran_no_run_is_older() {
    let mut session = opened();
    let revision = session.bench.revision;
    let (diagnostics, needs) = (vec![], vec![]);
    session.update(Msg::Worker(FromWorker::Checked { revision, diagnostics, needs }));
    session.update(Msg::Simulate(revision));
    let (now, end) = (SimTime::from_secs(60), Some(End::Horizon));
    session.update(Msg::Worker(FromWorker::Ran { revision, events: vec![], now, end }));
    session.update(Msg::Edited("broken\n".into()));
    let revision = session.bench.revision;
    let (diagnostics, needs) = (vec![error()], vec![]);
    session.update(Msg::Worker(FromWorker::Checked { revision, diagnostics, needs }));
    assert_eq!(session.bench.stale, None);
}

#[test]
fn a_text_too_long_is_answered_without_the_worker() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.take_changed();
    let effects = session.update(Msg::Edited("a: b\n".repeat(300_000)));
    assert_eq!(posts(&effects), [""; 0]);
    assert_eq!(session.bench.diagnostics[0].code, "too-large");
    assert_eq!(session.bench.checked, session.bench.revision);
    let changed = session.take_changed();
    let has = |part: Part| changed & (1 << part as u32) != 0;
    assert!(has(Part::Problems) && has(Part::Stale));
    assert!(!has(Part::Run) && !has(Part::Shown), "the run is not drawn again");
}

#[test]
fn a_silent_worker_is_started_again_and_then_left() {
    let mut session = opened();
    let mut starts = 0;
    for second in 0..60 {
        let effects = session.update(Msg::Clock { elapsed_ms: 1000.0 });
        starts += posts(&effects).iter().filter(|p| **p == "start").count();
        if posts(&effects).contains(&"start") {
            session.update(Msg::Worker(FromWorker::Ready));
        }
        assert!(second > 3 || starts == 0, "not at once");
    }
    assert_eq!(starts, 2);
    assert!(session.engine.failed.as_deref().is_some_and(|s| s.contains("Your text is safe")));
    assert!(session.bench.stale.is_some());
    let effects = session.update(Msg::Edited("another: text\n".into()));
    assert!(posts(&effects).contains(&"start"), "as the message promises");
    assert_eq!(session.engine.failed, None);
}

#[test]
fn tasks_tick_when_they_were_seen_to_hold() {
    let mut session = opened();
    run(&mut session, vec![result("first", 0), result("late", 30)]);
    let done = |s: &Session| s.bench.done.iter().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(done(&session), "first");
    session.update(Msg::Seek(SimTime::from_secs(29)));
    assert_eq!(done(&session), "first");
    session.update(Msg::Seek(SimTime::from_secs(31)));
    assert_eq!(done(&session), "first late");
    assert!(session.all_done());
}

#[test]
fn a_solution_ticks_nothing_and_work_comes_back() {
    let mut session = opened();
    session.update(Msg::Edited("mine\n".into()));
    session.update(Msg::LoadSolution);
    run(&mut session, vec![result("first", 0)]);
    assert!(session.bench.done.is_empty());
    session.update(Msg::BringBack);
    assert_eq!(session.bench.text, "mine\n");
    session.update(Msg::Reset);
    assert_eq!(session.bench.text, "start\n");
    session.update(Msg::Undo);
    assert_eq!(session.bench.text, "mine\n");
}

#[test]
fn predictions_are_graded_by_the_start_run() {
    let mut session = opened();
    session.update(Msg::Step(1));
    run(&mut session, vec![result("dies", 20)]);
    let lesson = session.lesson.here().unwrap().clone();
    let verdict = |s: &Session| s.verdict(1, lesson.steps[1].prediction.as_ref().unwrap());
    assert_eq!(verdict(&session), flow::Verdict::NotAnswered);
    session.update(Msg::Predict { step: 1, choice: 1 });
    assert_eq!(verdict(&session), flow::Verdict::Open);
    session.update(Msg::Seek(SimTime::from_secs(25)));
    let told =
        flow::Verdict::Told { right: false, reply: "you said lives".into(), because: "".into() };
    assert_eq!(verdict(&session), told);
}

#[test]
fn playing_waits_for_the_prediction_once() {
    let mut session = opened();
    let mut lesson = (**session.lesson.here().unwrap()).clone();
    lesson.steps.rotate_left(1);
    session.lesson = Load::Here(Arc::new(lesson));
    run(&mut session, vec![]);
    let revision = session.bench.revision;
    let (id, at) = (EventId(99), SimTime::from_secs(60));
    let subject = crate::trace::Subject::Cluster;
    let what = crate::trace::What::Started { pid: 1 };
    let event = crate::trace::Event { id, at, subject, what, cause: None, origin: None };
    let now = SimTime::from_secs(90);
    let ran = FromWorker::Ran { revision, events: vec![event], now, end: Some(End::Horizon) };
    session.update(Msg::Worker(ran));
    for _ in 0..200 {
        session.update(Msg::Frame { dt_ms: 100.0 });
    }
    let at = |s: &Session| (s.bench.player.cursor.as_secs(), s.bench.player.playing);
    assert_eq!(at(&session), (61, false), "a second after the first start");
    session.update(Msg::PlayPause);
    for _ in 0..200 {
        session.update(Msg::Frame { dt_ms: 100.0 });
    }
    assert_eq!(at(&session), (90, false));
}

#[test]
fn work_survives_a_reload() {
    let mut session = opened();
    session.update(Msg::Edited("mine\n".into()));
    session.update(Msg::Step(1));
    let effects = session.update(Msg::Keep(None));
    let [Effect::Save { key, value }] = &effects[..] else { panic!("{effects:?}") };
    let mut again = booted("#/lesson/init/wait?t=12", vec![(key.clone(), value.clone())]);
    assert_eq!((again.bench.text.as_str(), again.bench.step), ("mine\n", 1));
    run(&mut again, vec![]);
    assert_eq!(again.bench.player.cursor, SimTime::from_secs(12));
    assert!(!again.bench.player.playing);
    again.update(Msg::Undo);
    assert_eq!(again.bench.text, "start\n");
}

#[test]
fn imports_go_to_the_sandbox() {
    let mut session = opened();
    session.update(Msg::Import { name: "a.yaml".into(), text: "kind: Pod\n".into() });
    assert_eq!((&session.route.page, session.bench.text.as_str()), (&Page::Sandbox, "kind: Pod\n"));
    let file = work::encode_all([&Work { id: "init/wait".into(), ..Work::default() }]);
    session.update(Msg::Import { name: "w.txt".into(), text: file });
    assert!(session.works.contains_key("podlab.work.init/wait@"));
}

#[test]
fn spans_move_with_the_text() {
    let (old, new) = ("name: app\nimage: a\n", "name: application\nimage: a\n");
    let moved = |word: &str| {
        let at = old.find(word).unwrap();
        bench::moved(Span::new(at, at + word.len()), old, new).map(|s| s.of(new).to_owned())
    };
    assert_eq!(moved("image: a").as_deref(), Some("image: a"));
    assert_eq!(moved("name").as_deref(), Some("name"));
    assert_eq!(bench::moved(Span::new(0, 4), "gone", ""), None);
}

#[test]
fn a_link_brings_its_text_and_leaves_what_was_there() {
    let mut sender = opened();
    sender.update(Msg::Edited("start\nand more\n".into()));
    let effects = sender.update(Msg::Export(Export::Link));
    let [Effect::CopyLink(link)] = &effects[..] else { panic!("{effects:?}") };
    let own = Work {
        id: "init/wait".into(),
        version: "v1".into(),
        text: "mine\n".into(),
        ..Work::default()
    };
    let receiver = booted(link, vec![(own.key(), own.encode())]);
    assert_eq!(receiver.bench.text, "start\nand more\n");
    assert_eq!(receiver.bench.kept.as_deref(), Some("mine\n"));
    let damaged = booted("#/lesson/init/wait?w=1zzzz", vec![]);
    assert_eq!(damaged.bench.text, "start\n");
    assert!(damaged.notice.is_some(), "what is wrong with a link is said");
}

#[test]
fn faults_make_another_run_of_the_same_text() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.update(Msg::Seek(SimTime::from_secs(7)));
    let effects = session.update(Msg::Act("delete pod/web".into()));
    assert_eq!(posts(&effects), ["check"]);
    let revision = session.bench.revision;
    let checked = FromWorker::Checked { revision, diagnostics: vec![], needs: vec![] };
    session.update(Msg::Worker(checked));
    let effects = session.update(Msg::Simulate(revision));
    let [Effect::Post(ToWorker::Simulate { actions, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(actions[..], [(SimTime::from_secs(7), "delete pod/web".to_owned())]);
}

#[test]
fn a_kubectl_command_is_asked_of_the_run_at_the_cursor_and_may_act_on_it() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.update(Msg::Seek(SimTime::from_secs(7)));
    let effects = session.update(Msg::Kubectl(" scale deploy web --replicas=3 ".into()));
    let [Effect::Post(ToWorker::Kubectl(ask))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(
        (ask.line.as_str(), ask.at),
        ("scale deploy web --replicas=3", session.bench.player.cursor)
    );
    assert_eq!(ask.text, session.bench.run.text);
    assert!(session.update(Msg::Kubectl("get pods".into())).is_empty(), "one at a time");
    let answer = FromWorker::Kubectl {
        answer: "deployment.apps/web scaled\n".into(),
        at: ask.at,
        actions: vec!["scale deployment/web --replicas=3".into()],
        files: ask.files.clone(),
    };
    let effects = session.update(Msg::Worker(answer));
    assert_eq!(posts(&effects), ["check"]);
    assert_eq!(session.bench.actions.len(), 1);
    let (line, said) = session.console.said.last().expect("an answer");
    assert_eq!(
        (line.as_str(), said.as_str()),
        ("scale deploy web --replicas=3", "deployment.apps/web scaled\n")
    );
    session.update(Msg::Kubectl("clear".into()));
    assert!(session.console.said.is_empty());
}

#[test]
fn the_console_completes_keeps_files_and_stops() {
    let mut session = opened();
    run(&mut session, vec![]);
    let completed = |session: &mut Session, typed: &str, answer: &str, ways: &str| {
        let asked = session.update(Msg::CompleteKubectl(typed.into()));
        let [Effect::Post(ToWorker::CompleteLine(ask))] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(ask.line, typed);
        let (line, ways) = (answer.to_owned(), ways.to_owned());
        session.update(Msg::Worker(FromWorker::LineCompleted { line, ways }))
    };
    let effects = completed(&mut session, "get po", "get pods ", "");
    assert!(matches!(&effects[..], [Effect::ConsoleLine(line)] if line == "get pods "));
    completed(&mut session, "ex", "ex", "exec  explain");
    assert_eq!((session.console.ways.as_str(), session.console.said.len()), ("exec  explain", 0));

    let new = [("/root/manifest.yaml", "new\n"), ("/root/x.yaml", "x\n")];
    let effects = session.update(Msg::Kubectl("k run x > manifest.yaml".into()));
    let [Effect::Post(ToWorker::Kubectl(ask))] = &effects[..] else { panic!("{effects:?}") };
    let (mut files, at) = (ask.files.clone(), ask.at);
    files.extend(new.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let answer = String::new();
    session.update(Msg::Worker(FromWorker::Kubectl { answer, at, actions: vec![], files }));
    assert_eq!(session.bench.text, "new\n");
    assert_eq!(session.console.files.keys().collect::<Vec<_>>(), ["/root/x.yaml"]);

    session.update(Msg::Kubectl("wait --for=delete pod/web".into()));
    assert!(!session.console.slow);
    session.update(Msg::Clock { elapsed_ms: 1000.0 });
    assert!(session.console.slow);
    let effects = session.update(Msg::StopKubectl);
    assert!(matches!(&effects[..], [Effect::StartWorker]));
    assert_eq!(session.console.asked, None);
}

#[test]
fn an_edit_is_applied_to_what_runs() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.update(Msg::Seek(SimTime::from_secs(10)));
    session.update(Msg::ApplyEdit);
    assert!(session.bench.actions.is_empty(), "nothing was edited");
    session.update(Msg::Edited("edited\n".into()));
    run(&mut session, vec![]);
    assert_eq!(session.bench.run.text, "edited\n", "an edit alone runs anew");
    let effects = session.update(Msg::ApplyEdit);
    assert_eq!(posts(&effects), ["check"]);
    let at = SimTime::from_secs(10);
    let action = "apply -f manifest.yaml\nedited\n".to_owned();
    assert_eq!(session.bench.actions, [(at, action.clone())]);
    run(&mut session, vec![]);
    assert_eq!(session.bench.run.text, "start\n", "the run begins as it was opened");
    let asked = session.run_message(session.bench.revision, session.bench.run_text().to_owned());
    let ToWorker::Simulate { text, actions, .. } = asked else { panic!("no run") };
    assert_eq!((text.as_str(), actions), ("start\n", vec![(at, action)]));
    session.update(Msg::ApplyEdit);
    assert_eq!(session.bench.actions.len(), 1, "it is applied already");
    session.update(Msg::ClearActs);
    run(&mut session, vec![]);
    assert_eq!(session.bench.run.text, "edited\n");
}

#[test]
fn the_page_speaks_what_the_browser_does_where_it_can() {
    let mut session = opened();
    let catalogue = |words: &[(&str, &str)]| {
        let words = words.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let languages = vec!["de".to_owned()];
        let catalogue = Catalogue { languages, words, ..Catalogue::default() };
        Msg::CatalogueCame(Ok(postcard::to_allocvec(&catalogue).unwrap()))
    };
    session.update(Msg::Edited("mine\n".into()));
    let effects = session.update(catalogue(&[]));
    assert!(effects.contains(&Effect::Language("de".into())));
    assert!(effects.contains(&Effect::FetchLesson("init/wait".into())));
    session.update(catalogue(&[("Run", "Start")]));
    assert_eq!(
        (session.words.say("Run").as_str(), session.prefs.ending().as_str()),
        ("Start", ".de.bin")
    );
    let bytes = postcard::to_allocvec(&lesson()).unwrap();
    session.update(Msg::LessonCame("init/wait".into(), Ok(bytes)));
    assert_eq!(session.bench.text, "mine\n", "work stays");
    session.update(Msg::Language(String::new()));
    session.update(catalogue(&[]));
    assert_eq!(session.words.say("Run"), "Run", "who chose English keeps it");
}

#[test]
fn a_drills_clock_runs_from_the_first_edit_until_it_is_stopped() {
    let mut session = booted("#/", vec![]);
    session.update(Msg::HashChanged("#/lesson/init/wait".into()));
    let mut drill = lesson();
    drill.card.kind = crate::lesson::Kind::Drill;
    drill.card.minutes = 1;
    let bytes = postcard::to_allocvec(&drill).unwrap();
    session.update(Msg::LessonCame("init/wait".into(), Ok(bytes)));
    assert_eq!((session.tab, session.pane), (Tab::Kubectl, Pane::Learn));
    let tick = |session: &mut Session, n: usize| {
        (0..n).for_each(|_| drop(session.update(Msg::Clock { elapsed_ms: 1000.0 })));
        session.drill_secs()
    };
    assert_eq!(tick(&mut session, 3), Some((0, 60)));
    session.update(Msg::Edited("kind: Pod\n".into()));
    assert_eq!(tick(&mut session, 2), Some((2, 60)));
    session.update(Msg::DrillClock);
    assert_eq!(tick(&mut session, 2), Some((2, 60)), "stopped");
    session.update(Msg::DrillClock);
    assert_eq!(tick(&mut session, 70), Some((72, 60)), "over the time is no end");
}

#[test]
fn what_was_done_is_taken_back_one_by_one() {
    let mut session = opened();
    run(&mut session, vec![]);
    session.update(Msg::Seek(SimTime::from_secs(10)));
    session.update(Msg::Act("delete pod/web".into()));
    run(&mut session, vec![]);
    session.update(Msg::Act("evict pod/web".into()));
    run(&mut session, vec![]);
    let effects = session.update(Msg::TakeBack(0));
    assert_eq!(posts(&effects), ["check"]);
    assert_eq!(session.bench.actions, [(SimTime::from_secs(10), "evict pod/web".to_owned())]);
    assert_eq!(session.update(Msg::TakeBack(7)), []);
}

#[test]
fn a_pack_that_is_none_is_a_sentence() {
    let mut session = booted("#/lesson/team/sidecar/own", vec![]);
    assert!(session.route.page == Page::Lesson("team/sidecar/own".into()));
    session.update(Msg::PackOpened("x.zip".into(), b"no zip".to_vec()));
    assert!(session.notice.as_ref().is_some_and(|n| n.starts_with("x.zip: ")));
    session.update(Msg::PackCame("team".into(), Ok(b"nothing of ours".to_vec())));
    assert_eq!(session.packs.wrong, ["team: This is no pack of lessons."]);
    let Load::Failed(why) = &session.lesson else { panic!("no lesson can be there") };
    assert_eq!(why, "The pack team is not here. Open its file again.");
}
