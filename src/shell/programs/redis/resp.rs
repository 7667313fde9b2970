//! Redis' protocol: commands as arrays of bulk strings or as plain lines, replies of five kinds.

/// A reply, or an array of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Option<Vec<u8>>),
    Array(Vec<Reply>),
}

/// Longest argument and most arguments of one command.
const BULK_MAX: usize = 1 << 20;
const ARGS_MAX: usize = 10_000;

/// What the front of a buffer holds.
pub(super) enum Parsed<T> {
    /// Something whole, and how many bytes it took.
    Whole(T, usize),
    /// More has to come.
    More,
    /// Not the protocol.
    Bad(String),
}

/// The next command a client sent; an empty one is an empty line.
pub(super) fn command(data: &[u8]) -> Parsed<Vec<Vec<u8>>> {
    let Some((line, used)) = line(data) else { return Parsed::More };
    if line.first() != Some(&b'*') {
        let words = line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
        return Parsed::Whole(words.map(<[u8]>::to_vec).collect(), used);
    }
    let Some(n) = number(&line[1..]).filter(|n| *n <= ARGS_MAX as i64) else {
        return Parsed::Bad("Protocol error: invalid multibulk length".to_owned());
    };
    let mut at = used;
    let mut args = Vec::new();
    for _ in 0..n.max(0) {
        match bulk(&data[at..]) {
            Parsed::Whole(Some(arg), used) => {
                args.push(arg);
                at += used;
            }
            Parsed::More => return Parsed::More,
            Parsed::Bad(why) => return Parsed::Bad(why),
            Parsed::Whole(None, _) => {
                return Parsed::Bad("Protocol error: invalid bulk length".to_owned());
            }
        }
    }
    Parsed::Whole(args, at)
}

fn bulk(data: &[u8]) -> Parsed<Option<Vec<u8>>> {
    let Some((line, used)) = line(data) else { return Parsed::More };
    if line.first() != Some(&b'$') {
        let got = line.first().map_or(' ', |b| *b as char);
        return Parsed::Bad(format!("Protocol error: expected '$', got '{got}'"));
    }
    match number(&line[1..]) {
        Some(-1) => Parsed::Whole(None, used),
        Some(len) if (0..=BULK_MAX as i64).contains(&len) => {
            let end = used + len as usize;
            match data.get(used..end) {
                Some(arg) if data.len() >= end + 2 => Parsed::Whole(Some(arg.to_vec()), end + 2),
                _ => Parsed::More,
            }
        }
        _ => Parsed::Bad("Protocol error: invalid bulk length".to_owned()),
    }
}

/// A server's next reply. Arrays nest at most eight deep.
pub(super) fn reply(data: &[u8]) -> Parsed<Reply> {
    nested(data, 8)
}

fn nested(data: &[u8], depth: usize) -> Parsed<Reply> {
    let Some((line, used)) = line(data) else { return Parsed::More };
    let (Some(kind), Some(rest)) = (line.first(), line.get(1..)) else {
        return Parsed::Bad("Protocol error".to_owned());
    };
    let text = || String::from_utf8_lossy(rest).into_owned();
    match (kind, number(rest)) {
        (b'+', _) => Parsed::Whole(Reply::Simple(text()), used),
        (b'-', _) => Parsed::Whole(Reply::Error(text()), used),
        (b':', Some(n)) => Parsed::Whole(Reply::Integer(n), used),
        (b'$', _) => match bulk(data) {
            Parsed::Whole(bulk, used) => Parsed::Whole(Reply::Bulk(bulk), used),
            Parsed::More => Parsed::More,
            Parsed::Bad(why) => Parsed::Bad(why),
        },
        (b'*', Some(n)) if n <= ARGS_MAX as i64 && depth > 0 => {
            let (mut at, mut items) = (used, Vec::new());
            for _ in 0..n.max(0) {
                match nested(&data[at..], depth - 1) {
                    Parsed::Whole(item, used) => {
                        items.push(item);
                        at += used;
                    }
                    other => return other,
                }
            }
            Parsed::Whole(Reply::Array(items), at)
        }
        _ => {
            let byte = *kind as char;
            Parsed::Bad(format!("Protocol error, got {byte:?} as reply type byte"))
        }
    }
}

/// The first line without its end, and how many bytes it took with it.
fn line(data: &[u8]) -> Option<(&[u8], usize)> {
    let end = data.iter().position(|b| *b == b'\n')?;
    let line = data.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

pub(super) fn write_command(args: &[String]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        write_bulk(&mut out, &crate::shell::bytes::to_bytes(arg));
    }
    out
}

fn write_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(format!("${}\r\n", bytes.len()).into_bytes());
    out.extend(bytes);
    out.extend(b"\r\n");
}

impl Reply {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Simple(text) => out.extend(format!("+{text}\r\n").into_bytes()),
            Reply::Error(text) => out.extend(format!("-{text}\r\n").into_bytes()),
            Reply::Integer(n) => out.extend(format!(":{n}\r\n").into_bytes()),
            Reply::Bulk(None) => out.extend(b"$-1\r\n"),
            Reply::Bulk(Some(bytes)) => write_bulk(out, bytes),
            Reply::Array(items) => {
                out.extend(format!("*{}\r\n", items.len()).into_bytes());
                for item in items {
                    item.write(out);
                }
            }
        }
    }

    /// As redis-cli prints it where nobody looks on: bare values, one a line.
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Simple(text) => out.extend(text.as_bytes()),
            // redis-cli ends an error with a newline of its own, and then the usual one.
            Reply::Error(text) => out.extend(format!("{text}\n").into_bytes()),
            Reply::Integer(n) => out.extend(n.to_string().into_bytes()),
            Reply::Bulk(bytes) => out.extend(bytes.iter().flatten()),
            Reply::Array(items) => {
                for (idx, item) in items.iter().enumerate() {
                    if idx > 0 {
                        out.push(b'\n');
                    }
                    item.print(out);
                }
            }
        }
    }
}
