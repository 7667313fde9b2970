//! haproxy's sample expressions: a fetch such as `hdr(host)` or `req.payload(0,0)` and the
//! converters after it.

use super::model::Conf;
use crate::regex::{Flavor, Options, Regex};
use crate::shell::programs::nginx::posix;
use crate::shell::programs::web::Request;
use std::net::Ipv4Addr;

/// What a rule can look at.
pub(super) struct Scene<'a> {
    pub(super) conf: &'a Conf,
    /// The backend once it is chosen, the frontend before.
    pub(super) proxy: &'a str,
    pub(super) source: (Ipv4Addr, u16),
    pub(super) target: (Ipv4Addr, u16),
    /// What a client of a TCP proxy has sent so far.
    pub(super) buffer: &'a [u8],
    /// Whether more could still come.
    pub(super) waits: bool,
    pub(super) request: Option<&'a Request>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Ip(Ipv4Addr),
    Text(Vec<u8>),
}

impl Value {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Bool(b) => i32::from(*b).to_string().into_bytes(),
            Value::Int(n) => n.to_string().into_bytes(),
            Value::Ip(ip) => ip.to_string().into_bytes(),
            Value::Text(text) => text.clone(),
        }
    }
}

/// The type a fetch gives, which says how it is compared when nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Ip,
    Text,
}

/// Fetches and what they give.
const FETCHES: &[(&str, Type)] = &[
    ("always_true", Type::Bool),
    ("always_false", Type::Bool),
    ("src", Type::Ip),
    ("src_port", Type::Int),
    ("dst", Type::Ip),
    ("dst_port", Type::Int),
    ("ssl_fc", Type::Bool),
    ("nbsrv", Type::Int),
    ("srv_is_up", Type::Bool),
    ("fe_conn", Type::Int),
    ("be_conn", Type::Int),
    ("connslots", Type::Int),
    ("str", Type::Text),
    ("int", Type::Int),
    ("bool", Type::Bool),
    ("env", Type::Text),
    ("hostname", Type::Text),
    ("req.len", Type::Int),
    ("req_len", Type::Int),
    ("req.payload", Type::Text),
    ("payload", Type::Text),
    ("path", Type::Text),
    ("pathq", Type::Text),
    ("url", Type::Text),
    ("query", Type::Text),
    ("base", Type::Text),
    ("method", Type::Text),
    ("req.ver", Type::Text),
    ("hdr", Type::Text),
    ("req.hdr", Type::Text),
    ("req.fhdr", Type::Text),
    ("req.hdr_cnt", Type::Int),
    ("hdr_cnt", Type::Int),
    ("cook", Type::Text),
    ("req.cook", Type::Text),
    ("url_param", Type::Text),
    ("urlp", Type::Text),
    ("req.body", Type::Text),
    ("http_auth", Type::Bool),
];

#[derive(Clone)]
enum Convert {
    Lower,
    Upper,
    RegSub(Regex, String, bool),
    Field(i64, Vec<u8>),
    Length,
}

/// A fetch with its arguments and converters.
#[derive(Clone)]
pub(super) struct Sample {
    name: &'static str,
    args: Vec<String>,
    converts: Vec<Convert>,
    pub(super) gives: Type,
}

/// `name(a,b)` as name and arguments; what follows. Quotes keep commas and brackets.
fn call(text: &str) -> (String, Vec<String>, &str) {
    let end = text.find(['(', ',']).unwrap_or(text.len());
    let name = text[..end].to_owned();
    let Some(inner) = text[end..].strip_prefix('(') else {
        return (name, Vec::new(), &text[end..]);
    };
    let (mut args, mut arg, mut quote, mut depth) = (Vec::new(), String::new(), None, 0);
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ')') if depth == 0 => {
                args.push(arg);
                return (name, args, &inner[at + 1..]);
            }
            (None, ',') if depth == 0 => args.push(std::mem::take(&mut arg)),
            (_, c) => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                arg.push(c);
            }
        }
    }
    args.push(arg);
    (name, args, "")
}

