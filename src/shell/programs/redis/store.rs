//! What a Redis server keeps, and the commands on it. Strings here; what every kind of key has in
//! common, lists, sets, hashes and sorted sets in the files beside. No streams.

use super::resp::Reply;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) type Bytes = Vec<u8>;

#[derive(Default)]
pub(super) struct Store {
    pub(super) keys: BTreeMap<Bytes, Entry>,
    /// Counts commands, so that the key used longest ago is known.
    clock: u64,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// Milliseconds since 1970.
    pub(super) expires: Option<i64>,
    used: u64,
}

#[derive(Clone)]
pub(super) enum Value {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Set(BTreeSet<Bytes>),
    Hash(BTreeMap<Bytes, Bytes>),
    Sorted(BTreeMap<Bytes, f64>),
}

pub(super) const WRONG_TYPE: &str =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
pub(super) const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
const NOT_FLOAT: &str = "ERR value is not a valid float";
pub(super) const SYNTAX: &str = "ERR syntax error";

pub(super) fn error(text: &str) -> Reply {
    Reply::Error(text.to_owned())
}

pub(super) fn ok() -> Reply {
    Reply::Simple("OK".to_owned())
}

pub(super) fn bulk(bytes: &[u8]) -> Reply {
    Reply::Bulk(Some(bytes.to_vec()))
}

