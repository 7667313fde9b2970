//! `wget`: HTTP only. Models networking/wget.c.

use super::Answer;
use super::base64::encode;
use super::common::cx::Stop;
use super::common::{Cx, Opts, number, tree};
use crate::shell::bytes::to_bytes;
use crate::shell::http::{Head, Reader};
use crate::shell::{Errno, Fd, NetError, OpenHow};
use crate::time::SimTime;
use std::net::Ipv4Addr;

const LONGS: &str = "continue=c quiet=q output-document=O output-file=o proxy=Y user-agent=U \
    timeout=T tries=t header=H post-data=D post-file=F spider=s no-check-certificate=K \
    directory-prefix=P server-response=S no-verbose=n passive-ftp=n no-cache=n \
    no-clobber=n";
/// Redirections followed.
const REDIRECTS_MAX: usize = 16;

struct Target {
    /// `host:port` as written.
    authority: String,
    host: String,
    port: u16,
    path: String,
    user: Option<String>,
}

struct Wget {
    opts: Opts,
    quiet: bool,
    timeout: SimTime,
    post: Option<Vec<u8>>,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cqO:o:Y:U:T:t:P:Sn::H:D:F:sK", LONGS).await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let seconds = match opts.value('T') {
        None => 900,
        Some(text) => match number::digits(text) {
            Some(n) => n,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        },
    };
    let post = match (opts.value('D'), opts.value('F')) {
        (Some(text), _) => Some(to_bytes(text)),
        (None, Some(path)) => {
            let Some(data) = cx.read_input(path).await else { return Ok(1) };
            Some(data)
        }
        (None, None) => None,
    };
    if opts.has('c') || opts.has('o') {
        return Err(cx.not_simulated("-c and -o").await);
    }
    let quiet = opts.has('q');
    let wget = Wget { opts, quiet, timeout: SimTime::from_secs(seconds), post };
    for url in &wget.opts.rest {
        wget.download(cx, url).await?;
    }
    Ok(0)
}

async fn parse(cx: &mut Cx, url: &str) -> Result<Target, Stop> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https" | "ftp" | "ftps", _)) => {
            return Err(cx.not_simulated(&format!("'{url}': only http is")).await);
        }
        Some(_) => return Err(cx.die(&format!("not an http or ftp url: {url}")).await),
        None => url,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user.to_owned()), authority),
        None => (None, authority),
    };
    let path = path.split('#').next().unwrap_or("");
    let path = path.strip_prefix('/').unwrap_or(path);
    let (host, port) = match authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p))),
    };
    let port = match port {
        None => 80,
        Some(text) => match text.parse() {
            Ok(port) => port,
            Err(_) => return Err(cx.die(&format!("bad port spec '{authority}'")).await),
        },
    };
    let host = host.to_owned();
    Ok(Target { authority: authority.to_owned(), host, port, path: path.to_owned(), user })
}

impl Wget {
    async fn say(&self, cx: &Cx, text: &str) {
        if !self.quiet {
            cx.err(text).await;
        }
    }

    async fn connect(&self, cx: &mut Cx, target: &Target) -> Result<Fd, Stop> {
        let since = cx.sys.now();
        let local = matches!(target.host.as_str(), "::1" | "::ffff:127.0.0.1");
        let addrs =
            if local { vec![Ipv4Addr::LOCALHOST] } else { cx.sys.resolve(&target.host).await };
        let Some(addr) = addrs.first().copied() else {
            cx.sys.unknown_name(&target.host, target.port, since);
            return Err(cx.die(&format!("bad address '{}'", target.authority)).await);
        };
        let shown = if local { format!("[{}]", target.host) } else { addr.to_string() };
        let text = format!("Connecting to {} ({shown}:{})\n", target.authority, target.port);
        self.say(cx, &text).await;
        let deadline = cx.sys.now() + self.timeout;
        let label = format!("{}:{}", target.host, target.port);
        let host = target.host.clone();
        let made = match local {
            true => cx
                .sys
                .connect_addr(&label, addr, target.port, Some(deadline))
                .await
                .map_err(NetError::Errno),
            false => cx.sys.connect(&host, target.port, Some(deadline)).await,
        };
        match made {
            Ok(fd) => Ok(fd),
            Err(NetError::BadAddress) => {
                Err(cx.die(&format!("bad address '{}'", target.authority)).await)
            }
            Err(NetError::Errno(Errno::TimedOut)) if cx.sys.now() >= deadline => {
                Err(cx.die("download timed out").await)
            }
            Err(NetError::Errno(errno)) => {
                let text = format!("can't connect to remote host ({shown}): {}", errno.text());
                Err(cx.die(&text).await)
            }
        }
    }

