//! Flags of a command line, read as kubectl's (spf13/pflag) are.

use std::collections::BTreeMap;

/// A command line that was understood.
#[derive(Debug, Default)]
pub(super) struct Args {
    pub(super) words: Vec<String>,
    /// What follows `--`.
    pub(super) rest: Option<Vec<String>>,
    flags: BTreeMap<&'static str, Vec<String>>,
}

impl Args {
    /// The last value a flag was given.
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.get(name).and_then(|all| all.last()).map(String::as_str)
    }

    pub(super) fn all(&self, name: &str) -> &[String] {
        self.flags.get(name).map_or(&[], Vec::as_slice)
    }

    /// A switch that is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.flag(name).is_some_and(|value| value != "false")
    }

    /// A flag that was given and is in none of these lists.
    pub(super) fn outside(&self, lists: &[&str]) -> Option<&'static str> {
        let known = |name: &str| lists.iter().any(|list| list.split(' ').any(|one| one == name));
        self.flags.keys().copied().find(|name| !known(name))
    }

    pub(super) fn word(&self, idx: usize) -> &str {
        self.words.get(idx).map_or("", String::as_str)
    }
}

/// Flags every command knows.
const EVERYWHERE: &str = "n:namespace context: kubeconfig: request-timeout: v: h!help \
     s:server context-namespace: as: as-group: cluster: user: token: insecure-skip-tls-verify! warnings-as-errors! ";

/// Where the command stands in a line: before it may be flags that every command knows.
pub(super) fn command_at(words: &[String]) -> usize {
    let takes_value = |word: &str| {
        EVERYWHERE.split_whitespace().map(flag_spec).any(|(letter, long, switch)| {
            let short = letter.is_some_and(|letter| {
                word.strip_prefix('-') == Some(letter.encode_utf8(&mut [0; 4]))
            });
            !switch && (short || word.strip_prefix("--") == Some(long))
        })
    };
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += if takes_value(word) { 2 } else { 1 };
    }
    at.min(words.len())
}

/// Reads flags as a table such as `o:output A!all-namespaces` names them: `:` takes a value, `!`
/// none, before it the letter if there is one. The error is pflag's.
pub(super) fn parse(table: &'static str, words: &[String]) -> Result<Args, String> {
    let known = || table.split_whitespace().chain(EVERYWHERE.split_whitespace());
    let named = |name: &str| {
        known().find_map(|spec| {
            let (_, long, switch) = flag_spec(spec);
            (long == name).then_some((long, switch))
        })
    };
    let mut args = Args::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            args.rest = Some(words.cloned().collect());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let (name, switch) = named(name).ok_or(format!("unknown flag: --{name}"))?;
            let value = match (value, switch) {
                (Some(value), _) => value.to_owned(),
                (None, true) => "true".to_owned(),
                (None, false) => {
                    words.next().cloned().ok_or(format!("flag needs an argument: --{name}"))?
                }
            };
            fits(name, &value).map_err(|why| misfit(&value, &format!("--{name}"), &why))?;
            args.flags.entry(name).or_default().push(value);
        } else if let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) {
            short(&mut args, letters, &mut words, known)?;
        } else {
            args.words.push(word.clone());
        }
    }
    Ok(args)
}

/// Flags that take a whole number, and flags that take a span of time.
const NUMBERS: &str = "tail replicas current-replicas limit-bytes max-log-requests grace-period min max \
     cpu-percent revision to-revision chunk-size retries node-port value";
const SPANS: &str = "since timeout pod-running-timeout";

/// Why a flag does not take a value, in Go's words.
fn fits(name: &str, value: &str) -> Result<(), String> {
    let is = |list: &str| list.split_whitespace().any(|one| one == name);
    if is(NUMBERS) && value.parse::<i64>().is_err() {
        return Err(format!("strconv.ParseInt: parsing \"{value}\": invalid syntax"));
    }
    if is(SPANS) && super::clock::duration(value.trim_start_matches('-')).is_none() {
        return Err(match value.parse::<f64>() {
            Ok(_) => format!("time: missing unit in duration \"{value}\""),
            Err(_) => format!("time: invalid duration \"{value}\""),
        });
    }
    Ok(())
}

fn misfit(value: &str, flag: &str, why: &str) -> String {
    format!("invalid argument \"{value}\" for \"{flag}\" flag: {why}")
}

/// (letter, name, takes no value) of `o:output`.
fn flag_spec(spec: &'static str) -> (Option<char>, &'static str, bool) {
    let at = spec.find([':', '!']).unwrap_or(0);
    let switch = spec.get(at..at + 1) == Some("!");
    let (before, after) = (spec.get(..at).unwrap_or(""), spec.get(at + 1..).unwrap_or(""));
    match after {
        "" => (None, before, switch),
        name => (before.chars().next(), name, switch),
    }
}

/// The flags of a table: name, takes no value.
pub(super) fn names(table: &'static str) -> impl Iterator<Item = (&'static str, bool)> {
    table.split_whitespace().map(flag_spec).map(|(_, name, switch)| (name, switch))
}

/// One or more letters after a single dash: `-it`, `-oyaml`, `-n=x`.
fn short<'a, I: Iterator<Item = &'static str>>(
    args: &mut Args,
    letters: &str,
    words: &mut std::slice::Iter<'a, String>,
    known: impl Fn() -> I,
) -> Result<(), String> {
    let mut rest = letters;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let found = known().map(flag_spec).find(|(short, ..)| *short == Some(letter));
        let (_, name, switch) =
            found.ok_or(format!("unknown shorthand flag: '{letter}' in -{letters}"))?;
        if switch && !rest.starts_with('=') {
            args.flags.entry(name).or_default().push("true".to_owned());
            continue;
        }
        let value = match rest {
            "" => words
                .next()
                .cloned()
                .ok_or(format!("flag needs an argument: '{letter}' in -{letters}"))?,
            _ => rest.strip_prefix('=').unwrap_or(rest).to_owned(),
        };
        let flag = format!("-{letter}, --{name}");
        fits(name, &value).map_err(|why| misfit(&value, &flag, &why))?;
        args.flags.entry(name).or_default().push(value);
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::split;

    #[test]
    fn flags_read_as_pflag_reads_them() {
        let read = |line: &str| {
            let words = split(line).unwrap_or_default();
            parse("o:output A!all-namespaces i!stdin t!tty tail:", &words).map(|args| {
                let flags: Vec<String> =
                    args.flags.iter().map(|(k, v)| format!("{k}={}", v.join("+"))).collect();
                format!("{} | {} | {:?}", args.words.join(" "), flags.join(" "), args.rest)
            })
        };
        for (line, expected) in [
            ("pods -oyaml x", Ok("pods x | output=yaml | None")),
            ("pods -o=wide -A", Ok("pods | all-namespaces=true output=wide | None")),
            ("--tail=3 --tail 4", Ok(" | tail=3+4 | None")),
            ("-it x -- ls -l", Ok("x | stdin=true tty=true | Some([\"ls\", \"-l\"])")),
            ("--nosuch=1", Err("unknown flag: --nosuch")),
            ("-z", Err("unknown shorthand flag: 'z' in -z")),
            ("-iz", Err("unknown shorthand flag: 'z' in -iz")),
            ("--output", Err("flag needs an argument: --output")),
            ("-o", Err("flag needs an argument: 'o' in -o")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
