//! Virtual time: tasks that sleep and wait for one another, woken in (time, order asked) order.
//! Knows nothing of pods. A task is a future polled by hand; nothing here is a real clock.

use crate::time::SimTime;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type TaskId = u64;
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A handle on virtual time, cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Clock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<SimTime>,
    seq: Cell<u64>,
    current: Cell<TaskId>,
    agenda: RefCell<BTreeMap<(SimTime, u64), TaskId>>,
    ready: RefCell<VecDeque<TaskId>>,
    born: RefCell<Vec<(TaskId, Task)>>,
}

impl Clock {
    pub(crate) fn now(&self) -> SimTime {
        self.0.now.get()
    }

    /// Moves time forward; never back.
    pub(crate) fn set_now(&self, now: SimTime) {
        self.0.now.set(self.now().max(now));
    }

    fn next_seq(&self) -> u64 {
        let seq = self.0.seq.get() + 1;
        self.0.seq.set(seq);
        seq
    }

    /// Starts a task; it runs at the present instant after those already woken.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let id = self.next_seq();
        self.0.born.borrow_mut().push((id, Box::pin(task)));
        self.0.ready.borrow_mut().push_back(id);
    }

    pub(crate) fn sleep(&self, span: SimTime) -> Sleep {
        self.sleep_until(self.now() + span)
    }

    pub(crate) fn sleep_until(&self, until: SimTime) -> Sleep {
        Sleep { clock: self.clone(), until, asked: false }
    }

    fn wake_at(&self, at: SimTime) {
        let key = (at, self.next_seq());
        self.0.agenda.borrow_mut().insert(key, self.0.current.get());
    }
}

pub(crate) struct Sleep {
    clock: Clock,
    until: SimTime,
    asked: bool,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        if !self.asked {
            self.asked = true;
            self.clock.wake_at(self.until);
        }
        Poll::Pending
    }
}

/// Something others wait for: raising it wakes all who wait, and they look again.
#[derive(Clone, Default)]
pub(crate) struct Flag(Rc<FlagInner>);

#[derive(Default)]
struct FlagInner {
    raised: Cell<u64>,
    waiting: RefCell<Vec<TaskId>>,
}

impl Flag {
    pub(crate) fn raise(&self, clock: &Clock) {
        self.0.raised.set(self.0.raised.get() + 1);
        let mut ready = clock.0.ready.borrow_mut();
        for task in self.0.waiting.borrow_mut().drain(..) {
            if !ready.contains(&task) {
                ready.push_back(task);
            }
        }
    }

    /// Ends at the next raise, or at `deadline`.
    pub(crate) fn raised(&self, clock: &Clock, deadline: SimTime) -> Raised {
        let seen = self.0.raised.get();
        Raised { flag: self.clone(), clock: clock.clone(), seen, deadline, asked: false }
    }
}

pub(crate) struct Raised {
    flag: Flag,
    clock: Clock,
    seen: u64,
    deadline: SimTime,
    asked: bool,
}

impl Future for Raised {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.flag.0.raised.get() != self.seen || self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        let me = self.clock.0.current.get();
        let mut waiting = self.flag.0.waiting.borrow_mut();
        if !waiting.contains(&me) {
            waiting.push(me);
        }
        drop(waiting);
        if !self.asked && self.deadline < SimTime::MAX {
            self.asked = true;
            self.clock.wake_at(self.deadline);
        }
        Poll::Pending
    }
}

/// All tasks of a run.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) clock: Clock,
    tasks: BTreeMap<TaskId, Task>,
}

impl Tasks {
    /// When something is due next; now, where a task is ready already.
    pub(crate) fn next(&self) -> Option<SimTime> {
        if !self.clock.0.ready.borrow().is_empty() {
            return Some(self.clock.now());
        }
        self.clock.0.agenda.borrow().first_key_value().map(|((at, _), _)| *at)
    }

    /// Runs the next task that is due; time moves to when it was due.
    pub(crate) fn step(&mut self) {
        let ready = self.clock.0.ready.borrow_mut().pop_front();
        let task = ready.or_else(|| {
            let ((at, _), task) = self.clock.0.agenda.borrow_mut().pop_first()?;
            self.clock.set_now(at);
            Some(task)
        });
        for (id, task) in self.clock.0.born.borrow_mut().drain(..) {
            self.tasks.insert(id, task);
        }
        let Some(id) = task else { return };
        let Some(mut task) = self.tasks.remove(&id) else { return };
        self.clock.0.current.set(id);
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            self.tasks.insert(id, task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_wake_in_time_then_asking_order() {
        let mut tasks = Tasks::default();
        let (clock, flag) = (tasks.clock.clone(), Flag::default());
        let log = Rc::new(RefCell::new(Vec::new()));
        for (name, secs) in [("late", 3), ("first", 1), ("second", 1)] {
            let (clock, log, flag) = (clock.clone(), log.clone(), flag.clone());
            tasks.clock.spawn(async move {
                clock.sleep(SimTime::from_secs(secs)).await;
                log.borrow_mut().push((clock.now().as_secs(), name));
                flag.raise(&clock);
            });
        }
        let (waiter, seen) = (clock.clone(), log.clone());
        tasks.clock.spawn(async move {
            flag.raised(&waiter, SimTime::MAX).await;
            seen.borrow_mut().push((waiter.now().as_secs(), "flag"));
            flag.raised(&waiter, SimTime::from_secs(2)).await;
            seen.borrow_mut().push((waiter.now().as_secs(), "deadline"));
        });
        while tasks.next().is_some() {
            tasks.step();
        }
        let expected = [(1, "first"), (1, "flag"), (1, "second"), (1, "deadline"), (3, "late")];
        assert_eq!(*log.borrow(), expected);
    }
}
