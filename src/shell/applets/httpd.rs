//! `httpd`: files of a directory and `cgi-bin`. Models networking/httpd.c without its
//! configuration file.

use super::Answer;
use super::common::calendar::{Zone, strftime};
use super::common::{Cx, tree};
use crate::shell::bytes::{to_bytes, to_text};
use crate::shell::http::{Head, Reader, percent_decode};
use crate::shell::{Disposition, Errno, Fd, FileType, Signal, Sys, WaitFor};
use crate::time::SimTime;
use std::net::Ipv4Addr;

const MIME: &[(&str, &str)] = &[
    ("txt h c cc cpp", "text/plain"),
    ("htm html", "text/html"),
    ("jpg jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("css", "text/css"),
    ("js", "application/javascript"),
    ("wav", "audio/wav"),
    ("avi", "video/x-msvideo"),
    ("qt mov", "video/quicktime"),
    ("mpe mpeg", "video/mpeg"),
    ("mid midi", "audio/midi"),
    ("mp3", "audio/mpeg"),
];

/// (code, reason, text of the page)
const STATUSES: &[(u16, &str, &str)] = &[
    (200, "OK", ""),
    (302, "Found", ""),
    (400, "Bad Request", "Unsupported method"),
    (403, "Forbidden", ""),
    (404, "Not Found", "The requested URL was not found"),
    (408, "Request Timeout", "No request appeared within 60 seconds"),
    (500, "Internal Server Error", "Internal Server Error"),
    (501, "Not Implemented", "The requested method is not recognized"),
];

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("c:d:h:p:ifvu:r:m:e:!", "").await?;
    if let Some(text) = opts.value('d') {
        let decoded = percent_decode(&text.replace('+', " ")).unwrap_or_default();
        cx.put(&decoded).await;
        return Ok(0);
    }
    for letter in ['i', 'u', 'm', 'e', 'c'] {
        if opts.has(letter) {
            return Err(cx.not_simulated(&format!("-{letter}")).await);
        }
    }
    if cx.sys.stat("/etc/httpd.conf").is_ok() {
        return Err(cx.not_simulated("/etc/httpd.conf").await);
    }
    if let Some(home) = opts.value('h')
        && let Err(errno) = cx.sys.chdir(home)
    {
        return Err(cx.die(&format!("can't change directory to '{home}': {}", errno.text())).await);
    }
    let place = opts.value('p').unwrap_or("80");
    let (host, port) = place.rsplit_once(':').unwrap_or(("", place));
    let Ok(port) = port.parse::<u16>() else {
        return Err(cx.die(&format!("bad port '{place}'")).await);
    };
    let addr = match host {
        "" => Some(Ipv4Addr::UNSPECIFIED),
        host => cx.sys.resolve(host).await.first().copied(),
    };
    let Some(addr) = addr else { return Err(cx.die(&format!("bad address '{host}'")).await) };
    let listener = match cx.sys.listen(addr, port) {
        Ok(listener) => listener,
        Err(errno) => return Err(cx.die(&format!("bind: {}", errno.text())).await),
    };
    let kind = Kind { verbose: opts.has('v'), mapped: host.is_empty() };
    if opts.has('f') {
        return Ok(serve(cx.sys.clone(), listener, kind).await);
    }
    // Without -f the parent ends at once and a child serves.
    match cx.sys.fork(move |sys| serve(sys, listener, kind)) {
        Ok(_) => Ok(0),
        Err(errno) => Err(cx.die(&format!("vfork: {}", errno.text())).await),
    }
}

/// How a server was started.
#[derive(Clone, Copy)]
struct Kind {
    verbose: bool,
    /// It listens for IPv6, where who comes over IPv4 has a mapped address.
    mapped: bool,
}

async fn serve(sys: Sys, listener: Fd, kind: Kind) -> i32 {
    sys.set_signal(Signal::CHLD, Disposition::Ignore);
    loop {
        match sys.accept(listener, None).await {
            Ok(fd) => {
                let child = sys.fork(move |sys| async move {
                    let _ = sys.close(listener);
                    let mut one = Connection { sys, fd, kind };
                    one.answer().await
                });
                let _ = sys.close(fd);
                if child.is_err() {
                    return 1;
                }
            }
            Err(Errno::Intr) => {}
            Err(_) => return 1,
        }
    }
}

/// One request on a connection, in a process of its own.
struct Connection {
    sys: Sys,
    fd: Fd,
    kind: Kind,
}

struct Asked {
    head: Head,
    method: String,
    path: String,
    query: Option<String>,
}

