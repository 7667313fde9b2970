//! Threads of a program: futures that share its process and are polled in turn whenever it wakes.
//! They end with the program's own future.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

type Thread = Pin<Box<dyn Future<Output = ()>>>;

/// Where new threads wait for their first turn.
#[derive(Clone, Default)]
pub(super) struct Threads {
    new: Rc<RefCell<Vec<Thread>>>,
}

impl Threads {
    pub(super) fn start(&self, thread: impl Future<Output = ()> + 'static) {
        self.new.borrow_mut().push(Box::pin(thread));
    }

    /// Runs `main` and all threads until `main` is done.
    pub(super) async fn run<T>(&self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        let mut running: Vec<Thread> = Vec::new();
        poll_fn(move |context| {
            if let Poll::Ready(done) = main.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            running.retain_mut(|thread| thread.as_mut().poll(context).is_pending());
            // A thread may start others, which wait for nothing yet.
            loop {
                let new = std::mem::take(&mut *self.new.borrow_mut());
                if new.is_empty() {
                    return Poll::Pending;
                }
                let mut wait = |thread: &mut Thread| thread.as_mut().poll(context).is_pending();
                running.extend(new.into_iter().filter_map(|mut t| wait(&mut t).then_some(t)));
            }
        })
        .await
    }
}
