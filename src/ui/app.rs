//! The page's one session and the way to it: `send` a message, `read` a part. Views read inside
//! live functions, so that they run again when that part changes.

use super::{effects, frame};
use crate::session::{Msg, PARTS, Part, Session};
use leptos::prelude::{ArcTrigger, Notify, Track};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Display;

thread_local! {
    static SESSION: RefCell<Session> = RefCell::new(Session::default());
    static QUEUE: RefCell<VecDeque<Msg>> = const { RefCell::new(VecDeque::new()) };
    static BUSY: Cell<bool> = const { Cell::new(false) };
    static TRIGGERS: [ArcTrigger; PARTS] = std::array::from_fn(|_| ArcTrigger::new());
}

/// Takes a message in and does what comes of it. Messages sent meanwhile wait their turn.
pub(crate) fn send(msg: Msg) {
    QUEUE.with_borrow_mut(|queue| queue.push_back(msg));
    if BUSY.replace(true) {
        return;
    }
    while let Some(msg) = QUEUE.with_borrow_mut(VecDeque::pop_front) {
        let (todo, changed) = SESSION.with_borrow_mut(|session| {
            let todo = session.update(msg);
            (todo, session.take_changed())
        });
        for effect in todo {
            effects::run(effect);
        }
        TRIGGERS.with(|triggers| {
            let of = |i: &usize| changed & (1 << i) != 0;
            (0..PARTS).filter(of).for_each(|i| triggers[i].notify());
        });
    }
    BUSY.set(false);
    frame::wake();
}

/// Words of ours in the language of the page.
pub(crate) fn tr(english: &str) -> String {
    SESSION.with_borrow(|session| session.words.say(english))
}

/// The same, with something in the place of each `{}`.
pub(crate) fn fill(english: &str, with: &[&dyn Display]) -> String {
    SESSION.with_borrow(|session| session.words.fill(english, with))
}

/// A function for a listener that sends one message.
pub(crate) fn sends(msg: Msg) -> impl Fn() + 'static {
    move || send(msg.clone())
}

/// Reads the session; runs again, inside a live function, when one of the parts changes.
pub(crate) fn read<R>(parts: &[Part], does: impl FnOnce(&Session) -> R) -> R {
    TRIGGERS.with(|triggers| parts.iter().for_each(|part| triggers[*part as usize].track()));
    SESSION.with_borrow(|session| does(session))
}

/// Reads the session as it is now.
pub(crate) fn peek<R>(does: impl FnOnce(&Session) -> R) -> R {
    SESSION.with_borrow(|session| does(session))
}
