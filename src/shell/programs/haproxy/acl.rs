//! haproxy's ACLs: a sample against patterns, and the conditions rules are put under.

use super::sample::{Sample, Scene, Type, Value, Why};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::Sys;
use crate::shell::programs::nginx::posix;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// A named test; the same name again is an alternative.
#[derive(Clone)]
pub(super) struct Acl {
    pub(super) name: String,
    pub(super) test: Rc<Test>,
}

/// How a sample is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Found,
    Bool,
    Int,
    Ip,
    Len,
    Str,
    Beg,
    End,
    Sub,
    Dir,
    Dom,
    Reg,
}

const HOWS: &[(&str, How)] = &[
    ("found", How::Found),
    ("bool", How::Bool),
    ("int", How::Int),
    ("ip", How::Ip),
    ("len", How::Len),
    ("str", How::Str),
    ("beg", How::Beg),
    ("end", How::End),
    ("sub", How::Sub),
    ("dir", How::Dir),
    ("dom", How::Dom),
    ("reg", How::Reg),
];

#[derive(Clone)]
enum Pattern {
    Text(Vec<u8>),
    Regex(Regex),
    Range(i64, i64),
    Net(u32, u32),
}

pub(super) struct Test {
    sample: Sample,
    how: How,
    ignore_case: bool,
    patterns: Vec<Pattern>,
}

/// ACLs everybody has.
const PREDEFINED: &[(&str, &str)] = &[
    ("TRUE", "always_true"),
    ("FALSE", "always_false"),
    ("LOCALHOST", "src 127.0.0.1/8"),
    ("METH_GET", "method GET HEAD"),
    ("METH_HEAD", "method HEAD"),
    ("METH_POST", "method POST"),
    ("METH_PUT", "method PUT"),
    ("METH_DELETE", "method DELETE"),
    ("METH_OPTIONS", "method OPTIONS"),
    ("HTTP_1.0", "req.ver 1.0"),
    ("HTTP_1.1", "req.ver 1.1"),
    ("REQ_CONTENT", "req.len gt 0"),
    ("WAIT_END", "always_true"),
];

