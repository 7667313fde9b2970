//! `tini`: starts a program, hands signals on to it, ends as it ends.

use crate::shell::{Disposition, Errno, Signal, Sys, WaitFor};

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let rest = argv.iter().skip(1).skip_while(|arg| arg.starts_with('-'));
    let command: Vec<String> = rest.cloned().collect();
    let name = command.first().cloned().unwrap_or_default();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1] {
        sys.set_signal(signal, Disposition::Catch);
    }
    let started = sys.fork(move |sys| async move {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1] {
            sys.set_signal(signal, Disposition::Default);
        }
        let env = sys.env();
        let path = match sys.find_in_path(&name) {
            Ok(path) => path,
            Err(errno) => {
                let text = format!("[FATAL tini (7)] exec {name} failed: {}\n", errno.text());
                let _ = sys.write(2, text.as_bytes()).await;
                return 127;
            }
        };
        sys.exec(&path, command, env).await.unwrap_or(126)
    });
    let Ok(child) = started else { return 1 };
    loop {
        match sys.wait(WaitFor::Any).await {
            Ok((pid, status)) if pid == child => return status.code(),
            Ok(_) => {}
            Err(Errno::Intr) => {
                for signal in sys.take_signals() {
                    let _ = sys.kill(i64::from(child), Some(signal));
                }
            }
            Err(_) => return 1,
        }
    }
}
