//! Variables, and the frames that give them back their old values.

use super::{Res, Shell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Shorter values are part of what any shell is taken to need, in bytes.
const LONG: usize = 32 << 10;
/// The most that one shell's long values take together, in bytes.
const VARIABLES_MAX: u64 = 32 << 20;

#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::shell) struct Var {
    /// `None`: known (exported, say) but not set.
    pub(in crate::shell) value: Option<Rc<str>>,
    pub(in crate::shell) export: bool,
    pub(in crate::shell) read_only: bool,
    /// `RANDOM`, `LINENO`: made at each look, until assigned or unset.
    pub(in crate::shell) dynamic: bool,
}

/// All variables. Shared until changed, so that a fork is cheap.
#[derive(Clone, Debug, Default)]
pub(in crate::shell) struct Vars {
    map: Rc<BTreeMap<String, Var>>,
    /// Values to restore, a frame for each function call or command with assignments.
    frames: Vec<Vec<(String, Option<Var>)>>,
}

impl Vars {
    pub(in crate::shell) fn get(&self, name: &str) -> Option<&Var> {
        self.map.get(name)
    }

    pub(in crate::shell) fn value(&self, name: &str) -> Option<Rc<str>> {
        self.map.get(name)?.value.clone()
    }

    pub(in crate::shell) fn entry(&mut self, name: &str) -> &mut Var {
        let map = Rc::make_mut(&mut self.map);
        if !map.contains_key(name) {
            map.insert(name.to_owned(), Var::default());
        }
        map.entry(name.to_owned()).or_default()
    }

    pub(in crate::shell) fn put(&mut self, name: &str, var: Option<Var>) {
        let map = Rc::make_mut(&mut self.map);
        match var {
            Some(var) => drop(map.insert(name.to_owned(), var)),
            None => drop(map.remove(name)),
        }
    }

    /// Variables by name.
    pub(in crate::shell) fn iter(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.map.iter()
    }

    pub(in crate::shell) fn push_frame(&mut self) {
        self.frames.push(Vec::new());
    }

    pub(in crate::shell) fn pop_frame(&mut self) {
        for (name, old) in self.frames.pop().unwrap_or_default().into_iter().rev() {
            self.put(&name, old);
        }
    }

    pub(in crate::shell) fn n_frames(&self) -> usize {
        self.frames.len()
    }

    /// Remembers a variable so that the newest frame restores it.
    /// Tells whether it was not remembered before.
    pub(in crate::shell) fn save(&mut self, name: &str) -> bool {
        let old = self.map.get(name).cloned();
        let Some(frame) = self.frames.last_mut() else { return true };
        let new = !frame.iter().any(|(saved, _)| saved == name);
        if new {
            frame.push((name.to_owned(), old));
        }
        new
    }

    /// `KEY`, value of what children get.
    pub(in crate::shell) fn exported(&self) -> Vec<(String, String)> {
        let set = self.map.iter().filter(|(_, var)| var.export);
        let pair =
            |(name, var): (&String, &Var)| Some((name.clone(), var.value.as_deref()?.to_owned()));
        set.filter_map(pair).collect()
    }
}

impl Shell {
    /// A variable's value, the dynamic ones made now.
    pub(in crate::shell) fn var(&mut self, name: &str) -> Option<Rc<str>> {
        let var = self.vars.get(name)?;
        if !var.dynamic {
            return var.value.clone();
        }
        match name {
            "RANDOM" => Some(Rc::from(self.sys.random(32_768).to_string())),
            "LINENO" => Some(Rc::from(self.line.to_string())),
            "EPOCHSECONDS" => Some(Rc::from((self.sys.wall_unix_micros() / 1_000_000).to_string())),
            "EPOCHREALTIME" => {
                let micros = self.sys.wall_unix_micros();
                Some(Rc::from(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)))
            }
            _ => var.value.clone(),
        }
    }

    /// Assigns; a readonly variable is an error that ends a script.
    pub(in crate::shell) async fn set_var(&mut self, name: &str, value: &str) -> Res<()> {
        self.set_var_export(name, value, false).await
    }

    pub(in crate::shell) async fn set_var_export(
        &mut self,
        name: &str,
        value: &str,
        export: bool,
    ) -> Res<()> {
        match self.assign(name, value, export) {
            Ok(()) => Ok(()),
            Err(message) => self.raise(&message).await,
        }
    }

    /// Assigns, or says in ash's words why not.
    pub(in crate::shell) fn assign(
        &mut self,
        name: &str,
        value: &str,
        export: bool,
    ) -> Result<(), String> {
        if self.vars.get(name).is_some_and(|var| var.read_only && !var.dynamic) {
            return Err(format!("{name}: is read only"));
        }
        if self.hold_variable(name, value.len()) > VARIABLES_MAX {
            self.sys.limit_reached("a shell's variables grew over 32 million characters");
            return Err("out of memory".to_owned());
        }
        let export_all = self.options.has('a');
        let var = self.vars.entry(name);
        var.value = Some(Rc::from(value));
        var.dynamic = var.dynamic && name == "LINENO";
        var.export |= export || export_all;
        match name {
            "OPTIND" => {
                let index = value.trim().parse::<usize>().unwrap_or(0);
                self.params.opt_index = index.max(1);
                self.params.opt_offset = None;
            }
            "PATH" => self.hash.clear(),
            _ => {}
        }
        Ok(())
    }

    /// Counts a long value as memory this shell holds; a container that may not have so much ends.
    /// Tells how much all long values take.
    fn hold_variable(&mut self, name: &str, n_bytes: usize) -> u64 {
        let before = self.vars.value(name).map_or(0, |old| old.len());
        if n_bytes.max(before) < LONG {
            return 0;
        }
        let all = self.long_values(name) + n_bytes as u64;
        self.sys.hold(all);
        all
    }

    /// Counts a text that is being put together.
    pub(in crate::shell) fn hold_text(&self, n_bytes: usize) {
        self.sys.hold(self.long_values("") + n_bytes as u64);
    }

    /// What the long values of all variables but one take, in bytes.
    fn long_values(&self, but: &str) -> u64 {
        let long = |(name, var): (&String, &Var)| {
            let n = var.value.as_ref().map_or(0, |value| value.len());
            if name == but || n < LONG { 0 } else { n as u64 }
        };
        self.vars.iter().map(long).sum()
    }

    pub(in crate::shell) async fn unset_var(&mut self, name: &str) -> Res<()> {
        if self.vars.get(name).is_some_and(|var| var.read_only) {
            return self.raise(&format!("{name}: is read only")).await;
        }
        self.vars.put(name, None);
        match name {
            "PATH" => self.hash.clear(),
            "OPTIND" => (self.params.opt_index, self.params.opt_offset) = (1, None),
            _ => {}
        }
        Ok(())
    }

    /// Makes a variable local to the newest frame; tells whether it was not before.
    pub(in crate::shell) fn make_local(&mut self, name: &str) -> bool {
        name != "-" && self.vars.save(name)
    }

    /// `IFS`, or its default when it is unset.
    pub(in crate::shell) fn ifs(&self) -> Rc<str> {
        self.vars.value("IFS").unwrap_or_else(|| Rc::from(" \t\n"))
    }
}
