//! nginx's configuration text: tokens, blocks, includes, and the checks it makes of a directive
//! while it reads. What directives mean to each other is checked in [`super::meaning`].

use crate::shell::bytes::to_text;
use crate::shell::{Errno, FileType, Sys};
use std::rc::Rc;

/// `NAME CONTEXTS ARGUMENTS [VALUE][!]`: contexts by letter (main, events, http, server, location,
/// `if` in a location, `f` if in a server, upstream, `x` limit_except), numbers of arguments (`+`
/// one or more), `{` a block; the kind of a single value; `!` has an effect the lab does not show.
const DIRECTIVES: &str = include_str!("directives.txt");

/// Families whose members are taken as they are. (prefix, whether they matter to a run)
const FAMILIES: &[(&str, bool)] = &[
    ("fastcgi_", true),
    ("uwsgi_", true),
    ("scgi_", true),
    ("grpc_", true),
    ("memcached_", true),
    ("ssl_", false),
    ("http2", false),
    ("http3", false),
    ("proxy_ssl_", false),
    ("proxy_cache_", false),
    ("limit_req_", false),
    ("limit_conn_", false),
    ("limit_rate_", false),
    ("gzip_", false),
    ("gunzip_", false),
    ("autoindex_", false),
    ("lingering_", false),
    ("charset_", false),
    ("ssi_", false),
    ("sub_filter_", false),
    ("directio", false),
];

/// Directives of a configuration, at most.
const DIRECTIVES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 30;

#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    /// `FILE:LINE`, where it ends.
    pub(super) place: Rc<str>,
    pub(super) block: Vec<Directive>,
}

impl Directive {
    pub(super) fn arg(&self, idx: usize) -> &str {
        self.args.get(idx).map_or("", String::as_str)
    }

    /// The last directive of this name right inside.
    pub(super) fn get(&self, name: &str) -> Option<&Directive> {
        self.block.iter().rev().find(|d| d.name == name)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.block.iter().filter(move |d| d.name == name)
    }
}

/// What was read and what is to be said of it.
pub(super) struct Read {
    pub(super) root: Directive,
    pub(super) warnings: Vec<String>,
    /// Directives that have no effect here.
    pub(super) not_simulated: Vec<String>,
}

/// Reads `text` as the file `name`, after what `-g` gave. The error is nginx's sentence.
pub(super) fn read(sys: &Sys, path: &str, globals: &str) -> Result<Read, String> {
    let mut reader = Reader {
        sys,
        n_read: 0,
        warnings: Vec::new(),
        not_simulated: Vec::new(),
        formats: vec!["combined".to_owned()],
    };
    let mut block = Vec::new();
    let text = reader.open(path, None)?;
    if !globals.is_empty() {
        let mut source = Source::new(globals.as_bytes(), "command line");
        reader.block(&mut source, 'm', false, &mut block, 0)?;
    }
    let mut source = Source::new(&text, path);
    reader.block(&mut source, 'm', false, &mut block, 0)?;
    let root = Directive { name: String::new(), args: Vec::new(), place: Rc::from(path), block };
    let Reader { warnings, not_simulated, .. } = reader;
    Ok(Read { root, warnings, not_simulated })
}

struct Reader<'a> {
    sys: &'a Sys,
    n_read: usize,
    warnings: Vec<String>,
    not_simulated: Vec<String>,
    /// Log formats known so far.
    formats: Vec<String>,
}

#[derive(PartialEq)]
enum Ended {
    Semicolon,
    Opens,
    Closes,
    File,
}

struct Source<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    name: Rc<str>,
}