impl Connection {
    async fn answer(&mut self) -> i32 {
        self.sys.set_signal(Signal::CHLD, Disposition::Default);
        let deadline = self.sys.now() + SimTime::from_secs(60);
        let mut reader = Reader::new(&self.sys, self.fd, Some(deadline));
        let head = match reader.head().await {
            Ok(Some(head)) => head,
            Err(Errno::TimedOut) => return self.page(408, "").await,
            _ => return 1,
        };
        reader.deadline = None;
        let Some((method, target)) = head.request().map(|(m, t)| (m.to_owned(), t.to_owned()))
        else {
            return self.page(400, "").await;
        };
        let (raw, query) = match target.split_once('?') {
            Some((raw, query)) => (raw, Some(query.to_owned())),
            None => (target.as_str(), None),
        };
        let Some(path) = percent_decode(raw).and_then(|path| clean(&to_text(&path))) else {
            return self.page(400, "").await;
        };
        let asked = Asked { head, method: method.clone(), path, query };
        let known = ["GET", "HEAD", "POST"].iter().any(|m| m.eq_ignore_ascii_case(&method));
        if !known {
            return self.page(501, "").await;
        }
        if asked.path.starts_with("/cgi-bin/") {
            return self.cgi(&asked, &mut reader).await;
        }
        if method.eq_ignore_ascii_case("POST") {
            return self.page(501, "").await;
        }
        self.file(&asked).await
    }

    /// The other end's address, as this server sees it, and port.
    fn peer(&self) -> (String, u16) {
        let (addr, port) = self.sys.peer_addr(self.fd).unwrap_or((Ipv4Addr::UNSPECIFIED, 0));
        let addr = if self.kind.mapped { format!("[::ffff:{addr}]") } else { addr.to_string() };
        (addr, port)
    }

    async fn log(&self, status: u16) {
        if self.kind.verbose {
            let (addr, port) = self.peer();
            let line = format!("{addr}:{port}: response:{status}\n");
            let _ = self.sys.write(2, line.as_bytes()).await;
        }
    }

    fn head(&self, status: u16, kind: Option<&str>, more: &str) -> String {
        let reason = STATUSES.iter().find(|(code, ..)| *code == status).map_or("", |row| row.1);
        let mut text = format!("HTTP/1.1 {status} {reason}\r\nDate: {}\r\n", date(self.now()));
        text.push_str("Connection: close\r\n");
        if let Some(kind) = kind {
            text.push_str(&format!("Content-type: {kind}\r\n"));
        }
        text.push_str(more);
        text.push_str("\r\n");
        text
    }

    fn now(&self) -> i64 {
        self.sys.wall_unix_micros().div_euclid(1_000_000)
    }

    /// An error page or a redirection.
    async fn page(&self, status: u16, more: &str) -> i32 {
        self.log(status).await;
        let row = STATUSES.iter().find(|(code, ..)| *code == status);
        let mut text = self.head(status, Some("text/html"), more);
        if let Some((code, reason, info)) = row
            && *code != 302
        {
            text.push_str(&format!(
                "<HTML><HEAD><TITLE>{code} {reason}</TITLE></HEAD>\n\
                 <BODY><H1>{code} {reason}</H1>\n{info}\n</BODY></HTML>\n"
            ));
        }
        let _ = self.sys.write(self.fd, text.as_bytes()).await;
        0
    }

    async fn file(&self, asked: &Asked) -> i32 {
        let mut path = format!(".{}", asked.path);
        let mut stat = self.sys.stat(&path).ok();
        if stat.as_ref().is_some_and(|s| s.file_type == FileType::Dir) {
            if !asked.path.ends_with('/') {
                let query = asked.query.as_ref().map_or(String::new(), |q| format!("?{q}"));
                let location = format!("Location: {}/{query}\r\n", asked.path);
                return self.page(302, &location).await;
            }
            path.push_str("index.html");
            stat = self.sys.stat(&path).ok();
        }
        let Some(stat) = stat.filter(|s| s.file_type == FileType::File) else {
            return self.page(404, "").await;
        };
        let Ok(data) = self.sys.read_file(&path).await else { return self.page(404, "").await };
        self.log(200).await;
        let extension = tree::last_part(&path).rsplit_once('.').map(|(_, e)| e.to_owned());
        let kind = extension.and_then(|extension| {
            let row = MIME.iter().find(|(names, _)| names.split(' ').any(|n| n == extension));
            row.map(|(_, kind)| *kind)
        });
        let modified = stat.mtime.div_euclid(1_000_000);
        let more = format!(
            "Accept-Ranges: bytes\r\nLast-Modified: {}\r\nETag: \"{modified:x}-{:x}\"\r\n\
             Content-Length: {}\r\n",
            date(modified),
            data.len(),
            data.len()
        );
        let mut answer = self.head(200, kind, &more).into_bytes();
        // busybox sends the body after HEAD too.
        answer.extend_from_slice(&data);
        let _ = self.sys.write(self.fd, &answer).await;
        0
    }