impl Test {
    /// Reads `SAMPLE [FLAGS] [OPERATOR] PATTERN...`; the error follows `ACL 'x' : `.
    pub(super) fn parse(sys: &Sys, words: &[String]) -> Result<Test, String> {
        let written = words.first().map_or("", String::as_str);
        // `path_beg` is `path -m beg`, also before arguments: `hdr_dom(host)`.
        let head = written.split(['(', ',']).next().unwrap_or("");
        let short = head.rsplit_once('_').filter(|(_, how)| HOWS.iter().any(|(n, _)| n == how));
        let (text, mut how) = match (Sample::parse(written), short) {
            (Err(_), Some((base, how))) => (
                format!("{base}{}", &written[head.len()..]),
                HOWS.iter().find(|(own, _)| *own == how).map(|(_, how)| *how),
            ),
            _ => (written.to_owned(), None),
        };
        let sample = Sample::parse(&text).map_err(|why| match why {
            Why::Fetch(name) => {
                format!("unknown fetch method '{name}' in ACL expression '{written}'")
            }
            Why::Converter(name) => {
                format!("unknown converter '{name}' in ACL expression '{written}'")
            }
        })?;
        let (mut ignore_case, mut at) = (false, 1);
        let mut values: Vec<String> = Vec::new();
        while let Some(flag) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            match flag.as_str() {
                "-i" => ignore_case = true,
                "-n" | "-M" | "-u" => {}
                "--" => break,
                "-m" => {
                    let wanted = words.get(at).map_or("", String::as_str);
                    at += 1;
                    let found = HOWS.iter().find(|(own, _)| *own == wanted);
                    how = Some(found.ok_or(format!("unknown match method '{wanted}'"))?.1);
                }
                "-f" => {
                    let path = words.get(at).map_or("", String::as_str);
                    at += 1;
                    let data = sys
                        .peek_file(path)
                        .ok_or(format!("failed to open pattern file <{path}>"))?;
                    let text = String::from_utf8_lossy(&data).into_owned();
                    values.extend(text.lines().filter(|l| !l.is_empty()).map(str::to_owned));
                }
                _ => {
                    at -= 1;
                    break;
                }
            }
        }
        values.extend(words.get(at..).unwrap_or(&[]).iter().cloned());
        let how = how.unwrap_or(match sample.gives {
            Type::Bool => How::Bool,
            Type::Int => How::Int,
            Type::Ip => How::Ip,
            Type::Text => How::Str,
        });
        let patterns = patterns(how, ignore_case, &values)?;
        Ok(Test { sample, how, ignore_case, patterns })
    }

    /// None while it does not hold but may once more has come.
    fn holds(&self, scene: &Scene) -> Option<bool> {
        let (values, may_change) = self.sample.values(scene);
        if self.how == How::Found {
            return if values.is_empty() && may_change { None } else { Some(!values.is_empty()) };
        }
        let fits = values.iter().any(|value| self.fits(value));
        if fits || !may_change { Some(fits) } else { None }
    }

    fn fits(&self, value: &Value) -> bool {
        if let (How::Bool, true) = (self.how, self.patterns.is_empty()) {
            return match value {
                Value::Bool(b) => *b,
                Value::Int(n) => *n != 0,
                _ => false,
            };
        }
        self.patterns.iter().any(|pattern| self.one(pattern, value))
    }

    fn one(&self, pattern: &Pattern, value: &Value) -> bool {
        let fold = |bytes: &[u8]| match self.ignore_case {
            true => bytes.to_ascii_lowercase(),
            false => bytes.to_vec(),
        };
        match (pattern, value) {
            (Pattern::Range(from, to), Value::Int(n)) => (from..=to).contains(&n),
            (Pattern::Range(from, to), Value::Text(text)) if self.how == How::Len => {
                (*from..=*to).contains(&(text.len() as i64))
            }
            (Pattern::Range(from, to), Value::Text(text)) => {
                let n = String::from_utf8_lossy(text).trim().parse::<i64>();
                n.is_ok_and(|n| (*from..=*to).contains(&n))
            }
            (Pattern::Net(net, mask), Value::Ip(ip)) => u32::from(*ip) & mask == net & mask,
            (Pattern::Regex(regex), value) => regex.is_match(&value.bytes()).unwrap_or(false),
            (Pattern::Text(wanted), value) => {
                let (text, wanted) = (fold(&value.bytes()), fold(wanted));
                compare(self.how, &text, &wanted)
            }
            _ => false,
        }
    }
}

fn compare(how: How, text: &[u8], wanted: &[u8]) -> bool {
    let parts = |separators: &[u8]| {
        let all: Vec<&[u8]> = text.split(|b| separators.contains(b)).collect();
        let wanted: Vec<&[u8]> = wanted.split(|b| separators.contains(b)).collect();
        let wanted: Vec<&[u8]> = wanted.into_iter().filter(|part| !part.is_empty()).collect();
        !wanted.is_empty() && all.windows(wanted.len()).any(|window| window == wanted)
    };
    match how {
        How::Beg => text.starts_with(wanted),
        How::End => text.ends_with(wanted),
        How::Sub => wanted.is_empty() || crate::regex::find_bytes(text, wanted, 0).is_some(),
        How::Dir => parts(b"/?"),
        How::Dom => parts(b"/?.:"),
        _ => text == wanted,
    }
}

fn patterns(how: How, ignore_case: bool, values: &[String]) -> Result<Vec<Pattern>, String> {
    let mut out = Vec::new();
    let mut operator = "eq";
    for value in values {
        out.push(match how {
            How::Found | How::Bool => continue,
            How::Int | How::Len => {
                if let Some(own) = ["eq", "ge", "gt", "le", "lt"].iter().find(|own| *own == value) {
                    operator = own;
                    continue;
                }
                range(operator, value).ok_or(format!("'{value}' is not a number"))?
            }
            How::Ip => {
                let (ip, bits) = value.split_once('/').unwrap_or((value, "32"));
                let ip: Ipv4Addr = ip
                    .parse()
                    .map_err(|_| format!("'{value}' is not a valid IPv4 or IPv6 address"))?;
                let bits: u32 = bits.parse().unwrap_or(32).min(32);
                let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
                Pattern::Net(u32::from(ip), mask)
            }
            How::Reg => {
                let options = Options { flavor: Flavor::Extended, ignore_case, newline: true };
                let regex = Regex::new(posix(value).as_bytes(), options);
                Pattern::Regex(regex.map_err(|_| format!("regex '{value}' is invalid"))?)
            }
            _ => Pattern::Text(crate::shell::bytes::to_bytes(value)),
        });
    }
    Ok(out)
}

