//! The shell's builtins, by name. Their words and statuses are those of busybox 1.36 ash.

mod directory;
mod flow;
mod inform;
mod job_control;
mod options;
mod output;
mod read;
mod variables;

use super::lang::{Res, Running, Shell};

type Run = for<'a> fn(&'a mut Shell, &'a [String], bool) -> Running<'a>;

/// A builtin and how the shell treats it.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    /// Its failures end a script, and assignments before it stay.
    pub(super) special: bool,
    /// It is found before `PATH` is looked at, and by `command`.
    pub(super) regular: bool,
    /// Its arguments `name=value` are taken as assignments: not split.
    pub(super) assigns: bool,
    run: Run,
}

macro_rules! table {
    ($($kind:ident $name:literal $run:path;)*) => {
        static TABLE: &[Builtin] = &[$(Builtin {
            name: $name,
            special: kind::$kind.0,
            regular: kind::$kind.1,
            assigns: kind::$kind.2,
            run: |shell, argv, tested| Box::pin($run(shell, argv, tested)),
        },)*];
    };
}

/// (special, regular, assigns) by the names ash gives them.
#[allow(non_upper_case_globals, reason = "they read as the table's own words")]
mod kind {
    pub(super) const nospec: (bool, bool, bool) = (false, false, false);
    pub(super) const regular: (bool, bool, bool) = (false, true, false);
    pub(super) const special: (bool, bool, bool) = (true, true, false);
    pub(super) const assigns: (bool, bool, bool) = (false, true, true);
    pub(super) const special_assigns: (bool, bool, bool) = (true, true, true);
}

table! {
    special "." flow::dot;
    special ":" flow::yes;
    regular "[" output::test;
    regular "[[" output::test;
    assigns "alias" inform::alias;
    regular "bg" job_control::bg_fg;
    special "break" flow::break_continue;
    regular "cd" directory::cd;
    nospec "chdir" directory::cd;
    regular "command" inform::command;
    special "continue" flow::break_continue;
    regular "echo" output::echo;
    special "eval" flow::eval;
    special "exec" flow::exec;
    special "exit" flow::exit;
    special_assigns "export" variables::export;
    regular "false" flow::no;
    regular "fg" job_control::bg_fg;
    regular "getopts" options::getopts;
    regular "hash" inform::hash;
    nospec "help" inform::help;
    nospec "history" flow::yes;
    regular "jobs" job_control::jobs;
    regular "kill" job_control::kill;
    nospec "let" variables::let_;
    special_assigns "local" variables::local;
    regular "printf" output::printf;
    regular "pwd" directory::pwd;
    regular "read" read::read;
    special_assigns "readonly" variables::export;
    special "return" flow::return_;
    special "set" options::set;
    special "shift" variables::shift;
    special "source" flow::dot;
    regular "test" output::test;
    special "times" inform::times;
    special "trap" job_control::trap;
    regular "true" flow::yes;
    regular "type" inform::type_;
    regular "ulimit" inform::ulimit;
    regular "umask" directory::umask;
    regular "unalias" inform::unalias;
    special "unset" variables::unset;
    regular "wait" job_control::wait;
}

pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    TABLE.iter().find(|builtin| builtin.name == name)
}

/// Runs a builtin. `tested`: its status is looked at.
pub(super) fn run<'a>(
    builtin: &'static Builtin,
    shell: &'a mut Shell,
    argv: &'a [String],
    tested: bool,
) -> Running<'a> {
    (builtin.run)(shell, argv, tested)
}

/// Options of a builtin as `getopt` takes them: letters, `:` after those with a value.
struct Letters<'a> {
    args: &'a [String],
    at: usize,
    inner: usize,
}

impl<'a> Letters<'a> {
    fn new(argv: &'a [String]) -> Letters<'a> {
        Letters { args: argv, at: 1, inner: 0 }
    }

    /// The next option and its value; a wrong one is ash's error.
    async fn next(&mut self, shell: &mut Shell, known: &str) -> Res<Option<(char, String)>> {
        if self.inner == 0 {
            match self.args.get(self.at) {
                Some(arg) if arg == "--" => {
                    self.at += 1;
                    return Ok(None);
                }
                Some(arg) if arg.len() > 1 && arg.starts_with('-') => self.inner = 1,
                _ => return Ok(None),
            }
        }
        let arg = &self.args[self.at];
        let Some(letter) = arg[self.inner..].chars().next() else { return Ok(None) };
        self.inner += letter.len_utf8();
        let ended = self.inner >= arg.len();
        let found = known.find(letter).filter(|_| letter != ':');
        let Some(place) = found else {
            return shell.raise(&format!("illegal option -{letter}")).await;
        };
        let mut value = String::new();
        if known[place + letter.len_utf8()..].starts_with(':') {
            if !ended {
                value = arg[self.inner..].to_owned();
            } else {
                self.at += 1;
                match self.args.get(self.at) {
                    Some(next) => value = next.clone(),
                    None => return shell.raise(&format!("no arg for -{letter} option")).await,
                }
            }
            (self.at, self.inner) = (self.at + 1, 0);
        } else if ended {
            (self.at, self.inner) = (self.at + 1, 0);
        }
        Ok(Some((letter, value)))
    }

    fn rest(&self) -> &'a [String] {
        self.args.get(self.at..).unwrap_or(&[])
    }
}

/// A whole number as `break`, `exit` and `shift` want it.
async fn number(shell: &mut Shell, text: &str) -> Res {
    match text.parse::<u32>().ok().and_then(|n| i32::try_from(n).ok()) {
        Some(n) => Ok(n),
        None => shell.raise(&format!("Illegal number: {text}")).await,
    }
}
