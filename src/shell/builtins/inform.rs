//! Builtins that tell: `type`, `command`, `hash`, `alias`, `times`, `ulimit`, `help`.

use super::{Letters, flow};
use crate::shell::lang::{Found, Res, Shell, single_quote};
use crate::shell::syntax::is_keyword;
use std::rc::Rc;

pub(super) async fn type_(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let brief = argv.get(1).is_some_and(|arg| arg.starts_with('-'));
    let mut code = 0;
    let mut out = String::new();
    for name in &argv[1 + usize::from(brief)..] {
        code |= describe(shell, name, None, !brief, &mut out);
    }
    shell.print(&out).await;
    Ok(code)
}

/// `command -v` and `-V`; running a command is the shell's own work.
pub(super) async fn command(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let (mut verbose, mut path) = (false, None);
    while let Some((letter, _)) = letters.next(shell, "pvV").await? {
        verbose |= letter == 'V';
        if letter == 'p' {
            path = Some("/sbin:/usr/sbin:/bin:/usr/bin");
        }
    }
    let Some(name) = letters.rest().first() else { return Ok(0) };
    let mut out = String::new();
    let code = describe(shell, name, path, verbose, &mut out);
    shell.print(&out).await;
    Ok(code)
}

fn describe(
    shell: &mut Shell,
    name: &str,
    path: Option<&str>,
    verbose: bool,
    out: &mut String,
) -> i32 {
    let mut tell = |long: String, short: &str| {
        let text = if verbose { format!("{name}{long}\n") } else { format!("{short}\n") };
        out.push_str(&text);
        0
    };
    if is_keyword(name) {
        return tell(" is a shell keyword".to_owned(), name);
    }
    if let Some(value) = shell.aliases.get(name) {
        let short = format!("alias {name}={}", single_quote(value));
        return tell(format!(" is an alias for {value}"), &short);
    }
    match flow::lookup(shell, name, path) {
        Some(Found::Path(found)) => tell(format!(" is {found}"), &found),
        Some(Found::Function(_)) => tell(" is a function".to_owned(), name),
        Some(Found::Builtin(builtin)) => {
            let special = if builtin.special { "special " } else { "" };
            tell(format!(" is a {special}shell builtin"), name)
        }
        _ => {
            if verbose {
                out.push_str(&format!("{name}: not found\n"));
            }
            127
        }
    }
}

pub(super) async fn hash(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    if letters.next(shell, "r").await?.is_some() {
        shell.hash.clear();
        return Ok(0);
    }
    let names = letters.rest();
    if names.is_empty() {
        let out: String = shell.hash.values().map(|(path, _)| format!("{path}\n")).collect();
        return Ok(shell.print(&out).await);
    }
    let mut code = 0;
    for name in names {
        shell.hash.remove(name);
        if let Found::Unknown(_) = shell.find(name, false, None) {
            shell.complain(&format!("{name}: not found")).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn alias(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let line = |name: &str, value: &str| format!("{name}={}\n", single_quote(value));
    if argv.len() == 1 {
        let out: String = shell.aliases.iter().map(|(n, v)| line(n, v)).collect();
        return Ok(shell.print(&out).await);
    }
    let mut code = 0;
    for arg in &argv[1..] {
        let first = arg.chars().next().map_or(0, char::len_utf8);
        match arg[first..].find('=') {
            Some(at) => {
                let (name, value) =
                    (arg[..first + at].to_owned(), arg[first + at + 1..].to_owned());
                Rc::make_mut(&mut shell.aliases).insert(name, value);
            }
            None => match shell.aliases.get(arg) {
                Some(value) => {
                    let text = line(arg, value);
                    shell.print(&text).await;
                }
                None => {
                    shell.write_text(2, &format!("alias: {arg} not found\n")).await;
                    code = 1;
                }
            },
        }
    }
    Ok(code)
}

pub(super) async fn unalias(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    if letters.next(shell, "a").await?.is_some() {
        shell.aliases = Rc::default();
        return Ok(0);
    }
    let mut code = 0;
    for name in letters.rest() {
        if Rc::make_mut(&mut shell.aliases).remove(name).is_none() {
            shell.write_text(2, &format!("unalias: {name} not found\n")).await;
            code = 1;
        }
    }
    Ok(code)
}

/// The shell's own CPU time; children's times are not kept.
pub(super) async fn times(shell: &mut Shell, _argv: &[String], _tested: bool) -> Res {
    let used = shell.sys.cpu_used().as_millis() / 10 * 10;
    let own = format!("{}m{}.{:03}s", used / 60_000, used / 1000 % 60, used % 1000);
    Ok(shell.print(&format!("{own} 0m0.000s\n0m0.000s 0m0.000s\n")).await)
}

/// Letter, words and value of each limit; nothing here enforces one but the files.
const LIMITS: &[(char, &str, &str)] = &[
    ('c', "core file size (blocks)", "0"),
    ('d', "data seg size (kb)", "unlimited"),
    ('e', "scheduling priority", "0"),
    ('f', "file size (blocks)", "unlimited"),
    ('i', "pending signals", "95000"),
    ('l', "locked memory (kb)", "8192"),
    ('m', "max memory size (kb)", "unlimited"),
    ('n', "open files", "1048576"),
    ('q', "message queue size (bytes)", "819200"),
    ('r', "real-time priority", "0"),
    ('s', "stack size (kb)", "8192"),
    ('t', "cpu time (seconds)", "unlimited"),
    ('u', "processes", "unlimited"),
    ('v', "address space (kb)", "unlimited"),
    ('x', "file locks", "unlimited"),
];

pub(super) async fn ulimit(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let (mut letter, mut all, mut setting) = ('f', false, false);
    for arg in &argv[1..] {
        match arg.strip_prefix('-') {
            Some(letters) => {
                for c in letters.chars() {
                    match c {
                        'a' => all = true,
                        'H' | 'S' => {}
                        c => letter = c,
                    }
                }
            }
            None => setting = true,
        }
    }
    if setting {
        shell.not_simulated("ulimit: limits are shown, not set");
        shell.complain("not simulated: setting limits").await;
        return Ok(1);
    }
    let mut out = String::new();
    for (known, words, value) in LIMITS {
        if all {
            out.push_str(&format!("{words:<32}(-{known}) {value}\n"));
        } else if *known == letter {
            out.push_str(&format!("{value}\n"));
        }
    }
    Ok(shell.print(&out).await)
}

pub(super) async fn help(shell: &mut Shell, _argv: &[String], _tested: bool) -> Res {
    let names: Vec<&str> = super::TABLE.iter().map(|builtin| builtin.name).collect();
    let mut out = "Built-in commands:\n------------------\n".to_owned();
    let mut line = String::new();
    for name in names {
        if line.len() + name.len() > 70 {
            out.push_str(&format!("\t{}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(name);
        line.push(' ');
    }
    out.push_str(&format!("\t{}\n", line.trim_end()));
    Ok(shell.print(&out).await)
}
