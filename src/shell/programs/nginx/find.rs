//! Which part of an nginx configuration a request falls to: its server by address and name, its
//! location by the longest prefix and the first regular expression, directives by inheritance.

use super::conf::Directive;
use super::meaning::{Conf, location};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::programs::wild::wild;
use std::net::Ipv4Addr;

/// The server for a request that came to `local` with this `Host`.
pub(super) fn server<'c>(
    conf: &'c Conf,
    local: (Ipv4Addr, u16),
    host: &str,
) -> Option<&'c Directive> {
    let http = conf.http()?;
    let exact = conf.listens.iter().find(|l| (l.addr, l.port) == local);
    let any = || conf.listens.iter().find(|l| l.addr.is_unspecified() && l.port == local.1);
    let listen = exact.or_else(any)?;
    let servers = || listen.servers.iter().filter_map(|idx| http.block.get(*idx));
    let host = host.split(':').next().unwrap_or("").to_ascii_lowercase();
    let named = |fits: &dyn Fn(&str) -> bool| {
        servers().find(|s| s.all("server_name").any(|d| d.args.iter().any(|name| fits(name))))
    };
    named(&|name| name.eq_ignore_ascii_case(&host))
        .or_else(|| named(&|name| name.contains('*') && wild(name, &host)))
        .or_else(|| {
            named(&|name| name.strip_prefix('~').is_some_and(|r| search(r, &host, false).is_some()))
        })
        .or_else(|| servers().next())
}

/// A Perl pattern as far as POSIX has the same.
pub(in super::super) fn posix(pattern: &str) -> String {
    let mut out = pattern.replace("(?:", "(").replace("(?i)", "");
    for (from, to) in [("\\d", "[0-9]"), (".*?", ".*"), (".+?", ".+")] {
        out = out.replace(from, to);
    }
    out
}

/// The groups of a match.
pub(super) fn search(pattern: &str, text: &str, ignore_case: bool) -> Option<Vec<String>> {
    let ignore_case = ignore_case || pattern.contains("(?i)");
    let options = Options { flavor: Flavor::Extended, ignore_case, newline: false };
    let regex = Regex::new(posix(pattern).as_bytes(), options).ok()?;
    let found = regex.find_at(text.as_bytes(), 0).ok()??;
    let group = |idx| {
        let (from, to) = found.group(idx)?;
        Some(text.get(from..to).unwrap_or("").to_owned())
    };
    Some((0..10).map(|idx| group(idx).unwrap_or_default()).collect())
}

/// The locations of `uri` inside `block`, outermost first; groups of a pattern that matched.
// Models src/http/ngx_http_core_module.c ngx_http_core_find_location.
pub(super) fn locations<'c>(
    block: &'c Directive,
    uri: &str,
    captures: &mut Vec<String>,
) -> Vec<&'c Directive> {
    let (mut best, mut stop): (Option<&Directive>, bool) = (None, false);
    let mut longest = 0;
    for inner in block.all("location") {
        let (modifier, name) = location(inner);
        if modifier == "=" && name == uri {
            return vec![inner];
        }
        let is_prefix = matches!(modifier, "" | "^~") && !name.starts_with('@');
        if is_prefix && uri.starts_with(name) && (best.is_none() || name.len() > longest) {
            (best, longest, stop) = (Some(inner), name.len(), modifier == "^~");
        }
    }
    let mut chain = Vec::new();
    if let Some(prefix) = best {
        chain.push(prefix);
        let deeper = locations(prefix, uri, captures);
        let found_regex = deeper.first().is_some_and(|d| location(d).0.starts_with('~'));
        chain.extend(deeper);
        if found_regex {
            return chain;
        }
    }
    if !stop {
        for inner in block.all("location") {
            let (modifier, name) = location(inner);
            if let ("~" | "~*", Some(groups)) = (
                modifier,
                modifier.starts_with('~').then(|| search(name, uri, modifier == "~*")).flatten(),
            ) {
                *captures = groups;
                let mut chain = vec![inner];
                chain.extend(locations(inner, uri, captures));
                return chain;
            }
        }
    }
    chain
}

/// A location by its `@name`.
pub(super) fn named<'c>(server: &'c Directive, name: &str) -> Option<&'c Directive> {
    server.all("location").find(|inner| location(inner).1 == name)
}
