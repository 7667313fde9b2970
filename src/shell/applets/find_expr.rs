//! `find`'s expression: tests and actions with and, or, not and parentheses.

use super::common::{Cx, number, tree};
use crate::regex::{Options, Regex};
use crate::shell::bytes::to_bytes;

pub(super) enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Do(Action),
}

pub(super) enum Action {
    Print,
    Print0,
    Prune,
    Quit,
    Delete,
    Exec(Vec<String>),
    /// Which batch, and the command.
    ExecPlus(usize, Vec<String>),
    /// The pattern, and whether case does not count.
    Name(String, bool),
    Path(String, bool),
    Regex(Regex),
    Type(char),
    Perm(char, u32),
    /// Sign, number, seconds of the unit.
    Age(char, i64, i64),
    /// Seconds since 1970.
    Newer(i64),
    Size(char, u64),
    Links(char, u64),
    Inode(u64),
    Empty,
    User(String),
    Group(String),
    Executable,
    Constant(bool),
}

/// What is not a test: how far and in which order to go.
pub(super) struct Limits {
    pub(super) max_depth: usize,
    pub(super) min_depth: usize,
    pub(super) depth_first: bool,
    pub(super) follow: bool,
    pub(super) n_batches: usize,
}

struct Parser<'a> {
    cx: &'a Cx,
    args: &'a [String],
    at: usize,
    limits: Limits,
    acts: bool,
    depth: usize,
}

/// The expression, with `-print` behind it when nothing else acts.
pub(super) fn parse(cx: &Cx, args: &[String]) -> Result<(Expr, Limits), String> {
    let limits = Limits {
        max_depth: usize::MAX,
        min_depth: 0,
        depth_first: false,
        follow: false,
        n_batches: 0,
    };
    let mut parser = Parser { cx, args, at: 0, limits, acts: false, depth: 0 };
    let mut expr = if args.is_empty() { Expr::And(Vec::new()) } else { parser.or()? };
    if let Some(extra) = args.get(parser.at) {
        return Err(format!("unrecognized: {extra}"));
    }
    if !parser.acts {
        expr = Expr::And(vec![expr, Expr::Do(Action::Print)]);
    }
    Ok((expr, parser.limits))
}

