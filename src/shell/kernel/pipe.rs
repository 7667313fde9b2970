//! Pipes, FIFOs, and the two directions of a socket: bounded byte queues with ends that count.

use super::fd::Opened;
use super::io::Step;
use super::{Fd, Kernel, OpenHow, ProcId};
use crate::shell::{Errno, Signal};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

pub type PipeRef = Rc<RefCell<Pipe>>;

/// Linux's capacity, in bytes.
pub const CAPACITY: usize = 65_536;
/// Writes up to this size are never torn.
const ATOMIC: usize = 4_096;

/// A queue of bytes between processes.
#[derive(Debug, Default)]
pub struct Pipe {
    /// Tells it from the other pipes of the machine; 0 until somebody opens it.
    pub number: u32,
    pub data: VecDeque<u8>,
    pub readers: usize,
    pub writers: usize,
    /// How many ever opened each end, so that a FIFO's opener sees that its other half came by.
    pub readers_ever: u64,
    pub writers_ever: u64,
    /// Processes to wake when anything changes.
    pub waiting: Vec<ProcId>,
    /// The other side went away without reading: reads fail instead of ending.
    pub reset: bool,
}

impl Pipe {
    pub fn new() -> PipeRef {
        Rc::new(RefCell::new(Pipe::default()))
    }

    pub fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.data.len())
    }

    pub fn wait(&mut self, id: ProcId) {
        if !self.waiting.contains(&id) {
            self.waiting.push(id);
        }
    }

    /// Takes up to `max` bytes.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let n = max.min(self.data.len());
        self.data.drain(..n).collect()
    }
}

impl Kernel {
    pub(super) fn pipe_opened(&mut self, pipe: &PipeRef, how: OpenHow) {
        let mut ends = pipe.borrow_mut();
        if ends.number == 0 {
            self.n_pipes += 1;
            ends.number = self.n_pipes;
        }
        if how.read {
            ends.readers += 1;
            ends.readers_ever += 1;
        }
        if how.write {
            ends.writers += 1;
            ends.writers_ever += 1;
        }
        let waiting = std::mem::take(&mut ends.waiting);
        drop(ends);
        self.wake_all(waiting);
    }

    /// Makes a pipe: (read end, write end).
    pub fn pipe(&mut self, id: ProcId) -> Result<(Fd, Fd), Errno> {
        self.n_pipes += 1;
        let ends = Pipe { number: self.n_pipes, readers: 1, writers: 1, ..Pipe::default() };
        let pipe = Rc::new(RefCell::new(ends));
        let read = self.new_fd(id, Opened::PipeRead(Rc::clone(&pipe)), OpenHow::READ)?;
        let how = OpenHow { create: false, truncate: false, ..OpenHow::WRITE };
        let write = self.new_fd(id, Opened::PipeWrite(pipe), how)?;
        Ok((read, write))
    }

    pub fn end_closed(&mut self, pipe: &PipeRef, reader: bool, writer: bool) {
        let mut ends = pipe.borrow_mut();
        ends.readers = ends.readers.saturating_sub(usize::from(reader));
        ends.writers = ends.writers.saturating_sub(usize::from(writer));
        if ends.readers == 0 && ends.writers == 0 {
            ends.data.clear();
        }
        let waiting = std::mem::take(&mut ends.waiting);
        drop(ends);
        self.wake_all(waiting);
    }

    pub(super) fn read_pipe(
        &mut self,
        id: ProcId,
        pipe: &PipeRef,
        max: usize,
    ) -> Result<Step<Vec<u8>>, Errno> {
        let mut ends = pipe.borrow_mut();
        if ends.data.is_empty() {
            if ends.reset {
                return Err(Errno::ConnReset);
            }
            if ends.writers == 0 {
                return Ok(Step::Done(Vec::new()));
            }
            ends.wait(id);
            return Ok(Step::Block);
        }
        let data = ends.take(max);
        let waiting = std::mem::take(&mut ends.waiting);
        drop(ends);
        self.wake_all(waiting);
        Ok(Step::Done(data))
    }

    pub(super) fn broken(&mut self, id: ProcId) -> Result<Step<usize>, Errno> {
        self.send_signal(id, Signal::PIPE, false);
        Err(Errno::Pipe)
    }

    pub(super) fn write_pipe(
        &mut self,
        id: ProcId,
        pipe: &PipeRef,
        data: &[u8],
    ) -> Result<Step<usize>, Errno> {
        let mut ends = pipe.borrow_mut();
        if ends.readers == 0 {
            drop(ends);
            return self.broken(id);
        }
        let room = ends.room();
        if data.is_empty() {
            return Ok(Step::Done(0));
        }
        if room == 0 || (data.len() <= ATOMIC && room < data.len()) {
            ends.wait(id);
            return Ok(Step::Block);
        }
        let n = room.min(data.len());
        ends.data.extend(&data[..n]);
        let waiting = std::mem::take(&mut ends.waiting);
        drop(ends);
        self.wake_all(waiting);
        Ok(Step::Done(n))
    }
}
