//! `touch`. Models coreutils/touch.c.

use super::common::{Cx, calendar::Zone};
use super::{Answer, date};
use crate::shell::{Errno, OpenHow};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let longs = "no-create=c reference=r date=d no-dereference=h";
    let opts = cx.opts("cahmd:t:r:f", longs).await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let now = cx.sys.wall_unix_micros();
    let zone = Zone::parse(&cx.sys.getenv("TZ").unwrap_or_default());
    let mut time = (now, now);
    if let Some(path) = opts.value('r') {
        time = match cx.sys.stat(path) {
            Ok(stat) => (stat.atime, stat.mtime),
            Err(errno) => {
                cx.fail_on(&format!("can't stat '{path}'"), errno).await;
                return Ok(1);
            }
        };
    } else if let Some(letter) = opts.last_of("dt") {
        let text = opts.value(letter).unwrap_or("").to_owned();
        let Some(unix) = date::parse_now(&text, now.div_euclid(1_000_000), &zone) else {
            return Err(cx.die(&format!("invalid date '{text}'")).await);
        };
        time = (unix * 1_000_000, unix * 1_000_000);
    }
    let only = opts.last_of("am").filter(|_| !(opts.has('a') && opts.has('m')));
    for path in &opts.rest {
        let mut wanted = time;
        if let (Some(only), Ok(stat)) = (only, cx.sys.stat(path)) {
            wanted = if only == 'a' { (time.0, stat.mtime) } else { (stat.atime, time.1) };
        }
        match cx.sys.utimes(path, wanted.0, wanted.1) {
            Err(Errno::NoEnt) if opts.has('c') => {}
            Err(Errno::NoEnt) => match cx.sys.open(path, OpenHow::READ_WRITE).await {
                Ok(fd) => {
                    let _ = cx.sys.close(fd);
                    let set = opts.has('r') || opts.has('d') || opts.has('t');
                    if set {
                        let _ = cx.sys.utimes(path, time.0, time.1);
                    }
                }
                Err(errno) => cx.fail_on(path, errno).await,
            },
            Err(errno) => cx.fail_on(path, errno).await,
            Ok(()) => {}
        }
    }
    Ok(cx.status)
}
