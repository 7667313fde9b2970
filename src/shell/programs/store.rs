//! What a Redis server keeps, and the commands on it. Strings, lists, sets and hashes, with times
//! of expiry; no scripts, streams, transactions or replication.

use super::resp::Reply;
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type Bytes = Vec<u8>;

#[derive(Default)]
pub(super) struct Store {
    keys: BTreeMap<Bytes, Entry>,
}

struct Entry {
    value: Value,
    expires: Option<SimTime>,
}

enum Value {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Set(BTreeSet<Bytes>),
    Hash(BTreeMap<Bytes, Bytes>),
}

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
const SYNTAX: &str = "ERR syntax error";

fn error(text: &str) -> Reply {
    Reply::Error(text.to_owned())
}

fn ok() -> Reply {
    Reply::Simple("OK".to_owned())
}

fn bulk(bytes: &[u8]) -> Reply {
    Reply::Bulk(Some(bytes.to_vec()))
}

fn integer(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// What a command came to; None for one that is not simulated.
type Done = Option<Reply>;

impl Store {
    /// Runs one command; `name` is in upper case. None where it is not simulated.
    pub(super) fn run(&mut self, name: &str, args: &[Bytes], now: SimTime) -> Done {
        self.keys.retain(|_, entry| entry.expires.is_none_or(|at| at > now));
        let done = self
            .texts(name, args, now)
            .or_else(|| self.numbers(name, args))
            .or_else(|| self.any_keys(name, args, now))
            .or_else(|| self.lists(name, args))
            .or_else(|| self.sets(name, args))
            .or_else(|| self.hashes(name, args));
        done.or_else(|| {
            let name = KNOWN.contains(&name).then(|| name.to_lowercase())?;
            Some(error(&format!("ERR wrong number of arguments for '{name}' command")))
        })
    }

    fn texts(&mut self, name: &str, args: &[Bytes], now: SimTime) -> Done {
        Some(match (name, args) {
            ("GET", [key]) => self.get(key),
            ("SET", [key, value, options @ ..]) => self.set(key, value, options, now),
            ("SETEX", [key, secs, value]) => self.set_for(key, secs, value, now),
            ("SETNX", [key, value]) => match self.keys.contains_key(key) {
                true => Reply::Integer(0),
                false => {
                    self.put(key, value, None);
                    Reply::Integer(1)
                }
            },
            ("MGET", [_, ..]) => {
                let get = |key: &Bytes| match self.keys.get(key).map(|entry| &entry.value) {
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
            ("STRLEN", [key]) => match self.keys.get(key).map(|entry| &entry.value) {
                None => Reply::Integer(0),
                Some(Value::Text(text)) => Reply::Integer(text.len() as i64),
                Some(_) => error(WRONG_TYPE),
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
            _ => return None,
        })
    }

    fn any_keys(&mut self, name: &str, args: &[Bytes], now: SimTime) -> Done {
        Some(match (name, args) {
            ("DEL" | "UNLINK", [_, ..]) => {
                let gone = args.iter().filter(|key| self.keys.remove(*key).is_some()).count();
                Reply::Integer(gone as i64)
            }
            ("EXISTS", [_, ..]) => {
                let there = args.iter().filter(|key| self.keys.contains_key(*key)).count();
                Reply::Integer(there as i64)
            }
            ("EXPIRE", [key, secs]) => self.expire(key, secs, now),
            ("TTL", [key]) => Reply::Integer(match self.keys.get(key) {
                None => -2,
                Some(Entry { expires: None, .. }) => -1,
                // Rounded to the nearest second, as Redis does.
                Some(Entry { expires: Some(at), .. }) => {
                    ((*at - now).0 as i64 + 500_000) / 1_000_000
                }
            }),
            ("TYPE", [key]) => {
                let word = match self.keys.get(key).map(|entry| &entry.value) {
                    None => "none",
                    Some(Value::Text(_)) => "string",
                    Some(Value::List(_)) => "list",
                    Some(Value::Set(_)) => "set",
                    Some(Value::Hash(_)) => "hash",
                };
                Reply::Simple(word.to_owned())
            }
            ("KEYS", [pattern]) if pattern == b"*" => {
                Reply::Array(self.keys.keys().map(|key| bulk(key)).collect())
            }
            ("DBSIZE", []) => Reply::Integer(self.keys.len() as i64),
            ("FLUSHALL" | "FLUSHDB", []) => {
                self.keys.clear();
                ok()
            }
            _ => return None,
        })
    }

    fn lists(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("LPUSH" | "RPUSH", [key, items @ ..]) if !items.is_empty() => {
                match self.list(key, true) {
                    Err(reply) => reply,
                    Ok(None) => Reply::Integer(0),
                    Ok(Some(list)) => {
                        for item in items {
                            if name == "LPUSH" {
                                list.push_front(item.clone());
                            } else {
                                list.push_back(item.clone());
                            }
                        }
                        Reply::Integer(list.len() as i64)
                    }
                }
            }
            ("LPOP" | "RPOP", [key]) => match self.list(key, false) {
                Err(reply) => reply,
                Ok(list) => {
                    let pop = |list: &mut VecDeque<Bytes>| {
                        if name == "LPOP" { list.pop_front() } else { list.pop_back() }
                    };
                    let popped = list.and_then(pop);
                    self.drop_if_empty(key);
                    Reply::Bulk(popped)
                }
            },
            ("LLEN", [key]) => match self.list(key, false) {
                Err(reply) => reply,
                Ok(list) => Reply::Integer(list.map_or(0, |list| list.len()) as i64),
            },
            ("LRANGE", [key, from, to]) => self.range(key, from, to),
            _ => return None,
        })
    }

    fn sets(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("SADD", [key, items @ ..]) if !items.is_empty() => {
                let fresh = || Value::Set(BTreeSet::new());
                match &mut self.entry(key, fresh).value {
                    Value::Set(set) => {
                        let added = items.iter().filter(|item| set.insert((*item).clone()));
                        Reply::Integer(added.count() as i64)
                    }
                    _ => error(WRONG_TYPE),
                }
            }
            ("SMEMBERS" | "SCARD", [key]) => match self.keys.get(key).map(|entry| &entry.value) {
                Some(Value::Set(set)) if name == "SCARD" => Reply::Integer(set.len() as i64),
                Some(Value::Set(set)) => Reply::Array(set.iter().map(|item| bulk(item)).collect()),
                None if name == "SCARD" => Reply::Integer(0),
                None => Reply::Array(Vec::new()),
                Some(_) => error(WRONG_TYPE),
            },
            _ => return None,
        })
    }

    fn hashes(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("HSET", [key, pairs @ ..]) if !pairs.is_empty() && pairs.len().is_multiple_of(2) => {
                let fresh = || Value::Hash(BTreeMap::new());
                match &mut self.entry(key, fresh).value {
                    Value::Hash(hash) => {
                        let pairs = pairs.chunks_exact(2);
                        let new =
                            pairs.filter(|p| hash.insert(p[0].clone(), p[1].clone()).is_none());
                        Reply::Integer(new.count() as i64)
                    }
                    _ => error(WRONG_TYPE),
                }
            }
            ("HGET", [key, field]) => match self.keys.get(key).map(|entry| &entry.value) {
                Some(Value::Hash(hash)) => Reply::Bulk(hash.get(field).cloned()),
                None => Reply::Bulk(None),
                Some(_) => error(WRONG_TYPE),
            },
            ("HGETALL", [key]) => match self.keys.get(key).map(|entry| &entry.value) {
                Some(Value::Hash(hash)) => {
                    Reply::Array(hash.iter().flat_map(|(k, v)| [bulk(k), bulk(v)]).collect())
                }
                None => Reply::Array(Vec::new()),
                Some(_) => error(WRONG_TYPE),
            },
            _ => return None,
        })
    }

    fn entry(&mut self, key: &[u8], fresh: fn() -> Value) -> &mut Entry {
        self.keys.entry(key.to_vec()).or_insert_with(|| Entry { value: fresh(), expires: None })
    }

    fn put(&mut self, key: &[u8], value: &[u8], expires: Option<SimTime>) {
        let value = Value::Text(value.to_vec());
        self.keys.insert(key.to_vec(), Entry { value, expires });
    }

    fn get(&self, key: &[u8]) -> Reply {
        match self.keys.get(key).map(|entry| &entry.value) {
            None => Reply::Bulk(None),
            Some(Value::Text(text)) => bulk(text),
            Some(_) => error(WRONG_TYPE),
        }
    }

    /// `SET key value [NX | XX] [EX seconds | PX milliseconds]`.
    fn set(&mut self, key: &[u8], value: &[u8], options: &[Bytes], now: SimTime) -> Reply {
        let (mut expires, mut wanted) = (None, None);
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            let upper = option.to_ascii_uppercase();
            match upper.as_slice() {
                b"NX" => wanted = Some(false),
                b"XX" => wanted = Some(true),
                b"EX" | b"PX" => {
                    let Some(n) = rest.next().and_then(|n| integer(n)).filter(|n| *n > 0) else {
                        return error("ERR invalid expire time in 'set' command");
                    };
                    let per = if upper == b"EX" { 1_000 } else { 1 };
                    expires = Some(now + SimTime::from_millis((n as u64).saturating_mul(per)));
                }
                _ => return error(SYNTAX),
            }
        }
        if wanted.is_some_and(|there| there != self.keys.contains_key(key)) {
            return Reply::Bulk(None);
        }
        self.put(key, value, expires);
        ok()
    }

    fn set_for(&mut self, key: &[u8], secs: &[u8], value: &[u8], now: SimTime) -> Reply {
        match integer(secs) {
            None => error(NOT_INTEGER),
            Some(n) if n <= 0 => error("ERR invalid expire time in 'setex' command"),
            Some(n) => {
                self.put(key, value, Some(now + SimTime::from_secs(n as u64)));
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

    fn expire(&mut self, key: &[u8], secs: &[u8], now: SimTime) -> Reply {
        let Some(secs) = integer(secs) else { return error(NOT_INTEGER) };
        let Some(entry) = self.keys.get_mut(key) else { return Reply::Integer(0) };
        entry.expires = Some(now + SimTime::from_secs(secs.max(0) as u64));
        Reply::Integer(1)
    }

    /// The list at a key; None where there is none and none is to be made.
    fn list(&mut self, key: &[u8], make: bool) -> Result<Option<&mut VecDeque<Bytes>>, Reply> {
        if !make && !self.keys.contains_key(key) {
            return Ok(None);
        }
        match &mut self.entry(key, || Value::List(VecDeque::new())).value {
            Value::List(list) => Ok(Some(list)),
            _ => Err(error(WRONG_TYPE)),
        }
    }

    fn drop_if_empty(&mut self, key: &[u8]) {
        let empty =
            self.keys.get(key).is_some_and(|e| matches!(&e.value, Value::List(l) if l.is_empty()));
        if empty {
            self.keys.remove(key);
        }
    }

    fn range(&mut self, key: &[u8], from: &[u8], to: &[u8]) -> Reply {
        let (Some(from), Some(to)) = (integer(from), integer(to)) else {
            return error(NOT_INTEGER);
        };
        match self.list(key, false) {
            Err(reply) => reply,
            Ok(None) => Reply::Array(Vec::new()),
            Ok(Some(list)) => {
                let len = list.len() as i64;
                let place = |n: i64| if n < 0 { len.saturating_add(n) } else { n };
                let (from, to) = (place(from).max(0), place(to));
                let n = (to - from + 1).max(0) as usize;
                let items = list.iter().skip(from as usize).take(n);
                Reply::Array(items.map(|item| bulk(item)).collect())
            }
        }
    }
}

/// Commands simulated above: with other arguments they answer as Redis does.
const KNOWN: &[&str] = &[
    "GET", "SET", "SETEX", "SETNX", "MGET", "MSET", "APPEND", "STRLEN", "INCR", "DECR", "INCRBY",
    "DECRBY", "DEL", "UNLINK", "EXISTS", "EXPIRE", "TTL", "TYPE", "DBSIZE", "LPUSH", "RPUSH",
    "LLEN", "LRANGE", "SADD", "SMEMBERS", "SCARD", "HSET", "HGET", "HGETALL",
];
