//! What the clients of the databases share: the connection and the server's answers.

use super::Dialect;
use super::server::{SOCKET, escape, socket_path};
use crate::shell::{Fd, Lines, NetError, Sys};

/// Where a client goes and as whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    /// Empty or a path is the Unix socket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) password: String,
}

/// One row; None is NULL; `true` where it is a number.
pub(super) type Row = Vec<Option<(String, bool)>>;

#[derive(Default)]
pub(super) struct Reply {
    pub(super) notices: Vec<String>,
    pub(super) titles: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) tag: String,
    pub(super) database: String,
    pub(super) error: Option<String>,
}

pub(super) struct Client {
    sys: Sys,
    fd: Fd,
    lines: Lines,
}

/// Why no connection came about.
pub(super) enum Refused {
    /// There is no socket file.
    NoSocket,
    NoName,
    /// The address asked and the reason.
    Network(String, &'static str),
    /// The server's own words.
    Server(String, String),
}

impl Target {
    pub(super) fn by_socket(&self) -> bool {
        self.host.is_empty() || self.host.starts_with('/')
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(c) => out.push(c),
                None => {}
            },
            (c, _) => out.push(c),
        }
    }
    out
}

/// Only whether something listens there.
pub(super) async fn knock(sys: &Sys, dialect: Dialect, target: &Target) -> Result<Fd, Refused> {
    if target.by_socket() {
        if sys.stat(socket_path(dialect)).is_err() {
            return Err(Refused::NoSocket);
        }
        let made = sys.connect_addr("the Unix socket", SOCKET, target.port, None).await;
        return made.map_err(|errno| Refused::Network(String::new(), errno.text()));
    }
    let addr = sys.resolve(&target.host).await.first().map(ToString::to_string);
    match sys.connect(&target.host, target.port, None).await {
        Ok(fd) => Ok(fd),
        Err(NetError::BadAddress) => Err(Refused::NoName),
        Err(NetError::Errno(errno)) => {
            Err(Refused::Network(addr.unwrap_or_default(), errno.text()))
        }
    }
}

impl Client {
    pub(super) async fn connect(
        sys: &Sys,
        dialect: Dialect,
        target: &Target,
    ) -> Result<Client, Refused> {
        let fd = knock(sys, dialect, target).await?;
        let addr = sys.peer_addr(fd).map(|(ip, _)| ip.to_string()).unwrap_or_default();
        let Target { user, database, password, .. } = target;
        let head = format!("{user}\t{database}\t{password}\n");
        let _ = sys.write(fd, head.as_bytes()).await;
        let mut client = Client { sys: sys.clone(), fd, lines: Lines::new(sys, fd) };
        let reply = client.reply().await;
        match reply.error {
            Some(why) => Err(Refused::Server(addr, why)),
            None => Ok(client),
        }
    }

    pub(super) async fn ask(&mut self, sql: &str) -> Reply {
        let _ = self.sys.write(self.fd, format!("{}\n", escape(sql)).as_bytes()).await;
        self.reply().await
    }

    async fn reply(&mut self) -> Reply {
        let mut reply = Reply::default();
        loop {
            let Ok(Some(line)) = self.lines.next().await else {
                let gone = "server closed the connection unexpectedly";
                reply.error.get_or_insert_with(|| gone.to_owned());
                return reply;
            };
            let line = crate::shell::bytes::to_text(&line);
            let line = line.trim_end_matches('\n');
            let (kind, rest) = line.split_at(line.len().min(1));
            match kind {
                "N" => reply.notices.push(unescape(rest)),
                "C" => reply.titles = rest.split('\t').map(unescape).collect(),
                "R" => {
                    let cell = |text: &str| match text.split_at(text.len().min(1)) {
                        ("#", text) => Some((unescape(text), true)),
                        ("=", text) => Some((unescape(text), false)),
                        _ => None,
                    };
                    reply.rows.push(rest.split('\t').map(cell).collect());
                }
                "T" => {
                    let (tag, database) = rest.split_once('\t').unwrap_or((rest, ""));
                    reply.tag = unescape(tag);
                    reply.database = unescape(database);
                }
                "E" => reply.error = Some(unescape(rest)),
                _ => return reply,
            }
        }
    }
}
