//! Simple commands: arguments, redirections, assignments, and what runs. Models evalcommand(),
//! find_command() and shellexec() of busybox ash.

use super::expand::Tilde;
use super::jobs::Fork;
use super::{Flow, Params, Res, Running, Shell};
use crate::shell::builtins::{self, Builtin};
use crate::shell::syntax::{Node, NodeRef, Simple, Word};
use crate::shell::{Env, Errno};
use std::rc::Rc;

/// Where `command -p` and an unset `PATH` look.
pub(in crate::shell) const DEFAULT_PATH: &str = "/sbin:/usr/sbin:/bin:/usr/bin";

/// What a name runs.
#[derive(Clone)]
pub(in crate::shell) enum Found {
    Function(NodeRef),
    Builtin(&'static Builtin),
    Path(String),
    Unknown(Errno),
}

/// A command on its way: its words and how it was asked for.
struct Call {
    argv: Vec<String>,
    /// The builtin its first word names, when nothing else does.
    builtin: Option<&'static Builtin>,
    /// The first builtin met was special: its failures end the shell.
    special: bool,
    /// `command` came before: functions do not count.
    no_functions: bool,
    path: Option<String>,
}

impl Shell {
    pub(super) async fn simple(
        &mut self,
        simple: &Simple,
        node: &Node,
        tested: bool,
        exits: bool,
    ) -> Res {
        self.line = node.line;
        self.offset = node.span.start;
        self.substitution_status = 0;
        let n_process_fds = self.process_fds.len();
        let call = Box::pin(self.arguments(simple)).await?;
        let trace_fd = match self.options.has('x') && !simple.redirects.is_empty() {
            true => self.sys.dup_high(2, 10).ok(),
            false => None,
        };
        let redirected = match simple.redirects.is_empty() {
            true => Ok(Default::default()),
            false => Box::pin(self.redirect(&simple.redirects)).await?,
        };
        let saved = match redirected {
            Ok(saved) => saved,
            Err(()) if call.special => return Err(Flow::Error(1)),
            Err(()) => return Ok(1),
        };
        let saved = match exits && self.is_replaced(&call) {
            true => {
                self.keep(saved);
                Default::default()
            }
            false => saved,
        };
        let local = !call.argv.is_empty() && !call.special;
        if local {
            self.vars.push_frame();
        }
        let assigned = self.with_assignments(simple, &call, (tested, exits), trace_fd);
        let result = Box::pin(assigned).await;
        let keeps = call.argv.first().is_some_and(|name| name == "exec");
        if !(keeps && result.is_ok()) {
            self.restore(saved);
        } else {
            self.keep(saved);
        }
        for fd in self.process_fds.split_off(n_process_fds.min(self.process_fds.len())) {
            let _ = self.sys.close(fd);
        }
        if local {
            self.vars.pop_frame();
        }
        result
    }

    /// Whether this process becomes the program: then nothing is put back, and what a redirection
    /// took away is closed at once, so that nobody waits for its other end.
    fn is_replaced(&self, call: &Call) -> bool {
        let program = call.argv.first().is_some_and(|name| !self.functions.contains_key(name));
        program && call.builtin.is_none() && !self.may_have_traps
    }

    /// Expands the words. The first decides how those that look like assignments are taken.
    async fn arguments(&mut self, simple: &Simple) -> Res<Call> {
        let mut call = Call {
            argv: Vec::new(),
            builtin: None,
            special: false,
            no_functions: false,
            path: None,
        };
        let mut words = simple.words.iter();
        let mut decided = false;
        let mut assigns = false;
        loop {
            while !decided && !call.argv.is_empty() {
                let name = call.argv[0].clone();
                call.builtin = match self.functions.contains_key(&name) && !call.no_functions {
                    true => None,
                    false => builtins::find(&name).filter(|b| b.regular),
                };
                let Some(builtin) = call.builtin else { break };
                call.special |= builtin.special && !call.no_functions;
                assigns = builtin.assigns;
                if name != "command" || !self.strip_command(&mut call, &mut words).await? {
                    decided = true;
                }
            }
            decided |= !call.argv.is_empty();
            let Some(word) = words.next() else { return Ok(call) };
            self.argument(word, assigns, &mut call.argv).await?;
        }
    }

