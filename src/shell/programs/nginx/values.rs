//! nginx's texts with variables and the access line made of them.

use super::conf::Directive;
use super::log::{ACCESS_LOG, escape};
use super::run::version;
use super::serve::Exchange;
use super::{find, vars};
use crate::shell::programs::clock;
use crate::shell::programs::web::Answer;
use crate::time::SimTime;
use std::rc::Rc;

impl Exchange<'_> {
    pub(super) async fn access_line(&mut self, answer: &Answer) {
        let mut logs = self.all("access_log");
        let default = Directive {
            name: String::new(),
            args: vec![ACCESS_LOG.to_owned()],
            place: Rc::from(""),
            block: Vec::new(),
        };
        if logs.is_empty() {
            logs.push(&default);
        }
        for log in logs {
            if log.arg(0) == "off" {
                continue;
            }
            let condition = log.args.iter().find_map(|arg| arg.strip_prefix("if="));
            if let Some(condition) = condition
                && matches!(self.text(condition).as_str(), "" | "0")
            {
                continue;
            }
            let line = self.formatted(log.arg(1), answer);
            if let Some(fd) = self.worker.logs.fd(log.arg(0)) {
                let _ = self.worker.sys.write(fd, &crate::shell::bytes::to_bytes(&line)).await;
            }
        }
    }

    pub(super) fn formatted(&mut self, name: &str, answer: &Answer) -> String {
        let name = if name.contains('=') { "" } else { name };
        let format = self.http.all("log_format").find(|f| f.arg(0) == name);
        let (text, json) = match format {
            Some(format) => {
                let json = format.arg(1) == "escape=json";
                let from = 1 + usize::from(format.arg(1).starts_with("escape="));
                (format.args.get(from..).unwrap_or_default().concat(), json)
            }
            None => (COMBINED.to_owned(), false),
        };
        let mut line = String::new();
        for (is_variable, piece) in vars::pieces(&text).unwrap_or_default() {
            if !is_variable {
                line.push_str(piece);
                continue;
            }
            let value = match piece.strip_prefix("sent_http_") {
                Some(header) => header_of(&answer.headers, header),
                None => self.variable(piece),
            };
            match value.filter(|v| !v.is_empty()) {
                Some(value) => line.push_str(&escape(&value, json)),
                None if json => {}
                None => line.push('-'),
            }
        }
        line.push('\n');
        line
    }

    /// A text with its variables filled in.
    pub(super) fn text(&mut self, text: &str) -> String {
        let Some(pieces) = vars::pieces(text) else { return text.to_owned() };
        let mut out = String::new();
        for (is_variable, piece) in pieces {
            match is_variable {
                true => out.push_str(&self.variable(piece).unwrap_or_default()),
                false => out.push_str(piece),
            }
        }
        out
    }

    pub(super) fn variable(&mut self, name: &str) -> Option<String> {
        if let Some(value) = self.own.get(name) {
            return Some(value.clone());
        }
        if let Ok(idx) = name.parse::<usize>() {
            return self.captures.get(idx).cloned();
        }
        let request = self.request;
        for (prefix, part) in [("http_", 5), ("arg_", 4), ("cookie_", 7)] {
            if !name.starts_with(prefix) {
                continue;
            }
            let rest = &name[part..];
            return match prefix {
                "http_" => header_of(&request.head.headers, rest),
                "arg_" => pair(&self.args, '&', rest),
                _ => pair(request.head.get("Cookie")?, ';', rest),
            };
        }
        let map = self.http.all("map").find(|map| map.arg(1).strip_prefix('$') == Some(name));
        if let Some(map) = map {
            return Some(self.mapped(map));
        }
        self.plain_variable(name)
    }

    pub(super) fn mapped(&mut self, map: &Directive) -> String {
        let source = self.text(map.arg(0));
        let fits = |row: &&Directive| match row.name.strip_prefix('~') {
            Some(pattern) => {
                let (pattern, case) =
                    pattern.strip_prefix('*').map_or((pattern, false), |p| (p, true));
                find::search(pattern, &source, case).is_some()
            }
            None => row.name != "default" && row.name.eq_ignore_ascii_case(&source),
        };
        let exact = |row: &&Directive| !row.name.starts_with('~');
        let found = map.block.iter().filter(exact).find(fits);
        let found = found.or_else(|| map.block.iter().find(fits)).or_else(|| map.get("default"));
        found.map_or(String::new(), |row| self.text(row.arg(0)))
    }

    fn plain_variable(&mut self, name: &str) -> Option<String> {
        let request = self.request;
        let sys = &self.worker.sys;
        let host = || {
            let host = request.head.get("Host").unwrap_or("").split(':').next().unwrap_or("");
            host.to_ascii_lowercase()
        };
        let server = self.server.get("server_name").map_or("", |d| d.arg(0)).to_owned();
        Some(match name {
            "uri" | "document_uri" => self.uri.clone(),
            "args" | "query_string" => self.args.clone(),
            "is_args" => if self.args.is_empty() { "" } else { "?" }.to_owned(),
            "request_uri" => request.target.clone(),
            "request" => request.head.first.clone(),
            "request_method" => request.method.clone(),
            "request_body" => crate::shell::bytes::to_text(&request.body),
            "request_length" => (request.head.first.len() + request.body.len() + 40).to_string(),
            "request_completion" => "OK".to_owned(),
            "request_id" => format!("{:016x}{:016x}", self.number, self.since.0),
            "request_filename" => {
                let uri = self.uri.clone();
                self.place_of(&uri)
            }
            "document_root" => self.get("root").map_or("/etc/nginx/html", |d| d.arg(0)).to_owned(),
            "host" => Some(host()).filter(|h| !h.is_empty()).unwrap_or(server),
            "hostname" => sys.hostname(),
            "server_name" => server,
            "scheme" => "http".to_owned(),
            "remote_addr" | "realip_remote_addr" => request.peer.0.to_string(),
            "remote_port" => request.peer.1.to_string(),
            "server_addr" => request.local.0.to_string(),
            "server_port" => request.local.1.to_string(),
            "server_protocol" => request.head.first.rsplit(' ').next().unwrap_or("").to_owned(),
            "content_type" => request.head.get("Content-Type")?.to_owned(),
            "content_length" => request.head.get("Content-Length")?.to_owned(),
            "proxy_add_x_forwarded_for" => match request.head.get("X-Forwarded-For") {
                Some(before) => format!("{before}, {}", request.peer.0),
                None => request.peer.0.to_string(),
            },
            "proxy_host" => self.proxied.clone(),
            "proxy_port" => self.proxied.rsplit_once(':').map_or("80", |(_, p)| p).to_owned(),
            "status" => self.sent.0.to_string(),
            "body_bytes_sent" => self.sent.1.to_string(),
            "bytes_sent" => (self.sent.1 + 230).to_string(),
            "connection" => self.number.to_string(),
            "connection_requests" => "1".to_owned(),
            "pipe" => ".".to_owned(),
            "pid" => sys.pid().to_string(),
            "nginx_version" => version(sys),
            _ => return self.time_variable(name),
        })
    }

    fn time_variable(&self, name: &str) -> Option<String> {
        let sys = &self.worker.sys;
        let took = |span: SimTime| format!("{}.{:03}", span.as_secs(), span.as_millis() % 1000);
        Some(match name {
            "request_time" => took(sys.now() - self.since),
            "msec" => {
                let millis = sys.wall_unix_micros() / 1000;
                format!("{}.{:03}", millis / 1000, millis % 1000)
            }
            "time_local" => clock::common_log(sys),
            "time_iso8601" => format!("{}+00:00", clock::iso(sys)),
            "upstream_addr" => self.upstream.addr.clone(),
            "upstream_status" => self.upstream.status.clone(),
            "upstream_response_length" => self.upstream.length.to_string(),
            "upstream_response_time" | "upstream_header_time" | "upstream_connect_time" => {
                took(SimTime::from_millis(self.upstream.millis?))
            }
            _ => return None,
        })
    }
}

const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status \
                        $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

/// A header by its name in a variable: lower case, `_` for `-`.
fn header_of(headers: &[(String, String)], name: &str) -> Option<String> {
    let wanted = name.replace('_', "-");
    let found = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(&wanted));
    found.map(|(_, value)| value.clone())
}

fn pair(text: &str, between: char, name: &str) -> Option<String> {
    let mut pairs = text.split(between).filter_map(|p| p.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}
