//! HTTP/1.1 as little servers and clients need it: heads, bodies, status lines. No connections of
//! its own; it reads from descriptors it is given.

use super::bytes::to_text;
use super::{Errno, Fd, Sys};
use crate::time::SimTime;

/// Longest head read, in bytes.
const HEAD_MAX: usize = 32_768;
/// Longest body read, in bytes.
const BODY_MAX: usize = 8 << 20;

/// The first line and the header lines of a request or an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// `GET /x HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub first: String,
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The head at the start of `data` and its length; nothing while its end is not there.
    pub fn parse(data: &[u8]) -> Option<(Head, usize)> {
        let mut lines = Vec::new();
        let mut at = 0;
        loop {
            let end = at + data.get(at..)?.iter().position(|b| *b == b'\n')?;
            let line = &data[at..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at = end + 1;
            if line.is_empty() && !lines.is_empty() {
                break;
            }
            lines.push(to_text(line));
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let header = |line: String| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        Some((Head { first, headers: lines.filter_map(header).collect() }, at))
    }

    /// A header by name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub fn status(&self) -> Option<u16> {
        self.first.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()
    }

    /// Method and target of a request.
    pub fn request(&self) -> Option<(&str, &str)> {
        let mut words = self.first.split(' ');
        let method = words.next()?;
        let target = words.next()?;
        words.next()?.starts_with("HTTP/").then_some((method, target))
    }
}

/// `%41` as `A`; nothing when a percent sign is followed by something else.
pub fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        out.push((high * 16 + low) as u8);
    }
    Some(out)
}

/// Reads messages from a connection.
pub struct Reader {
    sys: Sys,
    fd: Fd,
    data: Vec<u8>,
    pub deadline: Option<SimTime>,
}

impl Reader {
    pub fn new(sys: &Sys, fd: Fd, deadline: Option<SimTime>) -> Reader {
        Reader { sys: sys.clone(), fd, data: Vec::new(), deadline }
    }

    /// More bytes; false at the end.
    async fn more(&mut self) -> Result<bool, Errno> {
        loop {
            match self.sys.read_until(self.fd, 65_536, self.deadline).await {
                Ok(data) => {
                    self.data.extend_from_slice(&data);
                    return Ok(!data.is_empty());
                }
                Err(Errno::Intr) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// The next head; nothing when the connection ends before one is whole.
    pub async fn head(&mut self) -> Result<Option<Head>, Errno> {
        loop {
            if let Some((head, used)) = Head::parse(&self.data) {
                self.data.drain(..used);
                return Ok(Some(head));
            }
            if self.data.len() > HEAD_MAX || !self.more().await? {
                return Ok(None);
            }
        }
    }

    async fn line(&mut self) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            if let Some(end) = self.data.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.data.drain(..=end).collect();
                while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Up to `n` bytes; fewer when the connection ends.
    pub async fn exactly(&mut self, n: usize) -> Result<Vec<u8>, Errno> {
        while self.data.len() < n.min(BODY_MAX) && self.more().await? {}
        let n = n.min(self.data.len());
        Ok(self.data.drain(..n).collect())
    }

    /// The body of an answer: chunked, of the length said, or up to the end. False with it when
    /// it ended too early.
    pub async fn body(&mut self, head: &Head) -> Result<(Vec<u8>, bool), Errno> {
        let chunked =
            head.get("Transfer-Encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        if chunked {
            return self.chunks().await;
        }
        let length = head.get("Content-Length").and_then(|text| text.parse::<usize>().ok());
        if let Some(length) = length {
            let body = self.exactly(length).await?;
            let whole = body.len() == length;
            return Ok((body, whole));
        }
        while self.data.len() < BODY_MAX && self.more().await? {}
        Ok((std::mem::take(&mut self.data), true))
    }

    async fn chunks(&mut self) -> Result<(Vec<u8>, bool), Errno> {
        let mut body = Vec::new();
        while let Some(line) = self.line().await? {
            let text = String::from_utf8_lossy(&line).into_owned();
            let digits = text.split(';').next().unwrap_or("").trim();
            let Ok(n) = usize::from_str_radix(digits, 16) else { return Ok((body, false)) };
            if n == 0 || body.len() > BODY_MAX {
                return Ok((body, true));
            }
            body.append(&mut self.exactly(n).await?);
            self.line().await?;
        }
        Ok((body, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_when_whole() {
        assert_eq!(Head::parse(b"GET / HTTP/1.1\r\nHost: x\r\n"), None);
        let (head, used) = Head::parse(b"HTTP/1.1 404 Not Found\r\nA:  b \r\n\r\nbody").unwrap();
        assert_eq!((head.status(), head.get("a"), used), (Some(404), Some("b"), 34));
        let (head, _) = Head::parse(b"GET /x HTTP/1.0\n\n").unwrap();
        assert_eq!(head.request(), Some(("GET", "/x")));
        assert_eq!(percent_decode("a%20b").as_deref(), Some(&b"a b"[..]));
        assert_eq!(percent_decode("a%2"), None);
    }
}