    async fn argument(&mut self, word: &Word, assigns: bool, argv: &mut Vec<String>) -> Res<()> {
        match word.assigns_to() {
            Some(name) if assigns => {
                let name = name.to_owned();
                let value = self.expand_text(&word.value_part(), Tilde::Assignment).await?;
                argv.push(format!("{name}={value}"));
                Ok(())
            }
            _ => self.expand_fields(word, argv).await,
        }
    }

    /// Takes `command` and its options off. False leaves it as the command to run.
    async fn strip_command(
        &mut self,
        call: &mut Call,
        words: &mut std::slice::Iter<'_, Word>,
    ) -> Res<bool> {
        let mut at = 1;
        let mut path = None;
        loop {
            while call.argv.len() <= at {
                let Some(word) = words.next() else { return Ok(false) };
                self.argument(word, false, &mut call.argv).await?;
            }
            let arg = call.argv[at].as_str();
            if arg == "--" {
                at += 1;
                while call.argv.len() <= at {
                    let Some(word) = words.next() else { return Ok(false) };
                    self.argument(word, false, &mut call.argv).await?;
                }
                break;
            }
            match arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                None => break,
                Some(letters) if letters.bytes().all(|b| b == b'p') => {
                    path = Some(DEFAULT_PATH.to_owned());
                    at += 1;
                }
                Some(_) => return Ok(false),
            }
        }
        call.argv.drain(..at);
        call.no_functions = true;
        call.path = path;
        Ok(true)
    }

    async fn with_assignments(
        &mut self,
        simple: &Simple,
        call: &Call,
        (tested, exits): (bool, bool),
        trace_fd: Option<u32>,
    ) -> Res {
        let local = !call.argv.is_empty() && !call.special;
        let exported = call.argv.len() > 1 && call.argv[0] == "exec";
        let mut assigned = Vec::new();
        for assign in &simple.assigns {
            let value = self.expand_text(&assign.value, Tilde::Assignment).await?;
            if local {
                self.vars.save(&assign.name);
            }
            let done = self.assign(&assign.name, &value, local || exported);
            if let Err(message) = done {
                return self.raise(&message).await;
            }
            if self.options.has('x') {
                assigned.push((assign.name.clone(), value));
            }
        }
        if self.options.has('x') || trace_fd.is_some() {
            Box::pin(self.trace(&assigned, &call.argv, trace_fd)).await;
        }
        if call.argv.is_empty() {
            return Ok(self.substitution_status);
        }
        let found = match call.builtin {
            Some(builtin) => Found::Builtin(builtin),
            None => self.find(&call.argv[0], call.no_functions, call.path.as_deref()),
        };
        match found {
            Found::Builtin(builtin) => Box::pin(self.run_builtin(builtin, call, tested)).await,
            Found::Function(body) => Box::pin(self.call_function(&body, &call.argv, tested)).await,
            Found::Path(path) => Box::pin(self.run_program(&path, &call.argv, exits)).await,
            Found::Unknown(errno) => {
                let why = not_found_words(errno);
                self.complain(&format!("{}: {why}", call.argv[0])).await;
                Ok(127)
            }
        }
    }

