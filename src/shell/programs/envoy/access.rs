//! Envoy's access log lines.

use super::conf::Form;
use crate::order::Order;
use crate::shell::Sys;
use crate::shell::programs::clock;
use crate::shell::programs::web::Request;

pub(super) const DEFAULT: &str = "[%START_TIME%] \"%REQ(:METHOD)% \
    %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% \
    %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
    \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \
    \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

/// What one exchange came to.
pub(super) struct Seen<'a> {
    pub(super) request: Option<&'a Request>,
    pub(super) status: u16,
    pub(super) flags: &'static str,
    pub(super) received: usize,
    pub(super) sent: usize,
    pub(super) took_ms: u64,
    pub(super) service_ms: Option<u64>,
    pub(super) upstream: String,
    pub(super) cluster: String,
    pub(super) route: String,
    pub(super) peer: String,
    pub(super) local: String,
    pub(super) begun: String,
}

impl Seen<'_> {
    fn value(&self, name: &str) -> String {
        let or = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let (name, arg) =
            name.split_once('(').map_or((name, ""), |(n, a)| (n, a.trim_end_matches(')')));
        match name {
            "START_TIME" => self.begun.clone(),
            "PROTOCOL" if self.request.is_some() => "HTTP/1.1".to_owned(),
            "RESPONSE_CODE" => self.status.to_string(),
            "RESPONSE_FLAGS" => or(self.flags),
            "BYTES_RECEIVED" => self.received.to_string(),
            "BYTES_SENT" => self.sent.to_string(),
            "DURATION" => self.took_ms.to_string(),
            "UPSTREAM_HOST" => or(&self.upstream),
            "UPSTREAM_CLUSTER" => or(&self.cluster),
            "ROUTE_NAME" => or(&self.route),
            "DOWNSTREAM_REMOTE_ADDRESS" => self.peer.clone(),
            "DOWNSTREAM_LOCAL_ADDRESS" => self.local.clone(),
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => {
                self.peer.split(':').next().unwrap_or("").to_owned()
            }
            "REQ" => {
                let names = arg
                    .split(':')
                    .next()
                    .map_or((arg, ""), |_| arg.split_once("?").unwrap_or((arg, "")));
                let first = self.header(names.0);
                or(&first.or_else(|| self.header(names.1)).unwrap_or_default())
            }
            "RESP" if arg.eq_ignore_ascii_case("X-ENVOY-UPSTREAM-SERVICE-TIME") => {
                self.service_ms.map_or("-".to_owned(), |ms| ms.to_string())
            }
            _ => "-".to_owned(),
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        let request = self.request?;
        match name.to_uppercase().as_str() {
            ":METHOD" => Some(request.method.clone()),
            ":PATH" | "PATH" => Some(request.target.clone()),
            ":AUTHORITY" => request.head.get("Host").map(str::to_owned),
            name => request.head.get(name).map(str::to_owned),
        }
    }

    fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            match after.split_once('%') {
                Some(("", more)) => {
                    out.push('%');
                    rest = more;
                }
                Some((name, more)) => {
                    out.push_str(&self.value(name));
                    rest = more;
                }
                None => {
                    out.push('%');
                    rest = after;
                }
            }
        }
        out + rest
    }

    pub(super) async fn tell(&self, sys: &Sys, forms: &[Form]) {
        for form in forms {
            let line = match form {
                Form::Text(text) => self.fill(text),
                Form::Json(pairs) => {
                    let each = pairs.iter().map(|(name, text)| {
                        let value = self.fill(text);
                        let bare = text.matches('%').count() == 2 && value.parse::<u64>().is_ok();
                        let value = if value == "-" {
                            "null".to_owned()
                        } else if bare {
                            value
                        } else {
                            format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
                        };
                        format!("\"{name}\":{value}")
                    });
                    let mut each: Vec<String> = each.collect();
                    each.order();
                    format!("{{{}}}\n", each.join(","))
                }
            };
            let _ = sys.write(1, line.as_bytes()).await;
        }
    }
}

/// `2026-01-05T09:00:00.000Z`
pub(super) fn stamp(sys: &Sys) -> String {
    format!("{}.{:03}Z", clock::iso(sys), clock::now(sys).millis)
}
