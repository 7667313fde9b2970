//! `sh` itself: its command line, and what it reads.

use super::{Flow, Params, Res, Shell, Vars};
use crate::shell::syntax::{Parsed, Parser};
use crate::shell::{Disposition, Errno, OpenHow, Signal, Sys, bytes};
use std::rc::Rc;

/// The program `sh`.
pub(in crate::shell) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut shell = fresh(sys, &argv);
    let result = shell.main(&argv).await;
    shell.finish(result).await
}

fn fresh(sys: Sys, argv: &[String]) -> Shell {
    let vars = initial_vars(&sys);
    let ignored = |number: &u8| sys.signal(Signal(*number)) == Disposition::Ignore;
    let hard_ignored = (1..65).filter(ignored).collect();
    Shell {
        root_pid: sys.pid(),
        vars,
        params: Params { opt_index: 1, ..Params::default() },
        functions: Rc::default(),
        aliases: Rc::default(),
        options: Default::default(),
        traps: Default::default(),
        shown_traps: None,
        may_have_traps: false,
        trap_status: None,
        bare_return: false,
        in_err_trap: false,
        status: 0,
        substitution_status: 0,
        background: 0,
        jobs: Vec::new(),
        loops: 0,
        functions_deep: 0,
        depth: 0,
        line: 0,
        name: argv.first().cloned().unwrap_or_else(|| "sh".to_owned()),
        command_name: None,
        is_root_shell: true,
        in_own_script: false,
        offset: 0,
        hash: Default::default(),
        in_xtrace: false,
        process_fds: Vec::new(),
        hard_ignored,
        sys,
    }
}

fn initial_vars(sys: &Sys) -> Vars {
    let mut vars = Vars::default();
    let mut set = |name: &str, value: Option<&str>, export: bool| {
        let var = vars.entry(name);
        var.value = value.map(Rc::from);
        var.export = export;
    };
    set("PATH", Some(super::command::DEFAULT_PATH), false);
    set("PS1", Some("\\w \\$ "), false);
    set("PS2", Some("> "), false);
    set("PS4", Some("+ "), false);
    for (name, value) in sys.env().iter() {
        set(name, Some(value), true);
    }
    set("IFS", Some(" \t\n"), false);
    set("OPTIND", Some("1"), false);
    set("PPID", Some(&sys.ppid().to_string()), false);
    let level: i64 = sys.getenv("SHLVL").and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    set("SHLVL", Some(&(level + 1).to_string()), true);
    if sys.getenv("HOSTNAME").is_none() {
        set("HOSTNAME", Some(&sys.hostname()), false);
    }
    let cwd = sys.cwd();
    let logical = sys
        .getenv("PWD")
        .filter(|pwd| pwd.starts_with('/') && sys.realpath(pwd).is_ok_and(|(real, _)| real == cwd));
    set("PWD", Some(&logical.unwrap_or(cwd)), true);
    for name in ["LINENO", "RANDOM", "EPOCHSECONDS", "EPOCHREALTIME"] {
        let var = vars.entry(name);
        var.value = Some(Rc::from(""));
        var.dynamic = true;
    }
    vars
}

impl Shell {
    /// Takes the options; where the rest starts, and whether `-c` was among them.
    async fn start_options(&mut self, argv: &[String]) -> Res<(usize, bool)> {
        let mut at = 1;
        let mut command = false;
        while let Some(arg) = argv.get(at) {
            let on = arg.starts_with('-');
            if !(on || arg.starts_with('+')) {
                break;
            }
            at += 1;
            if arg == "-" || arg == "--" {
                break;
            }
            if on && arg.starts_with("--") {
                continue;
            }
            for letter in arg.chars().skip(1) {
                match letter {
                    'c' => {
                        command = true;
                        self.options.set('c', true);
                    }
                    'l' => {}
                    'o' => {
                        let Some(name) = argv.get(at) else { continue };
                        at += 1;
                        if !self.options.set_named(name, on) {
                            return self.raise(&format!("illegal option -o {name}")).await;
                        }
                    }
                    _ if self.options.set(letter, on) => {}
                    _ => {
                        let sign = if on { '-' } else { '+' };
                        return self.raise(&format!("illegal option {sign}{letter}")).await;
                    }
                }
            }
        }
        Ok((at, command))
    }

