//! `test`, `[` and `[[`. Models coreutils/test.c; the shell's builtins are the same function.

use super::Answer;
use super::common::{Cx, tree};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::bytes::to_bytes;
use crate::shell::{FileType, Stat, Sys};
use std::cmp::Ordering;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    match test(&cx.sys, &cx.argv) {
        Ok(holds) => Ok(i32::from(!holds)),
        Err(message) => {
            if !message.is_empty() {
                cx.fail(&message).await;
            }
            Ok(2)
        }
    }
}

/// Judges `argv` (with the name first; `[` and `[[` need their end). An error is the message
/// without the program's name; it may be empty. The exit code is 2 then.
pub fn test(sys: &Sys, argv: &[String]) -> Result<bool, String> {
    let (name, mut args) = argv.split_first().map_or(("", &[][..]), |(n, a)| (n.as_str(), a));
    let name = name.rsplit('/').next().unwrap_or(name);
    if name.starts_with('[') {
        let end = if name == "[" { "]" } else { "]]" };
        args = match args.split_last() {
            Some((last, rest)) if last == end => rest,
            _ => return Err(format!("missing {end}")),
        };
    }
    let mut judge = Judge { sys, args, at: 0, double: name == "[[", depth: 0 };
    judge.whole()
}

struct Judge<'a> {
    sys: &'a Sys,
    args: &'a [String],
    at: usize,
    double: bool,
    depth: usize,
}

const BINARY: &[&str] =
    &["-eq", "-ne", "-ge", "-gt", "-le", "-lt", "=", "==", "!=", "<", ">", "-nt", "-ot", "-ef"];
const UNARY: &str = "rwxefdcbpugkszhLSntOGN";

fn is_unary(text: &str) -> bool {
    let mut chars = text.chars();
    let (dash, letter, end) = (chars.next(), chars.next(), chars.next());
    dash == Some('-') && end.is_none() && letter.is_some_and(|l| UNARY.contains(l))
}