pub(super) fn integer(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

pub(super) fn float(bytes: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.parse().ok().filter(|n: &f64| !n.is_nan())
}

/// As Redis prints a double: no more digits than it needs.
pub(super) fn number(n: f64) -> Bytes {
    if n.is_infinite() {
        return if n > 0.0 { b"inf".to_vec() } else { b"-inf".to_vec() };
    }
    format!("{n}").into_bytes()
}

/// What a command came to; None for one that is not simulated.
pub(super) type Done = Option<Reply>;

impl Store {
    /// Runs one command; `name` is in upper case, `now` in milliseconds since 1970. None where it
    /// is not simulated.
    pub(super) fn run(&mut self, name: &str, args: &[Bytes], now: i64) -> Done {
        self.keys.retain(|_, entry| entry.expires.is_none_or(|at| at > now));
        self.clock += 1;
        if let Some(entry) = args.first().and_then(|key| self.keys.get_mut(key)) {
            entry.used = self.clock;
        }
        self.texts(name, args, now)
            .or_else(|| self.numbers(name, args))
            .or_else(|| self.any_keys(name, args, now))
            .or_else(|| self.lists(name, args))
            .or_else(|| self.sets(name, args))
            .or_else(|| self.hashes(name, args))
            .or_else(|| self.sorted(name, args))
    }

    /// Bytes the data takes, roughly.
    pub(super) fn size(&self) -> u64 {
        let of = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::List(list) => list.iter().map(|item| item.len() + 16).sum(),
            Value::Set(set) => set.iter().map(|item| item.len() + 32).sum(),
            Value::Hash(hash) => hash.iter().map(|(k, v)| k.len() + v.len() + 40).sum(),
            Value::Sorted(set) => set.keys().map(|item| item.len() + 56).sum(),
        };
        self.keys.iter().map(|(key, entry)| (key.len() + of(&entry.value) + 64) as u64).sum()
    }

    /// Drops the key used longest ago; false when there is none that may go.
    pub(super) fn evict(&mut self, only_expiring: bool) -> bool {
        let may = self.keys.iter().filter(|(_, e)| !only_expiring || e.expires.is_some());
        let Some(key) = may.min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone()) else {
            return false;
        };
        self.keys.remove(&key);
        true
    }

    pub(super) fn value(&self, key: &[u8]) -> Option<&Value> {
        self.keys.get(key).map(|entry| &entry.value)
    }

    pub(super) fn entry(&mut self, key: &[u8], fresh: impl FnOnce() -> Value) -> &mut Entry {
        let used = self.clock;
        let entry = self.keys.entry(key.to_vec());
        entry.or_insert_with(|| Entry { value: fresh(), expires: None, used })
    }

    pub(super) fn put_value(&mut self, key: &[u8], value: Value, expires: Option<i64>) {
        self.keys.insert(key.to_vec(), Entry { value, expires, used: self.clock });
    }

    pub(super) fn put(&mut self, key: &[u8], value: &[u8], expires: Option<i64>) {
        self.put_value(key, Value::Text(value.to_vec()), expires);
    }

    fn texts(&mut self, name: &str, args: &[Bytes], now: i64) -> Done {
        Some(match (name, args) {
            ("GET", [key]) => self.get(key),
            ("SET", [key, value, options @ ..]) => self.set(key, value, options, now),
            ("SETEX", [key, secs, value]) => self.set_for(name, key, secs, value, now),
            ("PSETEX", [key, ms, value]) => self.set_for(name, key, ms, value, now),
            ("SETNX", [key, value]) => match self.keys.contains_key(key) {
                true => Reply::Integer(0),
                false => {
                    self.put(key, value, None);
                    Reply::Integer(1)
                }
            },
            ("GETSET", [key, value]) => {
                let old = self.get(key);
                if !matches!(old, Reply::Error(_)) {
                    self.put(key, value, None);
                }
                old
            }
            ("GETDEL", [key]) => {
                let old = self.get(key);
                if !matches!(old, Reply::Error(_)) {
                    self.keys.remove(key);
                }
                old
            }
            ("MGET", [_, ..]) => {
                let get = |key: &Bytes| match self.value(key) {
                    Some(Value::Text(text)) => bulk(text),
                    _ => Reply::Bulk(None),
                };
                Reply::Array(args.iter().map(get).collect())
            }
            ("MSET", [_, _, ..]) if args.len().is_multiple_of(2) => {
                for pair in args.chunks_exact(2) {
                    self.put(&pair[0], &pair[1], None);
                }
                ok()
            }
            ("APPEND", [key, more]) => self.append(key, more),
            ("STRLEN", [key]) => match self.value(key) {
                None => Reply::Integer(0),
                Some(Value::Text(text)) => Reply::Integer(text.len() as i64),
                Some(_) => error(WRONG_TYPE),
            },
            ("GETRANGE", [key, from, to]) => match (self.value(key), integer(from), integer(to)) {
                (_, None, _) | (_, _, None) => error(NOT_INTEGER),
                (None, ..) => bulk(b""),
                (Some(Value::Text(text)), Some(from), Some(to)) => {
                    let (from, n) = super::lists::span(text.len(), from, to);
                    bulk(text.get(from..from + n).unwrap_or(&[]))
                }
                _ => error(WRONG_TYPE),
            },
            _ => return None,
        })
    }

    fn numbers(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("INCR", [key]) => self.add(key, 1),
            ("DECR", [key]) => self.add(key, -1),
            ("INCRBY" | "DECRBY", [key, by]) => match integer(by) {
                Some(by) if name == "INCRBY" => self.add(key, by),
                Some(by) => self.add(key, by.saturating_neg()),
                None => error(NOT_INTEGER),
            },
            ("INCRBYFLOAT", [key, by]) => {
                let Some(by) = float(by) else { return Some(error(NOT_FLOAT)) };
                match &mut self.entry(key, || Value::Text(b"0".to_vec())).value {
                    Value::Text(text) => match float(text) {
                        None => error(NOT_FLOAT),
                        Some(old) => {
                            *text = number(old + by);
                            bulk(text)
                        }
                    },
                    _ => error(WRONG_TYPE),
                }
            }
            _ => return None,
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Reply {
        match self.value(key) {
            None => Reply::Bulk(None),
            Some(Value::Text(text)) => bulk(text),
            Some(_) => error(WRONG_TYPE),
        }
    }

    /// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`.
    fn set(&mut self, key: &[u8], value: &[u8], options: &[Bytes], now: i64) -> Reply {
        let (mut expires, mut wanted, mut get) = (None, None, false);
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            let upper = option.to_ascii_uppercase();
            match upper.as_slice() {
                b"NX" => wanted = Some(false),
                b"XX" => wanted = Some(true),
                b"GET" => get = true,
                b"KEEPTTL" => expires = self.keys.get(key).and_then(|entry| entry.expires),
                b"EX" | b"PX" | b"EXAT" | b"PXAT" => {
                    let Some(text) = rest.next() else { return error(SYNTAX) };
                    let Some(n) = integer(text) else { return error(NOT_INTEGER) };
                    if n <= 0 {
                        return error("ERR invalid expire time in 'set' command");
                    }
                    let per = if upper.starts_with(b"EX") { 1_000 } else { 1 };
                    let base = if upper.ends_with(b"AT") { 0 } else { now };
                    expires = Some(n.saturating_mul(per).saturating_add(base));
                }
                _ => return error(SYNTAX),
            }
        }
        let old = self.get(key);
        if get && matches!(old, Reply::Error(_)) {
            return old;
        }
        if wanted.is_some_and(|there| there != self.keys.contains_key(key)) {
            return if get { old } else { Reply::Bulk(None) };
        }
        self.put(key, value, expires);
        if get { old } else { ok() }
    }

    fn set_for(&mut self, name: &str, key: &[u8], n: &[u8], value: &[u8], now: i64) -> Reply {
        let per = if name == "SETEX" { 1_000 } else { 1 };
        match integer(n) {
            None => error(NOT_INTEGER),
            Some(n) if n <= 0 => {
                let name = name.to_lowercase();
                Reply::Error(format!("ERR invalid expire time in '{name}' command"))
            }
            Some(n) => {
                self.put(key, value, Some(now.saturating_add(n.saturating_mul(per))));
                ok()
            }
        }
    }

    fn append(&mut self, key: &[u8], more: &[u8]) -> Reply {
        match &mut self.entry(key, || Value::Text(Vec::new())).value {
            Value::Text(text) => {
                text.extend(more);
                Reply::Integer(text.len() as i64)
            }
            _ => error(WRONG_TYPE),
        }
    }

    fn add(&mut self, key: &[u8], by: i64) -> Reply {
        match &mut self.entry(key, || Value::Text(b"0".to_vec())).value {
            Value::Text(text) => match integer(text) {
                None => error(NOT_INTEGER),
                Some(old) => match old.checked_add(by) {
                    None => error("ERR increment or decrement would overflow"),
                    Some(new) => {
                        *text = new.to_string().into_bytes();
                        Reply::Integer(new)
                    }
                },
            },
            _ => error(WRONG_TYPE),
        }
    }
}