impl Sample {
    /// Reads an expression; the error is for haproxy's sentence around it.
    pub(super) fn parse(text: &str) -> Result<Sample, Why> {
        let (name, args, mut rest) = call(text);
        let fetch = FETCHES.iter().find(|(own, _)| *own == name);
        let Some((name, gives)) = fetch.copied() else {
            return Err(Why::Fetch(name));
        };
        let mut sample = Sample { name, args, converts: Vec::new(), gives };
        while let Some(more) = rest.strip_prefix(',') {
            let (name, args, after) = call(more);
            sample.convert(&name, &args).ok_or(Why::Converter(name))?;
            rest = after;
        }
        Ok(sample)
    }

    fn convert(&mut self, name: &str, args: &[String]) -> Option<()> {
        let arg = |idx: usize| args.get(idx).map_or("", String::as_str);
        self.converts.push(match name {
            "lower" => Convert::Lower,
            "upper" => Convert::Upper,
            "regsub" => {
                let ignore_case = arg(2).contains('i');
                let options = Options { flavor: Flavor::Extended, ignore_case, newline: true };
                let regex = Regex::new(posix(arg(0)).as_bytes(), options).ok()?;
                Convert::RegSub(regex, arg(1).to_owned(), arg(2).contains('g'))
            }
            "field" => Convert::Field(arg(0).parse().ok()?, arg(1).as_bytes().to_vec()),
            "length" => {
                self.gives = Type::Int;
                Convert::Length
            }
            _ => return None,
        });
        Some(())
    }

    fn arg(&self, idx: usize) -> &str {
        self.args.get(idx).map_or("", String::as_str)
    }

    /// Its values now, and whether they may become others when more comes.
    pub(super) fn values(&self, scene: &Scene) -> (Vec<Value>, bool) {
        let (values, may_change) = self.fetch(scene);
        let convert = |value: Value| self.converts.iter().fold(value, |v, c| c.apply(&v));
        (values.into_iter().map(convert).collect(), may_change)
    }

    fn fetch(&self, scene: &Scene) -> (Vec<Value>, bool) {
        let text = |t: &str| vec![Value::Text(t.as_bytes().to_vec())];
        let steady = |values| (values, false);
        match self.name {
            "always_true" => steady(vec![Value::Bool(true)]),
            "always_false" | "ssl_fc" => steady(vec![Value::Bool(false)]),
            "src" => steady(vec![Value::Ip(scene.source.0)]),
            "src_port" => steady(vec![Value::Int(i64::from(scene.source.1))]),
            "dst" => steady(vec![Value::Ip(scene.target.0)]),
            "dst_port" => steady(vec![Value::Int(i64::from(scene.target.1))]),
            "str" => steady(text(self.arg(0))),
            "int" => steady(vec![Value::Int(self.arg(0).parse().unwrap_or(0))]),
            "bool" => steady(vec![Value::Bool(matches!(self.arg(0), "true" | "1" | "yes"))]),
            "req.len" | "req_len" => (vec![Value::Int(scene.buffer.len() as i64)], scene.waits),
            "req.payload" | "payload" => self.payload(scene),
            "nbsrv" | "srv_is_up" | "fe_conn" | "be_conn" => steady(self.of_proxy(scene)),
            _ => steady(scene.request.map_or(Vec::new(), |request| self.of_request(request))),
        }
    }

    /// Bytes of the buffer; length 0 is all there is, and nothing while there is nothing.
    fn payload(&self, scene: &Scene) -> (Vec<Value>, bool) {
        let from: usize = self.arg(0).parse().unwrap_or(0);
        let len: usize = self.arg(1).parse().unwrap_or(0);
        let there = scene.buffer.get(from..).unwrap_or(&[]);
        if there.is_empty() || there.len() < len {
            return (Vec::new(), scene.waits);
        }
        let len = if len == 0 { there.len() } else { len };
        (vec![Value::Text(there[..len].to_vec())], scene.waits && self.arg(1) == "0")
    }