    async fn main(&mut self, argv: &[String]) -> Res {
        let (at, command) = self.start_options(argv).await?;
        let mut rest = argv.get(at..).unwrap_or(&[]).iter().cloned();
        if command {
            let Some(script) = rest.next() else {
                return self.raise("-c requires an argument").await;
            };
            if let Some(name) = rest.next() {
                self.name = name;
                self.command_name = Some(self.name.clone());
            }
            self.params.args = Rc::new(rest.collect());
            self.take_signals_over();
            self.in_own_script = self.sys.is_init();
            return self.run_text(&script, false, !self.options.has('s')).await;
        }
        match rest.next().filter(|_| !self.options.has('s')) {
            Some(path) => {
                self.name = path.clone();
                self.command_name = Some(path.clone());
                self.params.args = Rc::new(rest.collect());
                self.take_signals_over();
                self.run_file(&path).await
            }
            None => {
                self.options.set('s', true);
                let rest: Vec<String> = argv.get(at..).unwrap_or(&[]).to_vec();
                self.params.args = Rc::new(rest);
                self.take_signals_over();
                self.run_stdin().await
            }
        }
    }

    fn take_signals_over(&self) {
        for signal in [Signal::INT, Signal::QUIT] {
            self.sync_signal(signal);
        }
    }

    async fn run_file(&mut self, path: &str) -> Res {
        match self.read_script(path).await {
            Ok(text) => {
                self.line = 1;
                self.run_text(&text, false, false).await
            }
            Err(errno) => {
                let why = match errno {
                    Errno::NoEnt | Errno::NotDir => "No such file or directory",
                    other => other.text(),
                };
                self.command_name = None;
                self.name = "sh".to_owned();
                self.complain(&format!("can't open '{path}': {why}")).await;
                Err(Flow::Error(2))
            }
        }
    }

    pub(in crate::shell) async fn read_script(&mut self, path: &str) -> Result<String, Errno> {
        let fd = self.sys.open(path, OpenHow::READ).await?;
        let data = self.sys.read_all(fd).await;
        let _ = self.sys.close(fd);
        data.map(|data| bytes::to_text(&data))
    }

    /// Runs what comes on stdin, as it comes.
    async fn run_stdin(&mut self) -> Res {
        let mut text = String::new();
        let mut ended = false;
        let mut line = 1;
        let mut status = 0;
        loop {
            let mut parser = Parser::new(Rc::from(text.as_str()), line);
            let aliases = Rc::clone(&self.aliases);
            // A command is whole when its line is; more may come otherwise.
            let parsed = parser.next_command(&aliases);
            let whole = text[..parser.offset().min(text.len())].ends_with('\n');
            match parsed {
                Ok(Parsed::Command(node)) if whole || ended => {
                    self.consume(&mut text, &parser, &mut line);
                    status = self.eval(&node, false, false).await?;
                    continue;
                }
                Ok(Parsed::Nothing) => {
                    self.consume(&mut text, &parser, &mut line);
                    continue;
                }
                Ok(Parsed::End) if ended => return Ok(status),
                Err(error) if ended || !error.incomplete => return self.raise_syntax(&error).await,
                _ => {}
            }
            match self.sys.read(0, 8192).await {
                Ok(more) => {
                    ended = more.is_empty();
                    text.push_str(&bytes::to_text(&more));
                }
                Err(Errno::Intr) => self.run_traps().await?,
                Err(_) => ended = true,
            }
        }
    }

    fn consume(&self, text: &mut String, parser: &Parser, line: &mut u32) {
        *line = parser.line();
        *text = text.get(parser.offset()..).unwrap_or("").to_owned();
    }
}
