//! `cat`: passes bytes on at once, or numbers and shows them.

use super::Answer;
use super::common::{Cx, cx::files_or_stdin};

/// What `-n -b -e -t -v` ask for.
#[derive(Default)]
struct Show {
    number: bool,
    number_nonblank: bool,
    ends: bool,
    tabs: bool,
    codes: bool,
    line: u64,
}

/// `less` and `more`: without a terminal they are `cat`, and their options say nothing.
pub(super) async fn pager(cx: &mut Cx) -> Answer {
    let opts = cx.opts("EFIMmNSRh~", "").await?;
    cx.argv.truncate(1);
    cx.argv.push("--".to_owned());
    cx.argv.extend(opts.rest);
    run(cx).await
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("nbvteAu", "").await?;
    let all = opts.has('A');
    let mut show = Show {
        number: opts.has('n'),
        number_nonblank: opts.has('b'),
        ends: opts.has('e') || all,
        tabs: opts.has('t') || all,
        codes: opts.has('v') || opts.has('e') || opts.has('t') || all,
        line: 0,
    };
    let plain = !(show.number || show.number_nonblank || show.codes);
    for path in files_or_stdin(opts.rest) {
        let Some(fd) = cx.open_input(&path).await else { continue };
        let mut at_start = true;
        loop {
            let data = match cx.sys.read(fd, 65_536).await {
                Ok(data) if data.is_empty() => break,
                Ok(data) => data,
                Err(crate::shell::Errno::Intr) => continue,
                Err(errno) => {
                    cx.fail_on("read error", errno).await;
                    break;
                }
            };
            let shown = if plain { data } else { show.bytes(&data, &mut at_start) };
            cx.now(&shown).await;
            if cx.out.failed().is_some() {
                return Ok(1);
            }
        }
        cx.close_input(fd);
    }
    Ok(cx.status)
}

impl Show {
    fn bytes(&mut self, data: &[u8], at_start: &mut bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 16);
        for &byte in data {
            if std::mem::replace(at_start, byte == b'\n') {
                let blank = byte == b'\n' && self.number_nonblank;
                if (self.number || self.number_nonblank) && !blank {
                    self.line += 1;
                    out.extend_from_slice(format!("{:>6}\t", self.line).as_bytes());
                }
            }
            self.byte(byte, &mut out);
        }
        out
    }

    fn byte(&self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\n' if self.ends => out.extend_from_slice(b"$\n"),
            b'\n' => out.push(b'\n'),
            b'\t' if !self.tabs => out.push(b'\t'),
            _ if !self.codes => out.push(byte),
            _ => visible(byte, out),
        }
    }
}

/// `^A`, `M-x` and the like.
fn visible(byte: u8, out: &mut Vec<u8>) {
    let mut byte = byte;
    if byte >= 128 {
        out.extend_from_slice(b"M-");
        byte -= 128;
    }
    if byte < 32 || byte == 127 {
        out.push(b'^');
        byte ^= 0x40;
    }
    out.push(byte);
}
