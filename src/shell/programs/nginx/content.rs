//! What nginx answers by itself: texts of `return`, its own pages, files, listings.

use super::conf::Directive;
use super::run::version;
use super::serve::{Exchange, Flow};
use crate::shell::programs::web::{Answer, reason};
use crate::shell::{Errno, FileType};

impl Exchange<'_> {
    pub(super) fn returned(&mut self, directive: &Directive) -> Answer {
        let Ok(code) = directive.arg(0).parse::<u16>() else {
            let to = self.text(directive.arg(0));
            return self.moved(302, &to);
        };
        let text = directive.args.get(1).map(|text| self.text(text));
        match (code, text) {
            (444, _) => Answer { drop: true, status: 444, ..Answer::default() },
            (301 | 302 | 303 | 307 | 308, Some(to)) => self.moved(code, &to),
            (_, Some(text)) => {
                let kind = self.kind();
                let body = crate::shell::bytes::to_bytes(&text);
                Answer::text(code, &kind, body)
            }
            (code, None) => self.page(code),
        }
    }

    pub(super) fn moved(&self, code: u16, to: &str) -> Answer {
        let mut answer = self.page(code);
        let to = match to.starts_with('/') {
            true => {
                let host = self.request.head.get("Host").unwrap_or("localhost");
                format!("http://{host}{to}")
            }
            false => to.to_owned(),
        };
        answer.headers.push(("Location".to_owned(), to));
        answer
    }

    /// nginx's own page of a status.
    pub(super) fn page(&self, status: u16) -> Answer {
        if matches!(status, 200 | 204 | 304) || reason(status).is_empty() {
            return Answer { status, ..Answer::default() };
        }
        let hidden = self.get("server_tokens").is_some_and(|d| d.arg(0) == "off");
        let version = version(&self.worker.sys);
        let server = if hidden { "nginx".to_owned() } else { format!("nginx/{version}") };
        let reason = match status {
            503 => "Service Temporarily Unavailable",
            504 => "Gateway Time-out",
            302 => "Found",
            status => reason(status),
        };
        let body = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>\
             {status} {reason}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n\
             </html>\r\n"
        );
        Answer { words: reason.to_owned(), ..Answer::text(status, "text/html", body) }
    }

    pub(super) fn status(&self) -> Answer {
        let worker = self.worker;
        let (n, requests) = (worker.n_accepted.get(), worker.n_requests.get());
        let open = worker.open.get();
        let body = format!(
            "Active connections: {open} \nserver accepts handled requests\n {n} {n} {requests} \n\
             Reading: 0 Writing: {open} Waiting: 0 \n"
        );
        Answer::text(200, "text/plain", body)
    }

    /// The type of the present URI by its ending.
    pub(super) fn kind(&self) -> String {
        let name = self.uri.rsplit('/').next().unwrap_or("");
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let types = self.get("types").map_or(&[][..], |types| &types.block);
        let known = types.iter().find(|row| row.args.iter().any(|e| e == ending));
        let default = || self.get("default_type").map_or("text/plain", |d| d.arg(0)).to_owned();
        known.map_or_else(default, |row| row.name.clone())
    }

    /// The file of a URI, by `root` or `alias`.
    pub(super) fn place_of(&mut self, uri: &str) -> String {
        let block = self.chain.last().copied();
        if let Some(alias) = block.and_then(|b| b.get("alias")) {
            let prefix = block.map_or("", |b| super::meaning::location(b).1);
            let rest = uri.strip_prefix(prefix).unwrap_or("").to_owned();
            return format!("{}{rest}", self.text(alias.arg(0)));
        }
        let root = self.get("root").map_or("/etc/nginx/html", |d| d.arg(0));
        let root = self.text(root);
        let root = if root.starts_with('/') { root } else { format!("/etc/nginx/{root}") };
        format!("{}{uri}", root.trim_end_matches('/'))
    }

    pub(super) async fn file(&mut self) -> Flow {
        if !matches!(self.request.method.as_str(), "GET" | "HEAD") {
            return Flow::Done(self.page(405));
        }
        let uri = self.uri.clone();
        let path = self.place_of(&uri);
        let sys = &self.worker.sys.clone();
        if uri.ends_with('/') {
            let names = self.get("index").map_or(vec!["index.html".to_owned()], |d| d.args.clone());
            for name in names {
                if sys.stat(&format!("{path}{name}")).is_ok_and(|s| s.file_type == FileType::File) {
                    self.uri = format!("{uri}{name}");
                    return Flow::Again;
                }
            }
            if sys.stat(&path).is_err() {
                let first = self.get("index").map_or("index.html", |d| d.arg(0));
                let what = format!("\"{path}{first}\" is not found (2: No such file or directory)");
                self.error("error", &what).await;
                return Flow::Done(self.page(404));
            }
            if self.get("autoindex").is_some_and(|d| d.arg(0) == "on") {
                return Flow::Done(self.listing(&path));
            }
            self.error("error", &format!("directory index of \"{path}\" is forbidden")).await;
            return Flow::Done(self.page(403));
        }
        let stat = sys.stat(&path);
        if stat.as_ref().is_ok_and(|s| s.file_type == FileType::Dir) {
            return Flow::Done(self.moved(301, &format!("{uri}/")));
        }
        let read = match sys.access(&path, 4) {
            Ok(()) => sys.read_file(&path).await,
            Err(errno) => Err(errno),
        };
        match read {
            Ok(data) => {
                let modified = stat.map_or(0, |s| s.mtime.div_euclid(1_000_000));
                let mut answer = Answer::text(200, &self.kind(), data);
                let etag = format!("\"{modified:x}-{:x}\"", answer.body.len());
                answer.headers.push(("ETag".to_owned(), etag));
                answer.headers.push(("Accept-Ranges".to_owned(), "bytes".to_owned()));
                Flow::Done(answer)
            }
            Err(errno) => {
                let why = format!("({}: {})", errno.number(), errno.text());
                self.error("error", &format!("open() \"{path}\" failed {why}")).await;
                let denied = errno == Errno::Access;
                Flow::Done(self.page(if denied { 403 } else { 404 }))
            }
        }
    }

    pub(super) fn listing(&self, path: &str) -> Answer {
        let uri = &self.uri;
        let mut body = format!(
            "<html>\r\n<head><title>Index of {uri}</title></head>\r\n<body>\r\n<h1>Index of {uri}\
             </h1><hr><pre><a href=\"../\">../</a>\r\n"
        );
        for name in self.worker.sys.readdir(path).unwrap_or_default().iter().take(1000) {
            body.push_str(&format!("<a href=\"{name}\">{name}</a>\r\n"));
        }
        body.push_str("</pre><hr></body>\r\n</html>\r\n");
        Answer::text(200, "text/html", body)
    }
}
