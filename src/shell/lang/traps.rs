//! Traps: what a shell does about signals, its end, and failures.

use super::{Flow, Res, Shell};
use crate::shell::{Disposition, Signal};
use std::collections::BTreeMap;

/// EXIT is 0, signals are their numbers, ERR comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::shell) struct TrapKey(u8);

impl TrapKey {
    pub(in crate::shell) const EXIT: TrapKey = TrapKey(0);
    const ERR: TrapKey = TrapKey(65);

    pub(in crate::shell) fn parse(text: &str) -> Option<TrapKey> {
        match text {
            "ERR" => Some(TrapKey::ERR),
            "0" => Some(TrapKey::EXIT),
            _ if text.eq_ignore_ascii_case("EXIT") => Some(TrapKey::EXIT),
            _ => Signal::parse(text).map(|signal| TrapKey(signal.0)),
        }
    }

    pub(in crate::shell) fn name(self) -> String {
        match self {
            TrapKey::EXIT => "EXIT".to_owned(),
            TrapKey::ERR => "ERR".to_owned(),
            TrapKey(number) => Signal(number).name(),
        }
    }

    fn signal(self) -> Option<Signal> {
        (self != TrapKey::EXIT && self != TrapKey::ERR).then_some(Signal(self.0))
    }
}

impl Shell {
    /// Sets, ignores (empty) or resets (`None`) a trap.
    pub(in crate::shell) fn set_trap(&mut self, key: TrapKey, action: Option<&str>) {
        match action {
            Some(action) => {
                self.may_have_traps |= !action.is_empty();
                self.traps.insert(key, action.to_owned());
            }
            None => drop(self.traps.remove(&key)),
        }
        if let Some(signal) = key.signal() {
            self.sync_signal(signal);
        }
    }

    /// Tells the kernel what the shell wants done about a signal.
    pub(super) fn sync_signal(&self, signal: Signal) {
        if signal == Signal::KILL || signal == Signal::STOP {
            return;
        }
        let own = self.traps.get(&TrapKey(signal.0));
        let wanted = match own {
            Some(action) if action.is_empty() => Disposition::Ignore,
            Some(_) => Disposition::Catch,
            // The first shell of a script catches interrupts to clean up, and minds no QUIT.
            None if self.is_root_shell && signal == Signal::INT => Disposition::Catch,
            None if self.is_root_shell && signal == Signal::QUIT => Disposition::Ignore,
            None => Disposition::Default,
        };
        if !self.hard_ignored.contains(&signal.0) {
            self.sys.set_signal(signal, wanted);
        }
    }

    /// In a forked shell handlers are gone; ignored signals stay ignored.
    pub(super) fn clear_traps(&mut self) {
        let old = std::mem::take(&mut self.traps);
        for (key, action) in old {
            if action.is_empty() {
                self.traps.insert(key, action);
            } else if let Some(signal) = key.signal() {
                self.sys.set_signal(signal, Disposition::Default);
            }
        }
        if self.is_root_shell && self.sys.signal(Signal::INT) == Disposition::Catch {
            self.sys.set_signal(Signal::INT, Disposition::Default);
        }
        self.may_have_traps = false;
    }

    /// Runs the actions of signals that came. They see `$?` and leave it as it was.
    pub(in crate::shell) async fn run_traps(&mut self) -> Res<()> {
        for signal in self.sys.take_signals() {
            let action = self.traps.get(&TrapKey(signal.0)).cloned();
            match action {
                Some(action) if !action.is_empty() => {
                    let status = self.status;
                    let outer = self.trap_status.replace(status);
                    let result = self.trap_text(&action).await;
                    self.trap_status = outer;
                    match result {
                        Err(Flow::Return(_)) if self.bare_return => {
                            return Err(Flow::Return(status));
                        }
                        result => drop(result?),
                    }
                    self.status = status;
                }
                Some(_) => {}
                None if signal == Signal::INT => return Err(Flow::Exit(130)),
                None => {}
            }
        }
        Ok(())
    }

    fn trap_text<'a>(&'a mut self, action: &'a str) -> super::Running<'a> {
        Box::pin(self.run_text(action, false, false))
    }

    pub(super) async fn run_err_trap(&mut self) -> Res<()> {
        let action = self.traps.get(&TrapKey::ERR).cloned();
        let Some(action) = action.filter(|_| !self.in_err_trap) else { return Ok(()) };
        let status = self.status;
        self.in_err_trap = true;
        let result = self.trap_text(&action).await;
        self.in_err_trap = false;
        self.status = status;
        match result {
            Ok(_) | Err(Flow::Error(_)) => Ok(()),
            Err(flow) => Err(flow),
        }
    }

    /// Functions do not see the ERR trap, unless `set -E`.
    pub(super) fn take_err_trap(&mut self) -> Option<String> {
        if self.options.has('E') { None } else { self.traps.remove(&TrapKey::ERR) }
    }

    pub(super) fn put_err_trap(&mut self, action: Option<String>) {
        if let Some(action) = action {
            self.traps.entry(TrapKey::ERR).or_insert(action);
        }
    }

    /// What `trap` lists.
    pub(in crate::shell) fn listed_traps(&self) -> &BTreeMap<TrapKey, String> {
        self.shown_traps.as_ref().unwrap_or(&self.traps)
    }
}