/// `+5`, `-5`, `5`: the sign (0 for none) and the rest.
fn signed(text: &str) -> (char, &str) {
    match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => ('0', text),
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(String::as_str)
    }

    fn or(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("too many parentheses".to_owned());
        }
        let mut parts = vec![self.and()?];
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            parts.push(self.and()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = Vec::new();
        while let Some(arg) = self.peek() {
            match arg {
                "-o" | "-or" | ")" => break,
                "-a" | "-and" => self.at += 1,
                _ => parts.push(self.one()?),
            }
        }
        Ok(Expr::And(parts))
    }

    fn one(&mut self) -> Result<Expr, String> {
        match self.peek() {
            Some("!" | "-not") => {
                self.at += 1;
                self.depth += 1;
                if self.depth > 100 || self.peek().is_none() {
                    return Err("unrecognized: !".to_owned());
                }
                let inner = self.one()?;
                self.depth -= 1;
                Ok(Expr::Not(Box::new(inner)))
            }
            Some("(") => {
                self.at += 1;
                let inner = self.or()?;
                if self.peek() != Some(")") {
                    return Err("unpaired '('".to_owned());
                }
                self.at += 1;
                Ok(inner)
            }
            _ => Ok(Expr::Do(self.action()?)),
        }
    }

    fn argument(&mut self, of: &str) -> Result<String, String> {
        let arg = self.args.get(self.at).cloned();
        self.at += 1;
        arg.ok_or_else(|| {
            format!("option requires an argument -- '{}'", of.trim_start_matches('-'))
        })
    }

    fn number(&mut self, of: &str) -> Result<(char, u64), String> {
        let text = self.argument(of)?;
        let (sign, rest) = signed(&text);
        let n = number::digits(rest).ok_or_else(|| format!("invalid number '{rest}'"))?;
        Ok((sign, n))
    }

    fn action(&mut self) -> Result<Action, String> {
        let name = self.argument("")?;
        Ok(match name.as_str() {
            "-print" | "-print0" | "-delete" | "-exec" | "-quit" => {
                self.acts |= name != "-quit";
                match name.as_str() {
                    "-print" => Action::Print,
                    "-print0" => Action::Print0,
                    "-quit" => Action::Quit,
                    "-delete" => {
                        self.limits.depth_first = true;
                        Action::Delete
                    }
                    _ => self.exec()?,
                }
            }
            "-prune" => Action::Prune,
            "-name" | "-iname" => Action::Name(self.argument(&name)?, name == "-iname"),
            "-path" | "-ipath" | "-wholename" => {
                Action::Path(self.argument(&name)?, name == "-ipath")
            }
            "-regex" => {
                let text = self.argument(&name)?;
                let regex = Regex::new(&to_bytes(&text), Options::default());
                Action::Regex(regex.map_err(|e| format!("bad regex '{text}': {}", e.message()))?)
            }
            "-type" => match self.argument(&name)?.chars().next() {
                Some(letter) if "bcdfpls".contains(letter) => Action::Type(letter),
                other => {
                    return Err(format!("invalid argument '{}' to '-type'", other.unwrap_or(' ')));
                }
            },
            "-perm" => self.permissions()?,
            "-mtime" | "-mmin" | "-atime" | "-ctime" => {
                let (sign, n) = self.number(&name)?;
                Action::Age(sign, n as i64, if name == "-mmin" { 60 } else { 86_400 })
            }
            "-newer" => {
                let path = self.argument(&name)?;
                let stat = self.cx.sys.stat(&path);
                let stat = stat.map_err(|errno| format!("{path}: {}", errno.text()))?;
                Action::Newer(stat.mtime.div_euclid(1_000_000))
            }
            "-links" => {
                let (sign, n) = self.number(&name)?;
                Action::Links(sign, n)
            }
            "-inum" => Action::Inode(self.number(&name)?.1),
            "-size" => self.size()?,
            "-empty" => Action::Empty,
            "-executable" => Action::Executable,
            "-user" => Action::User(self.argument(&name)?),
            "-group" => Action::Group(self.argument(&name)?),
            "-true" => Action::Constant(true),
            "-false" => Action::Constant(false),
            _ => return self.option(&name),
        })
    }

    fn permissions(&mut self) -> Result<Action, String> {
        let text = self.argument("-perm")?;
        let (sign, rest) = match text.chars().next() {
            Some('-') => ('-', &text[1..]),
            Some('/' | '+') => ('/', &text[1..]),
            _ => ('0', text.as_str()),
        };
        let mode = tree::parse_mode(rest, 0, false, 0);
        Ok(Action::Perm(sign, mode.ok_or_else(|| format!("invalid mode '{rest}'"))?))
    }

    /// What only says how to go; it always holds.
    fn option(&mut self, name: &str) -> Result<Action, String> {
        match name {
            "-maxdepth" => self.limits.max_depth = self.number(name)?.1 as usize,
            "-mindepth" => self.limits.min_depth = self.number(name)?.1 as usize,
            "-depth" => self.limits.depth_first = true,
            "-follow" => self.limits.follow = true,
            "-xdev" | "-noleaf" => {}
            "-ok" | "-context" | "-samefile" => {
                self.cx.sys.not_simulated(&format!("find {name}"), None);
                return Err(format!("not simulated: {name}"));
            }
            other => return Err(format!("unrecognized: {other}")),
        }
        Ok(Action::Constant(true))
    }

    fn size(&mut self) -> Result<Action, String> {
        let text = self.argument("-size")?;
        let (sign, rest) = signed(&text);
        let (digits, unit) = match rest.char_indices().last() {
            Some((at, 'c')) => (&rest[..at], 1),
            Some((at, 'w')) => (&rest[..at], 2),
            Some((at, 'b')) => (&rest[..at], 512),
            Some((at, 'k')) => (&rest[..at], 1024),
            Some((at, 'M')) => (&rest[..at], 1 << 20),
            Some((at, 'G')) => (&rest[..at], 1 << 30),
            _ => (rest, 512),
        };
        let n = number::digits(digits).ok_or_else(|| format!("invalid number '{rest}'"))?;
        Ok(Action::Size(sign, n.saturating_mul(unit)))
    }

    fn exec(&mut self) -> Result<Action, String> {
        let mut argv = Vec::new();
        loop {
            let Some(arg) = self.args.get(self.at).cloned() else {
                return Err("option requires an argument -- 'exec'".to_owned());
            };
            self.at += 1;
            match arg.as_str() {
                ";" if !argv.is_empty() => return Ok(Action::Exec(argv)),
                "+" if argv.last().is_some_and(|last| last == "{}") => {
                    self.limits.n_batches += 1;
                    return Ok(Action::ExecPlus(self.limits.n_batches - 1, argv));
                }
                _ => argv.push(arg),
            }
        }
    }
}
