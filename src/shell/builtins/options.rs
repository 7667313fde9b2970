//! `set` and `getopts`.

use crate::shell::lang::{Options, Res, Shell, single_quote};
use std::rc::Rc;

pub(super) async fn set(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    if argv.len() == 1 {
        return list_variables(shell).await;
    }
    let mut at = 1;
    let mut params = None;
    while let Some(arg) = argv.get(at) {
        let on = arg.starts_with('-');
        if !(on || arg.starts_with('+')) {
            break;
        }
        at += 1;
        if arg == "-" {
            shell.options.set('x', false);
            shell.options.set('v', false);
            break;
        }
        if arg == "--" {
            params = Some(());
            break;
        }
        for letter in arg.chars().skip(1) {
            if letter == 'o' {
                let Some(name) = argv.get(at) else {
                    return list_options(shell, on).await;
                };
                at += 1;
                if !shell.options.set_named(name, on) {
                    let sign = if on { '-' } else { '+' };
                    let text = format!("illegal option {sign}o {name}");
                    shell.complain(&text).await;
                    return Ok(1);
                }
            } else if !settable(letter) || !shell.options.set(letter, on) {
                let sign = if on { '-' } else { '+' };
                return shell.raise(&format!("illegal option {sign}{letter}")).await;
            }
        }
    }
    let rest = argv.get(at..).unwrap_or(&[]);
    if !rest.is_empty() || params.is_some() {
        shell.params.args = Rc::new(rest.to_vec());
        shell.params.opt_index = 1;
        shell.params.opt_offset = None;
    }
    Ok(0)
}

fn settable(letter: char) -> bool {
    !matches!(letter, 'i' | 's' | 'c')
}

async fn list_variables(shell: &mut Shell) -> Res {
    let mut out = String::new();
    for (name, var) in shell.vars.iter() {
        if let Some(value) = &var.value {
            out.push_str(&format!("{name}={}\n", single_quote(value)));
        }
    }
    Ok(shell.print(&out).await)
}

/// `set -o` for people, `set +o` for shells.
async fn list_options(shell: &mut Shell, people: bool) -> Res {
    let names = [
        "errexit",
        "noglob",
        "ignoreeof",
        "monitor",
        "noexec",
        "xtrace",
        "verbose",
        "noclobber",
        "allexport",
        "notify",
        "nounset",
        "errtrace",
        "vi",
        "pipefail",
    ];
    let options: Options = shell.options;
    let mut out = String::new();
    for name in names {
        let on = options.named(name);
        out.push_str(&match people {
            true => format!("{name:<16}{}\n", if on { "on" } else { "off" }),
            false => format!("set {}o {name}\n", if on { '-' } else { '+' }),
        });
    }
    Ok(shell.print(&out).await)
}

/// Where `getopts` stands and what it found.
struct Found {
    letter: char,
    value: Option<String>,
    complaint: Option<String>,
    done: bool,
    offset: Option<usize>,
}

pub(super) async fn getopts(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let (Some(known), Some(name)) = (argv.get(1), argv.get(2)) else {
        return shell.raise("usage: getopts optstring var [arg]").await;
    };
    let args = match argv.get(3..).filter(|args| !args.is_empty()) {
        Some(args) => Rc::new(args.to_vec()),
        None => Rc::clone(&shell.params.args),
    };
    if shell.params.opt_index > args.len() + 1 {
        shell.params.opt_index = 1;
        shell.params.opt_offset = None;
    }
    let quiet =
        known.starts_with(':') || shell.vars.value("OPTERR").is_some_and(|value| &*value == "0");
    let mut index = shell.params.opt_index;
    let found = step(&args, &mut index, shell.params.opt_offset, known, quiet);
    if let Some(complaint) = &found.complaint {
        shell.write_text(2, &format!("{complaint}\n")).await;
    }
    match &found.value {
        Some(value) => shell.set_var("OPTARG", value).await?,
        None => shell.unset_var("OPTARG").await?,
    }
    shell.set_var("OPTIND", &index.to_string()).await?;
    shell.set_var(name, &found.letter.to_string()).await?;
    shell.params.opt_index = index;
    shell.params.opt_offset = found.offset;
    Ok(i32::from(found.done))
}

/// One option further. Models getopts() of busybox ash.
fn step(
    args: &[String],
    index: &mut usize,
    offset: Option<usize>,
    known: &str,
    quiet: bool,
) -> Found {
    let mut found = Found { letter: '?', value: None, complaint: None, done: false, offset: None };
    let inside = offset.and_then(|at| args.get(index.wrapping_sub(2))?.get(at..));
    let mut rest = inside.unwrap_or("");
    if rest.is_empty() {
        let next = args.get(*index - 1).and_then(|arg| arg.strip_prefix('-'));
        rest = match next.filter(|letters| !letters.is_empty()) {
            Some("-") => {
                *index += 1;
                ""
            }
            Some(letters) => {
                *index += 1;
                letters
            }
            None => "",
        };
        if rest.is_empty() {
            found.done = true;
            return found;
        }
    }
    let letter = rest.chars().next().unwrap_or('?');
    rest = &rest[letter.len_utf8()..];
    let place = known.find(letter).filter(|_| letter != ':');
    let Some(place) = place else {
        if quiet {
            found.value = Some(letter.to_string());
        } else {
            found.complaint = Some(format!("Illegal option -{letter}"));
        }
        found.offset = remember(args, *index, rest);
        return found;
    };
    found.letter = letter;
    if !known[place + letter.len_utf8()..].starts_with(':') {
        found.value = Some(String::new());
        found.offset = remember(args, *index, rest);
        return found;
    }
    if !rest.is_empty() {
        found.value = Some(rest.to_owned());
    } else if let Some(value) = args.get(*index - 1) {
        *index += 1;
        found.value = Some(value.clone());
    } else if quiet {
        found.letter = ':';
        found.value = Some(letter.to_string());
    } else {
        found.letter = '?';
        found.complaint = Some(format!("No arg for -{letter} option"));
    }
    found
}

/// The byte offset within the argument being read, if any of it is left.
fn remember(args: &[String], index: usize, rest: &str) -> Option<usize> {
    let whole = args.get(index.wrapping_sub(2))?;
    (!rest.is_empty()).then(|| whole.len() - rest.len())
}