fn range(operator: &str, value: &str) -> Option<Pattern> {
    if let Some((from, to)) = value.split_once(':') {
        let from = if from.is_empty() { i64::MIN } else { from.parse().ok()? };
        let to = if to.is_empty() { i64::MAX } else { to.parse().ok()? };
        return Some(Pattern::Range(from, to));
    }
    let n: i64 = value.parse().ok()?;
    Some(match operator {
        "ge" => Pattern::Range(n, i64::MAX),
        "gt" => Pattern::Range(n.saturating_add(1), i64::MAX),
        "le" => Pattern::Range(i64::MIN, n),
        "lt" => Pattern::Range(i64::MIN, n.saturating_sub(1)),
        _ => Pattern::Range(n, n),
    })
}

/// `if A B or !C`, `unless ...`.
#[derive(Clone)]
pub(super) struct Condition {
    unless: bool,
    any: Vec<Vec<Term>>,
}

/// Whether it is turned round, and the tests one of which must hold.
type Term = (bool, Vec<Rc<Test>>);

impl Condition {
    /// Reads what follows a rule; None where nothing does. The error follows `rule : `.
    pub(super) fn parse(
        sys: &Sys,
        words: &[String],
        acls: &[Acl],
    ) -> Result<Option<Condition>, String> {
        let Some(first) = words.first() else { return Ok(None) };
        let unless = match first.as_str() {
            "if" => false,
            "unless" => true,
            other => return Err(format!("expects 'if' or 'unless', but found '{other}'")),
        };
        let mut any: Vec<Vec<Term>> = vec![Vec::new()];
        let mut at = 1;
        while let Some(word) = words.get(at) {
            at += 1;
            if matches!(word.as_str(), "or" | "||" | "OR") {
                any.push(Vec::new());
                continue;
            }
            let (mut not, mut name) = (false, word.as_str());
            while let Some(rest) = name.strip_prefix('!') {
                not = !not;
                name = rest;
            }
            if name.is_empty() {
                name = words.get(at).map_or("", String::as_str);
                at += 1;
            }
            let tests = if name == "{" {
                let rest = words.get(at..).unwrap_or(&[]);
                let end =
                    rest.iter().position(|w| w == "}").ok_or("missing closing '}' in condition")?;
                at += end + 1;
                vec![Rc::new(Test::parse(sys, &rest[..end])?)]
            } else {
                named(sys, name, acls)?
            };
            any.last_mut().into_iter().for_each(|all| all.push((not, tests.clone())));
        }
        Ok(Some(Condition { unless, any }))
    }

    /// None while it is open.
    pub(super) fn holds(&self, scene: &Scene) -> Option<bool> {
        let mut open = false;
        for all in &self.any {
            let mut held = Some(true);
            for (not, tests) in all {
                let mut one = Some(false);
                for test in tests {
                    match test.holds(scene) {
                        Some(true) => one = Some(true),
                        Some(false) => {}
                        None if one == Some(false) => one = None,
                        None => {}
                    }
                }
                match one.map(|one| one != *not) {
                    Some(true) => {}
                    Some(false) => {
                        held = Some(false);
                        break;
                    }
                    None => held = None,
                }
            }
            match held {
                Some(true) => return Some(!self.unless),
                Some(false) => {}
                None => open = true,
            }
        }
        if open { None } else { Some(self.unless) }
    }
}

fn named(sys: &Sys, name: &str, acls: &[Acl]) -> Result<Vec<Rc<Test>>, String> {
    let own: Vec<Rc<Test>> =
        acls.iter().filter(|acl| acl.name == name).map(|acl| Rc::clone(&acl.test)).collect();
    if !own.is_empty() {
        return Ok(own);
    }
    let known = PREDEFINED.iter().find(|(own, _)| *own == name);
    let Some((_, text)) = known else { return Err(format!("no such ACL : '{name}'")) };
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    Ok(vec![Rc::new(Test::parse(sys, &words)?)])
}