    /// What a name runs, remembering where programs are.
    pub(in crate::shell) fn find(
        &mut self,
        name: &str,
        no_functions: bool,
        path: Option<&str>,
    ) -> Found {
        if name.contains('/') {
            return Found::Path(name.to_owned());
        }
        if !no_functions && let Some(body) = self.functions.get(name) {
            return Found::Function(Rc::clone(body));
        }
        if let Some(builtin) = builtins::find(name) {
            return Found::Builtin(builtin);
        }
        if path.is_none()
            && let Some((known, hits)) = self.hash.get_mut(name)
        {
            *hits += 1;
            return Found::Path(known.clone());
        }
        let own = self.vars.value("PATH").unwrap_or_else(|| Rc::from(DEFAULT_PATH));
        match self.sys.find_regular(path.unwrap_or(&own), name) {
            Ok(found) => {
                if path.is_none() {
                    self.hash.insert(name.to_owned(), (found.clone(), 0));
                }
                Found::Path(found)
            }
            Err(errno) => Found::Unknown(errno),
        }
    }

    async fn run_builtin(&mut self, builtin: &'static Builtin, call: &Call, tested: bool) -> Res {
        // A loop of builtins must see its children end, too. `wait` speaks of those it takes in.
        if builtin.name != "wait" {
            self.collect_children();
        }
        let name = self.command_name.replace(call.argv[0].clone());
        let run: Running<'_> = builtins::run(builtin, self, &call.argv, tested);
        let result = run.await;
        self.command_name = name;
        match result {
            Err(Flow::Error(_)) if !call.special => Ok(self.status),
            result => result,
        }
    }

    async fn call_function(&mut self, body: &NodeRef, argv: &[String], tested: bool) -> Res {
        let args = Rc::new(argv[1..].to_vec());
        let params = Params { args, opt_index: 1, opt_offset: None };
        let params = std::mem::replace(&mut self.params, params);
        let line = self.line;
        let err_trap = self.take_err_trap();
        self.functions_deep += 1;
        let result = self.eval(body, tested, false).await;
        self.functions_deep -= 1;
        self.put_err_trap(err_trap);
        self.params = params;
        self.line = line;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            result => result,
        }
    }

    async fn run_program(&mut self, path: &str, argv: &[String], exits: bool) -> Res {
        let env: Env = Rc::new(self.vars.exported());
        if exits && !self.may_have_traps {
            let code = self.replace_by(path, argv.to_vec(), env).await;
            return Err(Flow::Exit(code));
        }
        let path = path.to_owned();
        let argv = argv.to_vec();
        let place = Node {
            kind: crate::shell::syntax::NodeKind::Simple(Simple::default()),
            line: self.line,
            span: Default::default(),
        };
        let fork = self.fork(&place, Fork::Foreground, move |mut child| async move {
            child.replace_by(&path, argv, env).await
        });
        let pid = fork.await?;
        let job = self.add_job(pid);
        Ok(self.wait_for_job(job).await)
    }

    /// Becomes a program; gives its exit code, or 126 or 127 after saying why not.
    pub(in crate::shell) async fn replace_by(
        &mut self,
        path: &str,
        argv: Vec<String>,
        env: Env,
    ) -> i32 {
        self.traps.clear();
        if self.is_root_shell {
            use crate::shell::{Disposition, Signal};
            for signal in [Signal::INT, Signal::QUIT] {
                if !self.hard_ignored.contains(&signal.0) {
                    self.sys.set_signal(signal, Disposition::Default);
                }
            }
        }
        let name = argv.first().cloned().unwrap_or_default();
        let run = self.sys.exec(path, argv.clone(), Env::clone(&env));
        let errno = match run.await {
            Ok(code) => return code,
            Err(errno) => errno,
        };
        if errno == Errno::NoExec {
            let mut script = vec!["sh".to_owned(), path.to_owned()];
            script.extend(argv.into_iter().skip(1));
            let again = self.sys.exec("/bin/sh", script, env);
            if let Ok(code) = again.await {
                return code;
            }
        }
        self.complain(&format!("{name}: {}", not_found_words(errno))).await;
        if errno == Errno::NoEnt || errno == Errno::NotDir { 127 } else { 126 }
    }
}

fn not_found_words(errno: Errno) -> &'static str {
    match errno {
        Errno::NoEnt | Errno::NotDir => "not found",
        other => other.text(),
    }
}
