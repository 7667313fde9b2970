//! Redis' commands that do not mind what a key holds: is it there, when does it go, what is it
//! called.

use super::resp::Reply;
use super::store::{Bytes, Done, NOT_INTEGER, Store, Value, bulk, error, integer, ok};
use crate::shell::bytes::to_text;
use crate::shell::programs::wild::wild;

impl Store {
    pub(super) fn any_keys(&mut self, name: &str, args: &[Bytes], now: i64) -> Done {
        Some(match (name, args) {
            ("DEL" | "UNLINK", [_, ..]) => {
                let gone = args.iter().filter(|key| self.keys.remove(*key).is_some()).count();
                Reply::Integer(gone as i64)
            }
            ("EXISTS" | "TOUCH", [_, ..]) => {
                let there = args.iter().filter(|key| self.keys.contains_key(*key)).count();
                Reply::Integer(there as i64)
            }
            ("EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT", [key, n, how @ ..]) => {
                self.expire(name, key, n, how, now)
            }
            ("TTL" | "PTTL" | "EXPIRETIME", [key]) => {
                Reply::Integer(match self.keys.get(key).map(|entry| entry.expires) {
                    None => -2,
                    Some(None) => -1,
                    Some(Some(at)) if name == "EXPIRETIME" => at / 1_000,
                    Some(Some(at)) if name == "PTTL" => at - now,
                    // Rounded to the nearest second, as Redis does.
                    Some(Some(at)) => (at - now + 500) / 1_000,
                })
            }
            _ => return self.keys_by_name(name, args),
        })
    }

    fn keys_by_name(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("PERSIST", [key]) => {
                let entry = self.keys.get_mut(key);
                let had = entry.and_then(|entry| entry.expires.take()).is_some();
                Reply::Integer(i64::from(had))
            }
            ("TYPE", [key]) => Reply::Simple(self.kind(key).to_owned()),
            ("KEYS", [pattern]) => self.matching(&to_text(pattern)),
            ("SCAN", [_, options @ ..]) => {
                let at = options.iter().position(|o| o.eq_ignore_ascii_case(b"MATCH"));
                let pattern = at.and_then(|at| options.get(at + 1)).map(|p| to_text(p));
                let found = self.matching(pattern.as_deref().unwrap_or("*"));
                Reply::Array(vec![bulk(b"0"), found])
            }
            ("RENAME" | "RENAMENX", [from, to]) => match self.keys.remove(from) {
                None => error("ERR no such key"),
                Some(entry) if name == "RENAMENX" && self.keys.contains_key(to) => {
                    self.keys.insert(from.clone(), entry);
                    Reply::Integer(0)
                }
                Some(entry) => {
                    self.keys.insert(to.clone(), entry);
                    if name == "RENAME" { ok() } else { Reply::Integer(1) }
                }
            },
            ("RANDOMKEY", []) => Reply::Bulk(self.keys.keys().next().cloned()),
            ("DBSIZE", []) => Reply::Integer(self.keys.len() as i64),
            ("FLUSHALL" | "FLUSHDB", _) => {
                self.keys.clear();
                ok()
            }
            ("OBJECT", [what, key]) if what.eq_ignore_ascii_case(b"ENCODING") => {
                match self.value(key) {
                    None => error("ERR no such key"),
                    Some(value) => bulk(encoding(value).as_bytes()),
                }
            }
            _ => return None,
        })
    }

    pub(super) fn kind(&self, key: &[u8]) -> &'static str {
        match self.value(key) {
            None => "none",
            Some(Value::Text(_)) => "string",
            Some(Value::List(_)) => "list",
            Some(Value::Set(_)) => "set",
            Some(Value::Hash(_)) => "hash",
            Some(Value::Sorted(_)) => "zset",
        }
    }

    fn matching(&self, pattern: &str) -> Reply {
        let keys = self.keys.keys().filter(|key| wild(pattern, &to_text(key)));
        Reply::Array(keys.map(|key| bulk(key)).collect())
    }

    fn expire(&mut self, name: &str, key: &[u8], n: &[u8], how: &[Bytes], now: i64) -> Reply {
        let Some(n) = integer(n) else { return error(NOT_INTEGER) };
        let per = if name.starts_with('P') { 1 } else { 1_000 };
        let base = if name.ends_with("AT") { 0 } else { now };
        let at = n.saturating_mul(per).saturating_add(base);
        let Some(entry) = self.keys.get_mut(key) else { return Reply::Integer(0) };
        let allowed = match how.first().map(|how| how.to_ascii_uppercase()) {
            None => true,
            Some(how) => match how.as_slice() {
                b"NX" => entry.expires.is_none(),
                b"XX" => entry.expires.is_some(),
                b"GT" => entry.expires.is_some_and(|own| at > own),
                b"LT" => entry.expires.is_none_or(|own| at < own),
                _ => return Reply::Error(format!("ERR Unsupported option {}", to_text(&how))),
            },
        };
        if allowed {
            entry.expires = Some(at);
        }
        if at <= now && allowed {
            self.keys.remove(key);
        }
        Reply::Integer(i64::from(allowed))
    }
}

fn encoding(value: &Value) -> &'static str {
    match value {
        Value::Text(text) if integer(text).is_some() => "int",
        Value::Text(text) if text.len() <= 44 => "embstr",
        Value::Text(_) => "raw",
        Value::Set(set) if set.iter().all(|item| integer(item).is_some()) => "intset",
        _ => "listpack",
    }
}
