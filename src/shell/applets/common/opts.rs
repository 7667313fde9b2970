//! Options as GNU getopt reads them: permuted, joined, long names abbreviated, `--` ends.

/// Parsed options, in order, and the other arguments.
#[derive(Debug, Default)]
pub(crate) struct Opts {
    given: Vec<(char, String)>,
    pub(crate) rest: Vec<String>,
}

pub(crate) enum Wrong {
    /// getopt's words, without the program's name.
    Usage(String),
    /// An option busybox knows and we do not simulate.
    NotSimulated(String),
}

enum Takes {
    Nothing,
    Value,
    MaybeValue,
}

impl Opts {
    /// `spec`: `+` first stops at the first non-option; a letter with `:` takes a value, with
    /// `::` one that must be joined; letters after `!` are known but not simulated.
    pub(crate) fn parse(args: &[String], spec: &str, longs: &str) -> Result<Opts, Wrong> {
        let mut opts = Opts::default();
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            if arg == "--" {
                break;
            } else if let Some(long) = arg.strip_prefix("--") {
                opts.long(long, spec, longs, args, &mut at)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                opts.short(&arg[1..], spec, args, &mut at)?;
            } else {
                opts.rest.push(arg.clone());
                if spec.starts_with('+') {
                    break;
                }
            }
        }
        opts.rest.extend(args.iter().skip(at).cloned());
        Ok(opts)
    }

    fn short(
        &mut self,
        letters: &str,
        spec: &str,
        args: &[String],
        at: &mut usize,
    ) -> Result<(), Wrong> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let Some(takes) = takes(spec, letter)? else {
                return Err(Wrong::Usage(format!("invalid option -- '{letter}'")));
            };
            let value = match takes {
                Takes::Nothing => String::new(),
                Takes::MaybeValue => std::mem::take(&mut rest).to_owned(),
                Takes::Value if !rest.is_empty() => std::mem::take(&mut rest).to_owned(),
                Takes::Value => {
                    let next = args.get(*at).ok_or_else(|| {
                        Wrong::Usage(format!("option requires an argument -- '{letter}'"))
                    })?;
                    *at += 1;
                    next.clone()
                }
            };
            self.given.push((letter, value));
        }
        Ok(())
    }

    fn long(
        &mut self,
        text: &str,
        spec: &str,
        longs: &str,
        args: &[String],
        at: &mut usize,
    ) -> Result<(), Wrong> {
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let known = longs.split_whitespace().filter_map(|word| word.split_once('='));
        let mut fits: Vec<(&str, &str)> = known.filter(|(n, _)| n.starts_with(name)).collect();
        if let Some(exact) = fits.iter().find(|(n, _)| *n == name) {
            fits = vec![*exact];
        }
        let letter = match fits[..] {
            [(_, letter)] => letter.chars().next().unwrap_or('?'),
            [] => return Err(Wrong::Usage(format!("unrecognized option '--{name}'"))),
            _ => return Err(Wrong::Usage(format!("option '--{name}' is ambiguous"))),
        };
        let value = match (takes(spec, letter)?, joined) {
            (Some(Takes::Value), None) => {
                let next = args.get(*at).ok_or_else(|| {
                    Wrong::Usage(format!("option '--{name}' requires an argument"))
                })?;
                *at += 1;
                next.clone()
            }
            (Some(Takes::Nothing), Some(_)) => {
                return Err(Wrong::Usage(format!("option '--{name}' doesn't allow an argument")));
            }
            (_, joined) => joined.unwrap_or_default(),
        };
        self.given.push((letter, value));
        Ok(())
    }

    pub(crate) fn has(&self, letter: char) -> bool {
        self.given.iter().any(|(given, _)| *given == letter)
    }

    /// The last value given.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == letter).map(|(_, v)| v.as_str())
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| *given == letter).map(|(_, v)| v.as_str())
    }

    /// All options in the order given.
    pub(crate) fn each(&self) -> impl Iterator<Item = (char, &str)> {
        self.given.iter().map(|(letter, value)| (*letter, value.as_str()))
    }

    /// Which of the letters was given last.
    pub(crate) fn last_of(&self, letters: &str) -> Option<char> {
        self.given.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }
}

fn takes(spec: &str, letter: char) -> Result<Option<Takes>, Wrong> {
    let spec = spec.strip_prefix('+').unwrap_or(spec);
    let (done, undone) = spec.split_once('!').unwrap_or((spec, ""));
    if matches!(letter, ':' | '+' | '!') {
        return Ok(None);
    }
    if undone.contains(letter) {
        return Err(Wrong::NotSimulated(format!("-{letter}")));
    }
    let Some(at) = done.find(letter) else { return Ok(None) };
    let after = &done[at + letter.len_utf8()..];
    Ok(Some(if after.starts_with("::") {
        Takes::MaybeValue
    } else if after.starts_with(':') {
        Takes::Value
    } else {
        Takes::Nothing
    }))
}
