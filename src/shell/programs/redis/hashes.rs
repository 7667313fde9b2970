//! Redis' sets and hashes.

use super::resp::Reply;
use super::store::{Bytes, Done, NOT_INTEGER, Store, Value, WRONG_TYPE, bulk, error, integer, ok};
use std::collections::{BTreeMap, BTreeSet};

impl Store {
    pub(super) fn sets(&mut self, name: &str, args: &[Bytes]) -> Done {
        let known = ["SADD", "SREM", "SMEMBERS", "SCARD", "SISMEMBER", "SPOP", "SRANDMEMBER"];
        let (true, Some(key)) = (known.contains(&name), args.first()) else { return None };
        let rest = args.get(1..).unwrap_or(&[]);
        let reads = matches!(name, "SMEMBERS" | "SCARD" | "SPOP" | "SRANDMEMBER");
        if reads != rest.is_empty() {
            return None;
        }
        if name == "SADD" {
            self.entry(key, || Value::Set(BTreeSet::new()));
        }
        let none = BTreeSet::new();
        let mut empty = none.clone();
        let set = match self.keys.get_mut(key).map(|entry| &mut entry.value) {
            None => &mut empty,
            Some(Value::Set(set)) => set,
            Some(_) => return Some(error(WRONG_TYPE)),
        };
        let reply = match name {
            "SADD" => {
                let added = rest.iter().filter(|item| set.insert((*item).clone())).count();
                Reply::Integer(added as i64)
            }
            "SREM" => {
                let gone = rest.iter().filter(|item| set.remove(*item)).count();
                Reply::Integer(gone as i64)
            }
            "SISMEMBER" => {
                Reply::Integer(i64::from(rest.first().is_some_and(|item| set.contains(item))))
            }
            "SCARD" => Reply::Integer(set.len() as i64),
            "SMEMBERS" => Reply::Array(set.iter().map(|item| bulk(item)).collect()),
            "SPOP" => Reply::Bulk(set.pop_first()),
            _ => Reply::Bulk(set.first().cloned()),
        };
        self.drop_if_empty(key);
        Some(reply)
    }

    pub(super) fn hashes(&mut self, name: &str, args: &[Bytes]) -> Done {
        let key = args.first().filter(|_| name.starts_with('H'))?;
        let rest = args.get(1..).unwrap_or(&[]);
        let writes = matches!(name, "HSET" | "HMSET" | "HSETNX" | "HINCRBY");
        let fits = match name {
            "HSET" | "HMSET" => !rest.is_empty() && rest.len().is_multiple_of(2),
            "HSETNX" | "HINCRBY" => rest.len() == 2,
            "HGET" | "HEXISTS" | "HSTRLEN" => rest.len() == 1,
            "HDEL" | "HMGET" => !rest.is_empty(),
            "HGETALL" | "HKEYS" | "HVALS" | "HLEN" => rest.is_empty(),
            _ => false,
        };
        if !fits {
            return None;
        }
        if writes {
            self.entry(key, || Value::Hash(BTreeMap::new()));
        }
        let mut empty = BTreeMap::new();
        let hash = match self.keys.get_mut(key).map(|entry| &mut entry.value) {
            None => &mut empty,
            Some(Value::Hash(hash)) => hash,
            Some(_) => return Some(error(WRONG_TYPE)),
        };
        let reply = on_hash(name, hash, rest);
        self.drop_if_empty(key);
        Some(reply)
    }
}

/// One command on a hash; how many arguments it has is known to fit.
fn on_hash(name: &str, hash: &mut BTreeMap<Bytes, Bytes>, rest: &[Bytes]) -> Reply {
    let first = rest.first();
    match name {
        "HSET" | "HMSET" => {
            let pairs = rest.chunks_exact(2);
            let new = pairs.filter(|p| hash.insert(p[0].clone(), p[1].clone()).is_none());
            let new = new.count() as i64;
            if name == "HMSET" { ok() } else { Reply::Integer(new) }
        }
        "HSETNX" => match hash.contains_key(&rest[0]) {
            true => Reply::Integer(0),
            false => {
                hash.insert(rest[0].clone(), rest[1].clone());
                Reply::Integer(1)
            }
        },
        "HINCRBY" => count(hash, &rest[0], &rest[1]),
        "HGET" => Reply::Bulk(first.and_then(|field| hash.get(field).cloned())),
        "HEXISTS" => Reply::Integer(i64::from(first.is_some_and(|f| hash.contains_key(f)))),
        "HSTRLEN" => {
            let value = first.and_then(|field| hash.get(field));
            Reply::Integer(value.map_or(0, Vec::len) as i64)
        }
        "HDEL" => {
            let gone = rest.iter().filter(|field| hash.remove(*field).is_some()).count();
            Reply::Integer(gone as i64)
        }
        "HMGET" => Reply::Array(rest.iter().map(|f| Reply::Bulk(hash.get(f).cloned())).collect()),
        "HKEYS" => Reply::Array(hash.keys().map(|k| bulk(k)).collect()),
        "HVALS" => Reply::Array(hash.values().map(|v| bulk(v)).collect()),
        "HLEN" => Reply::Integer(hash.len() as i64),
        _ => Reply::Array(hash.iter().flat_map(|(k, v)| [bulk(k), bulk(v)]).collect()),
    }
}

fn count(hash: &mut BTreeMap<Bytes, Bytes>, field: &[u8], by: &[u8]) -> Reply {
    let old = hash.get(field).map_or(Some(0), |text| integer(text));
    let (Some(old), Some(by)) = (old, integer(by)) else {
        return error(if old.is_none() { "ERR hash value is not an integer" } else { NOT_INTEGER });
    };
    let new = old.saturating_add(by);
    hash.insert(field.to_vec(), new.to_string().into_bytes());
    Reply::Integer(new)
}