impl<'a> Source<'a> {
    fn new(text: &'a [u8], name: &str) -> Source<'a> {
        Source { text, at: 0, line: 1, name: Rc::from(name) }
    }

    fn place(&self) -> String {
        if &*self.name == "command line" {
            return "command line".to_owned();
        }
        format!("{}:{}", self.name, self.line)
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    /// Words up to `;`, `{` or `}`.
    // Models src/core/ngx_conf_file.c ngx_conf_read_token.
    fn words(&mut self) -> Result<(Vec<String>, Ended), String> {
        let mut words = Vec::new();
        loop {
            let Some(byte) = self.next() else {
                if words.is_empty() {
                    return Ok((words, Ended::File));
                }
                let what = "unexpected end of file, expecting \";\" or \"}\"";
                return Err(format!("{what} in {}", self.place()));
            };
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'#' => while self.next().is_some_and(|b| b != b'\n') {},
                b';' | b'{' if words.is_empty() => {
                    let what = format!("unexpected \"{}\"", char::from(byte));
                    return Err(format!("{what} in {}", self.place()));
                }
                b';' => return Ok((words, Ended::Semicolon)),
                b'{' => return Ok((words, Ended::Opens)),
                b'}' if words.is_empty() => return Ok((words, Ended::Closes)),
                b'}' => return Err(format!("unexpected \"}}\" in {}", self.place())),
                b'"' | b'\'' => words.push(self.quoted(byte)?),
                _ => {
                    self.at -= 1;
                    words.push(self.bare()?);
                }
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<String, String> {
        let mut word = Vec::new();
        loop {
            match self.next() {
                None => {
                    let what = "unexpected end of file, expecting \";\" or \"}\"";
                    return Err(format!("{what} in {}", self.place()));
                }
                Some(b'\\') => self.escape(&mut word),
                Some(byte) if byte == quote => break,
                Some(byte) => word.push(byte),
            }
        }
        match self.text.get(self.at) {
            Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') | None => {}
            Some(other) => {
                let what = format!("unexpected \"{}\"", char::from(*other));
                return Err(format!("{what} in {}", self.place()));
            }
        }
        Ok(to_text(&word))
    }

    fn escape(&mut self, word: &mut Vec<u8>) {
        match self.next() {
            Some(byte @ (b'"' | b'\'' | b'\\')) => word.push(byte),
            Some(b't') => word.push(b'\t'),
            Some(b'r') => word.push(b'\r'),
            Some(b'n') => word.push(b'\n'),
            Some(other) => word.extend([b'\\', other]),
            None => word.push(b'\\'),
        }
    }

    fn bare(&mut self) -> Result<String, String> {
        let mut word = Vec::new();
        while let Some(byte) = self.text.get(self.at).copied() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' => break,
                b'{' if word.last() != Some(&b'$') => break,
                b'\\' => {
                    self.at += 1;
                    self.escape(&mut word);
                    continue;
                }
                _ => {}
            }
            word.push(byte);
            self.at += 1;
        }
        if self.at >= self.text.len() {
            let what = "unexpected end of file, expecting \";\" or \"}\"";
            return Err(format!("{what} in {}", self.place()));
        }
        Ok(to_text(&word))
    }
}

/// The context inside a block; `*` holds lines of its own kind.
fn inside(name: &str, context: char) -> char {
    match (name, context) {
        ("events", _) => 'e',
        ("http", _) => 'h',
        ("server", _) => 's',
        ("upstream", _) => 'u',
        ("location", _) => 'l',
        ("if", 's') => 'f',
        ("if", _) => 'i',
        ("limit_except", _) => 'x',
        _ => '*',
    }
}

/// (contexts, arguments, value, whether it has an effect that is not shown)
fn rows(name: &str) -> impl Iterator<Item = (&'static str, &'static str, &'static str, bool)> {
    DIRECTIVES.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
        let mut words = rest.split(' ');
        let (contexts, args) = (words.next()?, words.next()?);
        let value = words.next().unwrap_or("");
        Some((contexts, args, value.trim_end_matches('!'), value.ends_with('!')))
    })
}

fn takes(args: &str, n: usize) -> bool {
    let mut least = None;
    for c in args.chars() {
        match c {
            '+' => return n >= least.unwrap_or(1),
            '*' => return true,
            digit => {
                let digit = digit.to_digit(10).unwrap_or(99) as usize;
                if digit == n {
                    return true;
                }
                least = Some(digit);
            }
        }
    }
    false
}

/// Whether a text is a size (`10m`) or a time (`1h 30m`, `500ms`).
fn is_amount(text: &str, units: &[&str]) -> bool {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    digits > 0 && units.contains(&&text[digits..])
}

const TIMES: &[&str] = &["", "ms", "s", "m", "h", "d", "w", "M", "y"];
const SIZES: &[&str] = &["", "k", "K", "m", "M", "g", "G"];