    /// Runs the script with the request in its environment and its body as standard input.
    async fn cgi(&self, asked: &Asked, reader: &mut Reader) -> i32 {
        let script = format!(".{}", asked.path);
        let found = self.sys.stat(&script);
        if !found.is_ok_and(|s| s.file_type == FileType::File && s.mode & 0o111 != 0) {
            return self.page(404, "").await;
        }
        let length = asked.head.get("Content-Length").unwrap_or("0").to_owned();
        let body = reader.exactly(length.parse().unwrap_or(0)).await.unwrap_or_default();
        let Ok((out_read, out_write)) = self.sys.pipe() else { return self.page(500, "").await };
        let Ok((in_read, in_write)) = self.sys.pipe() else { return self.page(500, "").await };
        let env = self.cgi_env(asked, &length);
        let name = tree::last_part(&script).to_owned();
        let connection = self.fd;
        let child = self.sys.fork(move |sys| async move {
            let _ = sys.dup2(in_read, 0);
            let _ = sys.dup2(out_write, 1);
            // What the script leaves in the background must not hold the connection open.
            for fd in [in_read, in_write, out_read, out_write, connection] {
                let _ = sys.close(fd);
            }
            let dir = script.rfind('/').map_or(".", |at| &script[..at]);
            let _ = sys.chdir(dir);
            let path = format!("./{name}");
            sys.exec(&path, vec![path.clone()], env.into()).await.unwrap_or(127)
        });
        let _ = self.sys.close(out_write);
        let _ = self.sys.close(in_read);
        let Ok(child) = child else { return self.page(500, "").await };
        let _ = self.sys.write(in_write, &body).await;
        let _ = self.sys.close(in_write);
        let out = self.sys.read_all(out_read).await.unwrap_or_default();
        let _ = self.sys.wait(WaitFor::Pid(child)).await;
        let mut answer = Vec::new();
        if let Some(rest) = out.strip_prefix(b"Status: ") {
            answer.extend_from_slice(b"HTTP/1.1 ");
            answer.extend_from_slice(rest);
        } else {
            if !out.starts_with(b"HTTP/") {
                answer.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
            }
            answer.extend_from_slice(&out);
        }
        let _ = self.sys.write(self.fd, &answer).await;
        0
    }

    fn cgi_env(&self, asked: &Asked, length: &str) -> Vec<(String, String)> {
        let mut env = self.sys.env().to_vec();
        let (addr, port) = self.peer();
        let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
        set("REQUEST_METHOD", asked.method.clone());
        let query = asked.query.clone().unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        set("REQUEST_URI", format!("{}{mark}{query}", asked.path));
        set("QUERY_STRING", query);
        set("SCRIPT_NAME", asked.path.clone());
        set("SCRIPT_FILENAME", format!("{}{}", self.sys.cwd(), asked.path));
        set("PATH_INFO", String::new());
        set("SERVER_SOFTWARE", "busybox httpd/1.36.1".to_owned());
        set("SERVER_PROTOCOL", "HTTP/1.1".to_owned());
        set("GATEWAY_INTERFACE", "CGI/1.1".to_owned());
        set("REMOTE_ADDR", addr);
        set("REMOTE_PORT", port.to_string());
        set("CONTENT_LENGTH", length.to_owned());
        if let Some(kind) = asked.head.get("Content-Type") {
            set("CONTENT_TYPE", kind.to_owned());
        }
        for (name, value) in &asked.head.headers {
            let name = name.to_ascii_uppercase().replace('-', "_");
            set(&format!("HTTP_{name}"), value.clone());
        }
        env
    }
}

fn date(unix: i64) -> String {
    let text = strftime(b"%a, %d %b %Y %H:%M:%S GMT", unix, &Zone::parse(""));
    String::from_utf8_lossy(&text).into_owned()
}

/// A path without `//`, `.` and `..`; nothing when it leads above the root or is no path.
fn clean(path: &str) -> Option<String> {
    if !path.starts_with('/') || to_bytes(path).contains(&0) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let slash = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", parts.join("/")))
}
