//! `wc`. Models coreutils/wc.c: one column is bare, several are padded.

use super::Answer;
use super::common::Cx;

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
    longest: u64,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cmlwL", "").await?;
    let mut letters: Vec<char> = "lwmcL".chars().filter(|letter| opts.has(*letter)).collect();
    if letters.is_empty() {
        letters = vec!['l', 'w', 'c'];
    }
    let named = !opts.rest.is_empty();
    let files = super::common::cx::files_or_stdin(opts.rest);
    let mut total = Counts::default();
    let many = files.len() > 1;
    for path in &files {
        let Some(fd) = cx.open_input(path).await else { continue };
        let mut counts = Counter::default();
        loop {
            match cx.sys.read(fd, 65_536).await {
                Ok(data) if !data.is_empty() => counts.add(&data),
                Err(crate::shell::Errno::Intr) => {}
                Err(errno) => {
                    cx.fail_on(path, errno).await;
                    break;
                }
                Ok(_) => break,
            }
        }
        cx.close_input(fd);
        let counts = counts.end();
        total = total.plus(counts);
        print(cx, &letters, counts, named.then_some(path.as_str()), many).await;
    }
    if many {
        print(cx, &letters, total, Some("total"), many).await;
    }
    Ok(cx.status)
}

async fn print(cx: &mut Cx, letters: &[char], counts: Counts, name: Option<&str>, many: bool) {
    let mut line = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let value = match letter {
            'l' => counts.lines,
            'w' => counts.words,
            'm' => counts.chars,
            'c' => counts.bytes,
            _ => counts.longest,
        };
        match (letters.len(), i) {
            (1, _) if !many => line.push_str(&value.to_string()),
            (_, 0) => line.push_str(&format!("{value:9}")),
            _ => line.push_str(&format!(" {value:9}")),
        }
    }
    if let Some(name) = name {
        line.push(' ');
        line.push_str(name);
    }
    line.push('\n');
    cx.text(&line).await;
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts {
            lines: self.lines + other.lines,
            words: self.words + other.words,
            chars: self.chars + other.chars,
            bytes: self.bytes + other.bytes,
            longest: self.longest.max(other.longest),
        }
    }
}

#[derive(Default)]
struct Counter {
    counts: Counts,
    in_word: bool,
    column: u64,
}

impl Counter {
    fn add(&mut self, data: &[u8]) {
        for &byte in data {
            self.counts.bytes += 1;
            // Bytes that continue a UTF-8 character are not counted again.
            self.counts.chars += u64::from(byte & 0xc0 != 0x80);
            let blank = byte.is_ascii_whitespace() || byte == 0x0b;
            if blank {
                self.counts.words += u64::from(self.in_word);
                self.in_word = false;
            } else if byte > 0x20 && byte != 0x7f {
                self.in_word = true;
            }
            match byte {
                b'\n' | b'\r' | 0x0c => {
                    self.counts.longest = self.counts.longest.max(self.column);
                    self.column = 0;
                    self.counts.lines += u64::from(byte == b'\n');
                }
                b'\t' => self.column = (self.column | 7) + 1,
                _ if byte >= 0x20 && byte & 0xc0 != 0x80 => self.column += 1,
                _ => {}
            }
        }
    }

    fn end(mut self) -> Counts {
        self.counts.words += u64::from(self.in_word);
        self.counts.longest = self.counts.longest.max(self.column);
        self.counts
    }
}