impl Reader<'_> {
    fn open(&self, path: &str, by: Option<&str>) -> Result<Vec<u8>, String> {
        let by = by.map_or(String::new(), |place| format!(" in {place}"));
        let fail = |errno: Errno| {
            format!("open() \"{path}\" failed ({}: {}){by}", errno.number(), errno.text())
        };
        self.sys.access(path, 4).map_err(fail)?;
        let stat = self.sys.stat(path).map_err(fail)?;
        if stat.file_type == FileType::Dir {
            return Err(format!("read() \"{path}\" failed (21: Is a directory){by}"));
        }
        self.sys.peek_file(path).ok_or_else(|| fail(Errno::NoEnt))
    }

    fn block(
        &mut self,
        source: &mut Source<'_>,
        context: char,
        nested: bool,
        into: &mut Vec<Directive>,
        depth: usize,
    ) -> Result<(), String> {
        loop {
            let (mut words, ended) = source.words()?;
            match ended {
                Ended::File if nested => {
                    let what = "unexpected end of file, expecting \"}\"";
                    return Err(format!("{what} in {}", source.place()));
                }
                Ended::Closes if !nested => {
                    return Err(format!("unexpected \"}}\" in {}", source.place()));
                }
                Ended::File | Ended::Closes => return Ok(()),
                Ended::Semicolon | Ended::Opens => {}
            }
            self.n_read += 1;
            if self.n_read > DIRECTIVES_MAX || depth > DEPTH_MAX {
                return Err(format!("too many directives in {}", source.place()));
            }
            let name = words.remove(0);
            let place: Rc<str> = Rc::from(source.place());
            let opens = ended == Ended::Opens;
            let mut directive = Directive { name, args: words, place, block: Vec::new() };
            if context == '*' {
                into.push(directive);
                continue;
            }
            self.check(&directive, context, opens)?;
            if directive.name == "include" {
                self.include(&directive, context, into, depth)?;
                continue;
            }
            if opens {
                let inner = inside(&directive.name, context);
                self.block(source, inner, true, &mut directive.block, depth + 1)?;
            }
            into.push(directive);
        }
    }

    // Models src/core/ngx_conf_file.c ngx_conf_handler.
    fn check(&mut self, directive: &Directive, context: char, opens: bool) -> Result<(), String> {
        let Directive { name, args, place, .. } = directive;
        if rows(name).next().is_none() {
            let Some((_, matters)) = FAMILIES.iter().find(|(family, _)| name.starts_with(family))
            else {
                return Err(format!("unknown directive \"{name}\" in {place}"));
            };
            if *matters && !name.ends_with("_temp_path") {
                self.not_simulated.push(format!("the directive {name}"));
            }
            return Ok(());
        }
        let Some((_, wanted, value, marked)) = rows(name).find(|row| row.0.contains(context))
        else {
            return Err(format!("\"{name}\" directive is not allowed here in {place}"));
        };
        if opens && !wanted.contains('{') {
            return Err(format!("directive \"{name}\" is not terminated by \";\" in {place}"));
        }
        if !opens && wanted.contains('{') {
            return Err(format!("directive \"{name}\" has no opening \"{{\" in {place}"));
        }
        if !takes(wanted.trim_start_matches('{'), args.len()) {
            return Err(format!("invalid number of arguments in \"{name}\" directive in {place}"));
        }
        let off = args.first().is_some_and(|arg| arg == "off");
        if marked && !off {
            self.not_simulated.push(format!("the directive {name}"));
        }
        self.check_value(directive, value)?;
        self.check_format(directive)
    }

    fn check_value(&self, directive: &Directive, kind: &str) -> Result<(), String> {
        let Directive { name, place, .. } = directive;
        let arg = directive.arg(0);
        match kind {
            "flag" if !matches!(arg.to_ascii_lowercase().as_str(), "on" | "off") => Err(format!(
                "invalid value \"{arg}\" in \"{name}\" directive, it must be \"on\" or \"off\" in \
                 {place}"
            )),
            "time" if !arg.split(' ').all(|part| is_amount(part, TIMES)) => {
                Err(format!("\"{name}\" directive invalid value in {place}"))
            }
            "size" if !is_amount(arg, SIZES) => {
                Err(format!("\"{name}\" directive invalid value in {place}"))
            }
            "num" if !is_amount(arg, &[""]) => Err(format!("invalid number in {place}")),
            _ => Ok(()),
        }
    }

    /// A log may only name formats read before.
    fn check_format(&mut self, directive: &Directive) -> Result<(), String> {
        let place = &directive.place;
        match directive.name.as_str() {
            "log_format" => {
                let name = directive.arg(0).to_owned();
                if self.formats.contains(&name) {
                    return Err(format!("duplicate \"log_format\" name \"{name}\" in {place}"));
                }
                self.formats.push(name);
            }
            "access_log" if directive.arg(0) != "off" => {
                let format = directive.arg(1);
                let known = format.is_empty() || self.formats.iter().any(|f| f == format);
                if !known && !format.contains('=') {
                    return Err(format!("unknown log format \"{format}\" in {place}"));
                }
            }
            "user" if self.sys.uid() != 0 => self.warnings.push(format!(
                "the \"user\" directive makes sense only if the master process runs with \
                 super-user privileges, ignored in {place}"
            )),
            "root" | "alias" if directive.arg(0).contains("$document_root") => {
                let name = &directive.name;
                return Err(format!(
                    "the $document_root variable cannot be used in the \"{name}\" directive in \
                     {place}"
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn include(
        &mut self,
        directive: &Directive,
        context: char,
        into: &mut Vec<Directive>,
        depth: usize,
    ) -> Result<(), String> {
        let arg = directive.arg(0);
        let path = if arg.starts_with('/') { arg.to_owned() } else { format!("/etc/nginx/{arg}") };
        let paths = match path.contains(['*', '?', '[']) {
            true => self.matching(&path),
            false => vec![path],
        };
        for path in paths {
            let text = self.open(&path, Some(&directive.place))?;
            let mut source = Source::new(&text, &path);
            self.block(&mut source, context, false, into, depth + 1)?;
        }
        Ok(())
    }

    fn matching(&self, path: &str) -> Vec<String> {
        let (dir, pattern) = path.rsplit_once('/').unwrap_or(("/", path));
        let names = self.sys.readdir(dir).unwrap_or_default();
        let own = names.iter().filter(|name| {
            (!name.starts_with('.') || pattern.starts_with('.'))
                && crate::shell::programs::wild::wild(pattern, name)
        });
        own.map(|name| format!("{dir}/{name}")).collect()
    }
}