    fn request(&self, target: &Target) -> Vec<u8> {
        let method = if self.post.is_some() { "POST" } else { "GET" };
        let mut text = format!("{method} /{} HTTP/1.1\r\n", target.path);
        let own = |name: &str| {
            let starts =
                |h: &str| h.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name));
            self.opts.values('H').any(starts)
        };
        if !own("Host:") {
            text.push_str(&format!("Host: {}\r\n", target.authority));
        }
        if !own("User-Agent:") {
            text.push_str(&format!("User-Agent: {}\r\n", self.opts.value('U').unwrap_or("Wget")));
        }
        text.push_str("Connection: close\r\n");
        if let Some(user) = target.user.as_ref().filter(|_| !own("Authorization:")) {
            let code = String::from_utf8_lossy(&encode(&to_bytes(user))).into_owned();
            text.push_str(&format!("Authorization: Basic {code}\r\n"));
        }
        for header in self.opts.values('H') {
            text.push_str(&format!("{header}\r\n"));
        }
        if let Some(post) = &self.post {
            if !own("Content-Type:") {
                text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            }
            text.push_str(&format!("Content-Length: {}\r\n", post.len()));
        }
        text.push_str("\r\n");
        let mut request = to_bytes(&text);
        request.extend_from_slice(self.post.as_deref().unwrap_or(&[]));
        request
    }

    async fn download(&self, cx: &mut Cx, url: &str) -> Result<(), Stop> {
        let mut target = parse(cx, url).await?;
        let name = match self.opts.value('O') {
            Some(name) => name.to_owned(),
            None => {
                let last = target.path.rsplit('/').next().unwrap_or("");
                let last = if last.is_empty() { "index.html" } else { last };
                self.opts.value('P').map_or(last.to_owned(), |dir| tree::join(dir, last))
            }
        };
        for _ in 0..REDIRECTS_MAX {
            let fd = self.connect(cx, &target).await?;
            let request = self.request(&target);
            if cx.sys.write(fd, &request).await.is_err() {
                return Err(cx.die("error getting response: Connection reset by peer").await);
            }
            let deadline = Some(cx.sys.now() + self.timeout);
            let mut reader = Reader::new(&cx.sys, fd, deadline);
            let head = self.head(cx, &mut reader).await?;
            match head.status() {
                Some(200..=206) => {
                    let done = self.save(cx, &mut reader, &head, &name).await;
                    let _ = cx.sys.close(fd);
                    return done;
                }
                Some(300..=303 | 307) if head.get("Location").is_some() => {
                    let location = head.get("Location").unwrap_or_default().to_owned();
                    let _ = cx.sys.close(fd);
                    match location.strip_prefix('/') {
                        Some(path) => target.path = path.to_owned(),
                        None => target = parse(cx, &location).await?,
                    }
                }
                _ => {
                    let text = format!("server returned error: {}", head.first);
                    return Err(cx.die(&text).await);
                }
            }
        }
        Err(cx.die("too many redirections").await)
    }

    async fn head(&self, cx: &mut Cx, reader: &mut Reader) -> Result<Head, Stop> {
        loop {
            let head = match reader.head().await {
                Ok(Some(head)) => head,
                Ok(None) => return Err(cx.die("error getting response").await),
                Err(Errno::TimedOut) => return Err(cx.die("download timed out").await),
                Err(errno) => {
                    cx.fail_on("error getting response", errno).await;
                    return Err(1);
                }
            };
            if self.opts.has('S') {
                cx.err(&format!("  {}\n", head.first)).await;
                for (name, value) in &head.headers {
                    cx.err(&format!("  {name}: {value}\n")).await;
                }
                cx.err("  \n").await;
            }
            if head.status() != Some(100) {
                return Ok(head);
            }
        }
    }

    /// Where the body goes: standard output for `-`. Without `-O` nothing is overwritten.
    async fn open_output(&self, cx: &mut Cx, name: &str) -> Result<Fd, Stop> {
        if name == "-" {
            return Ok(1);
        }
        let how = if self.opts.has('O') { OpenHow::WRITE } else { OpenHow::CREATE_NEW };
        match cx.sys.open(name, how).await {
            Ok(fd) => Ok(fd),
            Err(errno) => {
                cx.fail_on(&format!("can't open '{name}'"), errno).await;
                Err(1)
            }
        }
    }

    async fn save(
        &self,
        cx: &mut Cx,
        reader: &mut Reader,
        head: &Head,
        name: &str,
    ) -> Result<(), Stop> {
        if self.opts.has('s') {
            self.say(cx, "remote file exists\n").await;
            return Ok(());
        }
        let fd = self.open_output(cx, name).await?;
        let to = if fd == 1 {
            "writing to stdout\n".to_owned()
        } else {
            format!("saving to '{name}'\n")
        };
        self.say(cx, &to).await;
        let (body, whole) = match reader.body(head).await {
            Ok(read) => read,
            Err(Errno::TimedOut) => return Err(cx.die("download timed out").await),
            Err(errno) => {
                cx.fail_on("read error", errno).await;
                return Err(1);
            }
        };
        if let Err(errno) = cx.sys.write(fd, &body).await {
            cx.fail_on("write error", errno).await;
            return Err(1);
        }
        let last = tree::last_part(name);
        let bar = "*".repeat(32);
        let size = if body.len() < 100_000 {
            body.len().to_string()
        } else {
            format!("{}k", body.len() / 1024)
        };
        let line = format!("{last:<20.20} 100% |{bar}| {size:>5}  0:00:00 ETA\n");
        self.say(cx, &line).await;
        if fd != 1 {
            let _ = cx.sys.close(fd);
        }
        if !whole {
            return Err(cx.die("connection closed prematurely").await);
        }
        let saved =
            if fd == 1 { "written to stdout\n".to_owned() } else { format!("'{name}' saved\n") };
        self.say(cx, &saved).await;
        Ok(())
    }
}
