//! memcached's text protocol: `get`, `set` and what scripts say to it by `nc`.

use super::web::Server;
use crate::shell::{Errno, Fd, Sys};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

type Items = Rc<RefCell<BTreeMap<String, (String, Vec<u8>)>>>;

/// Keys kept, at most.
const ITEMS_MAX: usize = 10_000;

pub(super) fn serve(server: &Server, listener: Fd) {
    let (sys, threads, items) = (server.sys.clone(), server.threads.clone(), Items::default());
    let inner = threads.clone();
    threads.start(async move {
        loop {
            match sys.accept(listener, None).await {
                Ok(fd) => {
                    let (sys, items) = (sys.clone(), Rc::clone(&items));
                    inner.start(async move { talk(&sys, fd, &items).await });
                }
                Err(Errno::Intr) => {}
                Err(_) => return,
            }
        }
    });
}

async fn talk(sys: &Sys, fd: Fd, items: &Items) {
    let mut pending: Vec<u8> = Vec::new();
    'reading: while pending.len() < 1 << 20 {
        match sys.read(fd, 4096).await {
            Ok(data) if !data.is_empty() => pending.extend(data),
            Err(Errno::Intr) => continue,
            _ => break,
        }
        while let Some(end) = pending.iter().position(|b| *b == b'\n') {
            let line = String::from_utf8_lossy(&pending[..end]).trim_end().to_owned();
            let words: Vec<&str> = line.split(' ').collect();
            let stores = matches!(words.first(), Some(&("set" | "add" | "replace")));
            let size = words.get(4).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
            let data_end = if stores { end + 1 + size } else { end };
            let Some(rest) = pending.get(data_end..).filter(|r| !stores || r.contains(&b'\n'))
            else {
                continue 'reading;
            };
            let skip = if stores { rest.iter().position(|b| *b == b'\n').unwrap_or(0) } else { 0 };
            let data = pending.get(end + 1..data_end).unwrap_or(&[]).to_vec();
            pending.drain(..data_end + skip + 1);
            let Some(out) = command(&words, data, items) else { break 'reading };
            let _ = sys.write(fd, &out).await;
        }
    }
    let _ = sys.close(fd);
}

/// The reply; nothing ends the connection.
fn command(words: &[&str], data: Vec<u8>, items: &Items) -> Option<Vec<u8>> {
    let mut items = items.borrow_mut();
    let key = words.get(1).map_or(String::new(), ToString::to_string);
    Some(match words.first().copied().unwrap_or("") {
        "get" | "gets" => {
            let mut out = Vec::new();
            for key in words.iter().skip(1) {
                if let Some((flags, value)) = items.get(*key) {
                    out.extend(format!("VALUE {key} {flags} {}\r\n", value.len()).into_bytes());
                    out.extend_from_slice(value);
                    out.extend_from_slice(b"\r\n");
                }
            }
            out.extend_from_slice(b"END\r\n");
            out
        }
        verb @ ("set" | "add" | "replace") => {
            let there = items.contains_key(&key);
            if (verb == "add" && there) || (verb == "replace" && !there) {
                return Some(b"NOT_STORED\r\n".to_vec());
            }
            if items.len() < ITEMS_MAX {
                items.insert(key, (words.get(2).unwrap_or(&"0").to_string(), data));
            }
            b"STORED\r\n".to_vec()
        }
        "delete" if items.remove(&key).is_some() => b"DELETED\r\n".to_vec(),
        "delete" => b"NOT_FOUND\r\n".to_vec(),
        "version" => b"VERSION 1.6.39\r\n".to_vec(),
        "flush_all" => {
            items.clear();
            b"OK\r\n".to_vec()
        }
        "stats" => format!("STAT curr_items {}\r\nEND\r\n", items.len()).into_bytes(),
        "quit" => return None,
        _ => b"ERROR\r\n".to_vec(),
    })
}
