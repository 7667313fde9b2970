//! `sleep` and `usleep`: virtual time passes, nothing else does.

use super::Answer;
use super::common::{Cx, number};
use crate::time::SimTime;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let args = cx.args().to_vec();
    let args = if args.first().is_some_and(|a| a == "--") { &args[1..] } else { &args[..] };
    if args.is_empty() {
        return Err(cx.usage().await);
    }
    let mut total = SimTime::ZERO;
    for arg in args {
        let forever = arg == "inf" || arg == "infinity";
        let span = if forever { Some(u64::MAX / 4) } else { number::duration_micros(arg) };
        let Some(span) = span else {
            return Err(cx.die(&format!("invalid number '{arg}'")).await);
        };
        total = total + SimTime(span);
    }
    cx.sys.sleep(total).await;
    Ok(0)
}

pub(super) async fn micro(cx: &mut Cx) -> Answer {
    let Some(text) = cx.args().first().cloned() else { return Err(cx.usage().await) };
    let Some(micros) = number::digits(&text) else {
        return Err(cx.die(&format!("invalid number '{text}'")).await);
    };
    cx.sys.sleep(SimTime(micros)).await;
    Ok(0)
}