impl Judge<'_> {
    fn is_binary(&self, text: &str) -> bool {
        BINARY.contains(&text) || (self.double && text == "=~")
    }

    fn is_and(&self, text: &str) -> bool {
        text == if self.double { "&&" } else { "-a" }
    }

    fn is_or(&self, text: &str) -> bool {
        text == if self.double { "||" } else { "-o" }
    }

    fn peek(&self, ahead: usize) -> Option<&str> {
        self.args.get(self.at + ahead).map(String::as_str)
    }

    /// POSIX's cases by the number of arguments, then the grammar.
    fn whole(&mut self) -> Result<bool, String> {
        let mut negate = false;
        let mut end = self.args.len();
        loop {
            let rest = &self.args[self.at..end];
            match rest {
                [] => return Ok(negate),
                [one] => return Ok(one.is_empty() == negate),
                [a, op, b] if self.is_binary(op) => {
                    return Ok(self.binary(a, op, b)? != negate);
                }
                [open, _, _, close] if open == "(" && close == ")" => {
                    end -= 1;
                    self.at += 1;
                    // What is between is judged by itself, as if it were all.
                    self.args = &self.args[..end];
                    continue;
                }
                _ => {}
            }
            if rest.len() <= 4 && rest.first().is_some_and(|first| first == "!") {
                negate = !negate;
                self.at += 1;
                continue;
            }
            break;
        }
        let holds = self.or()?;
        match self.peek(0) {
            Some(extra) => Err(format!("{extra}: unknown operand")),
            None => Ok(holds != negate),
        }
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut holds = self.and()?;
        while self.peek(0).is_some_and(|arg| self.is_or(arg)) {
            self.at += 1;
            let right = self.and()?;
            holds = right || holds;
        }
        Ok(holds)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut holds = self.not()?;
        while self.peek(0).is_some_and(|arg| self.is_and(arg)) {
            self.at += 1;
            let right = self.not()?;
            holds = right && holds;
        }
        Ok(holds)
    }

    fn not(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > 500 {
            return Err("too many arguments".to_owned());
        }
        let holds = match self.peek(0) {
            Some("!") if self.peek(1).is_none() => {
                self.at += 1;
                true
            }
            Some("!") => {
                self.at += 1;
                !self.not()?
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(holds)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0).map(str::to_owned) else {
            return Err("argument expected".to_owned());
        };
        if first == "(" {
            self.at += 1;
            let holds = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("closing paren expected".to_owned());
            }
            self.at += 1;
            return Ok(holds);
        }
        let second = self.peek(1).map(str::to_owned);
        if let (Some(op), Some(third)) = (&second, self.peek(2).map(str::to_owned))
            && self.is_binary(op)
        {
            self.at += 3;
            return self.binary(&first, op, &third);
        }
        if let (true, Some(operand)) = (is_unary(&first), &second) {
            self.at += 2;
            return self.unary(&first, operand);
        }
        if let Some(op) = second.filter(|op| self.is_binary(op)) {
            return Err(format!("{op}: argument expected"));
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn binary(&self, a: &str, op: &str, b: &str) -> Result<bool, String> {
        if matches!(op, "-nt" | "-ot" | "-ef") {
            let (Ok(x), Ok(y)) = (self.sys.stat(a), self.sys.stat(b)) else { return Ok(false) };
            // Whole seconds count, as in busybox.
            let second = |stat: &Stat| stat.mtime.div_euclid(1_000_000);
            return Ok(match op {
                "-nt" => second(&x) > second(&y),
                "-ot" => second(&x) < second(&y),
                _ => (x.dev, x.ino) == (y.dev, y.ino),
            });
        }
        if op.starts_with('-') {
            let order = integer(a)?.cmp(&integer(b)?);
            return Ok(match op {
                "-eq" => order == Ordering::Equal,
                "-ne" => order != Ordering::Equal,
                "-ge" => order != Ordering::Less,
                "-gt" => order == Ordering::Greater,
                "-le" => order != Ordering::Greater,
                _ => order == Ordering::Less,
            });
        }
        match op {
            "=~" => {
                let options = Options { flavor: Flavor::Extended, ..Options::default() };
                let regex = Regex::new(&to_bytes(b), options).map_err(|_| String::new())?;
                regex.is_match(&to_bytes(a)).map_err(|_| String::new())
            }
            "=" | "==" if self.double => Ok(pattern_matches(&to_bytes(b), &to_bytes(a))),
            "!=" if self.double => Ok(!pattern_matches(&to_bytes(b), &to_bytes(a))),
            "=" | "==" => Ok(a == b),
            "!=" => Ok(a != b),
            "<" => Ok(to_bytes(a) < to_bytes(b)),
            _ => Ok(to_bytes(a) > to_bytes(b)),
        }
    }

    fn unary(&self, op: &str, operand: &str) -> Result<bool, String> {
        match op {
            "-z" => return Ok(operand.is_empty()),
            "-n" => return Ok(!operand.is_empty()),
            "-t" => {
                let fd = integer(operand)?;
                return Ok(u32::try_from(fd).is_ok_and(|fd| self.sys.is_tty(fd)));
            }
            "-h" | "-L" => {
                let stat = self.sys.lstat(operand);
                return Ok(stat.is_ok_and(|s| s.file_type == FileType::Symlink));
            }
            _ => {}
        }
        let Ok(stat) = self.sys.stat(operand) else { return Ok(false) };
        let is = |kind: FileType| stat.file_type == kind;
        Ok(match op {
            "-e" => true,
            "-f" => is(FileType::File),
            "-d" => is(FileType::Dir),
            "-c" => is(FileType::Device),
            "-b" => false,
            "-p" => is(FileType::Fifo),
            "-S" => is(FileType::Socket),
            "-s" => stat.size > 0,
            "-u" => tree::full_mode(&stat) & 0o4000 != 0,
            "-g" => stat.mode & 0o2000 != 0,
            "-k" => stat.mode & 0o1000 != 0,
            "-O" => stat.uid == self.sys.uid(),
            "-G" => stat.gid == self.sys.gid(),
            "-N" => stat.mtime > stat.atime,
            "-r" => self.may(&stat, 4),
            "-w" => self.may(&stat, 2),
            _ => self.may(&stat, 1),
        })
    }

    /// Models test_eaccess: permissions alone, a read-only file system does not count.
    fn may(&self, stat: &Stat, want: u32) -> bool {
        let me = self.sys.credentials();
        if me.is_root() && (want != 1 || stat.mode & 0o111 != 0) {
            return true;
        }
        let shift = if stat.uid == me.uid {
            6
        } else if stat.gid == me.gid || me.groups.contains(&stat.gid) {
            3
        } else {
            0
        };
        stat.mode & (want << shift) != 0
    }
}

fn integer(text: &str) -> Result<i64, String> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("{text}: bad number"));
    }
    trimmed.parse().map_err(|_| format!("{text}: out of range"))
}

/// fnmatch without special care for slashes or dots, as `[[` and `find -name` use it.
pub(super) fn pattern_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => match bracket(&pattern[p..], text[t]) {
                Some((true, used)) => Some(used),
                Some((false, _)) => None,
                None => (text[t] == b'[').then_some(1),
            },
            Some(b'\\') if p + 1 < pattern.len() => (pattern[p + 1] == text[t]).then_some(2),
            Some(byte) => (*byte == text[t]).then_some(1),
            None => None,
        };
        match (step, back) {
            (Some(used), _) => {
                p += used;
                t += 1;
            }
            (None, Some((after, from))) => {
                p = after;
                t = from + 1;
                back = Some((after, from + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// A bracket at the start of `pattern`: whether it takes `byte`, and its length.
fn bracket(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let mut at = 1;
    let inverted = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(inverted);
    let mut found = false;
    let mut first = true;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && !first {
            return Some((found != inverted, at + 1));
        }
        first = false;
        if low == b'[' && pattern.get(at + 1) == Some(&b':') {
            let rest = &pattern[at + 2..];
            if let Some(end) = rest.windows(2).position(|pair| pair == b":]") {
                found |= crate::regex::class_contains(&rest[..end], byte).unwrap_or(false);
                at += end + 4;
                continue;
            }
        }
        at += usize::from(low == b'\\');
        let low = *pattern.get(at)?;
        at += 1;
        let high = match (pattern.get(at), pattern.get(at + 1)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                at += 2;
                *high
            }
            _ => low,
        };
        found |= (low..=high).contains(&byte);
    }
}
