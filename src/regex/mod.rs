//! POSIX basic and extended regular expressions over bytes, as glibc's `regcomp` and `regexec`
//! behave in the C locale: leftmost-longest, back-references, GNU's `\w \s \b \< \>`. Not Perl's.
//!
//! Patterns without back-references run in time proportional to text times program; those with
//! them backtrack. Both count steps and give up with [`TooManySteps`] instead of hanging.

mod backtrack;
mod class;
mod parse;
mod program;
mod simulate;

#[cfg(test)]
mod tests;

pub use class::class_contains;
pub use parse::Error;
use program::Program;

/// Steps one search may take: a second or two of work at the very worst.
pub const STEPS_MAX: usize = 20_000_000;

/// What the characters of a pattern mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Flavor {
    /// `grep`, `sed`: `\( \) \{ \} \| \+ \?`.
    #[default]
    Basic,
    /// `grep -E`, `sed -E`, `awk`: `( ) { } | + ?`.
    Extended,
    /// `grep -F`: each byte is itself.
    Fixed,
}

/// How a pattern is read and matched.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub flavor: Flavor,
    /// ASCII letters match in both cases.
    pub ignore_case: bool,
    /// `^` and `$` also match at line ends, `.` and `[^x]` do not match one (`REG_NEWLINE`).
    pub newline: bool,
}

/// A search that would have taken more than [`STEPS_MAX`] steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySteps;

/// Byte ranges of a match: group 0 is the whole, the rest the parentheses in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    groups: Vec<Option<(usize, usize)>>,
}

impl Match {
    pub fn start(&self) -> usize {
        self.group(0).map_or(0, |(start, _)| start)
    }

    pub fn end(&self) -> usize {
        self.group(0).map_or(0, |(_, end)| end)
    }

    /// The range of a group, or nothing if it took no part in the match or does not exist.
    pub fn group(&self, idx: usize) -> Option<(usize, usize)> {
        self.groups.get(idx).copied().flatten()
    }
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Program,
}

impl Regex {
    pub fn new(pattern: &[u8], options: Options) -> Result<Regex, Error> {
        let (node, n_groups) = parse::parse(pattern, options)?;
        Ok(Regex { program: program::compile(&node, n_groups, options)? })
    }

    /// How many parentheses the pattern has.
    pub fn n_groups(&self) -> usize {
        self.program.n_groups
    }

    /// The leftmost-longest match that begins at `from` or later. `text` is looked at from its
    /// start, so that `^` and `\b` at `from` know what is before it.
    pub fn find_at(&self, text: &[u8], from: usize) -> Result<Option<Match>, TooManySteps> {
        if from > text.len() {
            return Ok(None);
        }
        let slots = match (&self.program.literal, self.program.has_backrefs) {
            (Some(literal), _) => {
                find_bytes(text, literal, from).map(|start| vec![start, start + literal.len()])
            }
            (None, true) => backtrack::find(&self.program, text, from)?,
            (None, false) => simulate::find(&self.program, text, from, false)?,
        };
        Ok(slots.map(|slots| to_match(&slots, self.program.n_groups)))
    }

    /// Whether the pattern matches anywhere: stops at the first sign of it.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, TooManySteps> {
        if self.program.literal.is_some() || self.program.has_backrefs {
            return Ok(self.find_at(text, 0)?.is_some());
        }
        Ok(simulate::find(&self.program, text, 0, true)?.is_some())
    }
}

fn to_match(slots: &[usize], n_groups: usize) -> Match {
    let pair = |group: usize| match (slots.get(2 * group), slots.get(2 * group + 1)) {
        (Some(&start), Some(&end)) if start != program::UNSET && end != program::UNSET => {
            Some((start, end))
        }
        _ => None,
    };
    Match { groups: (0..=n_groups).map(pair).collect() }
}

/// Where `needle` first is in `text`, from `from` on.
pub fn find_bytes(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let Some(&first) = needle.first() else { return Some(from) };
    let mut at = 0;
    while let Some(skip) = rest.get(at..)?.iter().position(|&b| b == first) {
        at += skip;
        if rest.get(at..)?.starts_with(needle) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}