    fn of_proxy(&self, scene: &Scene) -> Vec<Value> {
        let named = self.arg(0);
        let (name, server) = named.split_once('/').unwrap_or((named, ""));
        let name = if name.is_empty() { scene.proxy } else { name };
        let Some(proxy) = scene.conf.proxies.iter().find(|p| p.id == name) else {
            return Vec::new();
        };
        vec![match self.name {
            "nbsrv" => {
                let (active, backup) = proxy.n_up();
                Value::Int(if active > 0 { active } else { backup } as i64)
            }
            "srv_is_up" => Value::Bool(proxy.servers.iter().any(|s| s.id == server && s.usable())),
            _ => Value::Int(i64::from(proxy.open.get())),
        }]
    }

    fn of_request(&self, request: &Request) -> Vec<Value> {
        let one = |text: &str| vec![Value::Text(text.as_bytes().to_vec())];
        let headers = |name: &str| {
            let own = request.head.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            own.map(|(_, value)| value.clone()).collect::<Vec<String>>()
        };
        let name = self.arg(0);
        match self.name {
            "path" => one(request.path()),
            "url" | "pathq" => one(&request.target),
            "query" => one(request.query()),
            "method" => one(&request.method),
            "base" => one(&format!("{}{}", request.head.get("Host").unwrap_or(""), request.path())),
            "req.ver" => one(request.head.first.rsplit("HTTP/").next().unwrap_or("")),
            "req.body" => vec![Value::Text(request.body.clone())],
            "http_auth" => vec![Value::Bool(false)],
            "req.fhdr" => headers(name).iter().flat_map(|v| one(v)).collect(),
            "hdr" | "req.hdr" => {
                let all = headers(name);
                let parts = all.iter().flat_map(|value| value.split(','));
                parts.flat_map(|part| one(part.trim())).collect()
            }
            "hdr_cnt" | "req.hdr_cnt" => vec![Value::Int(headers(name).len() as i64)],
            "cook" | "req.cook" => {
                let all = headers("Cookie").join("; ");
                let pairs = all.split(';').filter_map(|pair| pair.trim().split_once('='));
                let own = pairs.filter(|(n, _)| *n == name);
                own.flat_map(|(_, value)| one(value)).collect()
            }
            "url_param" | "urlp" => {
                let pairs = request.query().split('&').filter_map(|pair| pair.split_once('='));
                let own = pairs.filter(|(n, _)| *n == name);
                own.flat_map(|(_, value)| one(value)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Why an expression could not be read.
pub(super) enum Why {
    Fetch(String),
    Converter(String),
}

impl Convert {
    fn apply(&self, value: &Value) -> Value {
        let bytes = value.bytes();
        Value::Text(match self {
            Convert::Lower => bytes.to_ascii_lowercase(),
            Convert::Upper => bytes.to_ascii_uppercase(),
            Convert::Length => return Value::Int(bytes.len() as i64),
            Convert::Field(n, delimiters) => {
                let mut parts: Vec<&[u8]> =
                    bytes.split(|b| delimiters.contains(b)).filter(|p| !p.is_empty()).collect();
                if *n < 0 {
                    parts.reverse();
                }
                let idx = (n.unsigned_abs() as usize).saturating_sub(1);
                parts.get(idx).map_or(Vec::new(), |part| part.to_vec())
            }
            Convert::RegSub(regex, with, all) => replace(regex, &bytes, with, *all),
        })
    }
}

/// The text with a match, or each, replaced; `\1` is a group.
pub(super) fn replace(regex: &Regex, text: &[u8], with: &str, all: bool) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Ok(Some(found)) = regex.find_at(text, at) {
        out.extend_from_slice(&text[at..found.start()]);
        let mut chars = with.chars();
        while let Some(c) = chars.next() {
            let group =
                if c == '\\' { chars.clone().next().and_then(|d| d.to_digit(10)) } else { None };
            match group {
                Some(n) => {
                    chars.next();
                    let range = found.group(n as usize).unwrap_or((0, 0));
                    out.extend_from_slice(text.get(range.0..range.1).unwrap_or(&[]));
                }
                None => out.extend_from_slice(c.to_string().as_bytes()),
            }
        }
        at = found.end();
        if found.start() == found.end() || !all {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or(&[]));
    out
}
