//! `tee`: passes on at once.

use super::Answer;
use super::common::Cx;
use crate::shell::{Disposition, Errno, OpenHow, Signal};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("ai", "").await?;
    if opts.has('i') {
        cx.sys.set_signal(Signal::INT, Disposition::Ignore);
    }
    let how = if opts.has('a') { OpenHow::APPEND } else { OpenHow::WRITE };
    let mut outputs = vec![1];
    for path in &opts.rest {
        if path == "-" {
            outputs.push(1);
            continue;
        }
        match cx.sys.open(path, how).await {
            Ok(fd) => outputs.push(fd),
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }
    loop {
        let data = match cx.sys.read(0, 4096).await {
            Ok(data) if data.is_empty() => break,
            Ok(data) => data,
            Err(Errno::Intr) => continue,
            Err(errno) => {
                cx.fail_on("read error", errno).await;
                break;
            }
        };
        for fd in &outputs {
            if let Err(errno) = cx.sys.write(*fd, &data).await {
                cx.fail_on("write error", errno).await;
            }
        }
    }
    Ok(cx.status)
}
