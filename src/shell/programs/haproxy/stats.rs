//! haproxy's statistics: the page for people and, with `;csv`, the table for programs. Only what
//! the lab counts is filled in.

use super::model::Proxy;
use super::run::Worker;
use crate::shell::programs::web::{Answer, Request};

const COLUMNS: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,\
    econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,";

/// Name of the row, sessions now, sessions ever, state, last check.
struct Row {
    proxy: String,
    name: String,
    open: u32,
    total: u64,
    status: String,
    weight: i64,
    backup: bool,
    failed: u32,
    down: u32,
    check: String,
}

fn rows(proxy: &Proxy) -> Vec<Row> {
    let row = |name: &str, open, total, status: &str| Row {
        proxy: proxy.id.clone(),
        name: name.to_owned(),
        open,
        total,
        status: status.to_owned(),
        weight: 0,
        backup: false,
        failed: 0,
        down: 0,
        check: String::new(),
    };
    let mut out = Vec::new();
    if proxy.is_front() {
        out.push(row("FRONTEND", proxy.open.get(), proxy.total.get(), "OPEN"));
    }
    for server in &proxy.servers {
        let state = server.state.borrow();
        let status = match (server.disabled || server.addr.get().is_none(), server.checked) {
            (true, _) => "MAINT",
            (_, false) => "no check",
            _ if state.up => "UP",
            _ => "DOWN",
        };
        let mut own = row(&server.id, state.open, state.total, status);
        own.weight = server.weight;
        own.backup = server.backup;
        (own.failed, own.down) = (state.n_failed, state.n_down);
        own.check.clone_from(&state.last_check);
        out.push(own);
    }
    if proxy.is_back() {
        let (active, backup) = proxy.n_up();
        let up = if active + backup > 0 || proxy.servers.is_empty() { "UP" } else { "DOWN" };
        out.push(row("BACKEND", proxy.open.get(), proxy.total.get(), up));
    }
    out
}

pub(super) fn page(worker: &Worker, request: &Request) -> Answer {
    let all = worker.conf.proxies.iter().filter(|p| !p.disabled);
    if request.target.ends_with(";csv") {
        let mut text = format!("{COLUMNS}\n");
        for row in all.flat_map(rows) {
            let (active, backup) = (u8::from(!row.backup), u8::from(row.backup));
            text.push_str(&format!(
                "{},{},0,0,{},,,{},,,,,,,,,,{},{},{active},{backup},{},{},\n",
                row.proxy,
                row.name,
                row.open,
                row.total,
                row.status,
                row.weight,
                row.failed,
                row.down
            ));
        }
        return Answer::text(200, "text/plain", text);
    }
    let mut text = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Statistics Report for HAProxy</title>\
         </head><body>\n<h1>HAProxy</h1>\n<h2>Statistics Report</h2>\n",
    );
    for proxy in all {
        text.push_str(&format!("<h3>{}</h3>\n<table>\n", proxy.id));
        text.push_str(
            "<tr><th></th><th>Cur</th><th>Total</th><th>Status</th><th>LastChk</th></tr>\n",
        );
        for row in rows(proxy) {
            text.push_str(&format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                row.name, row.open, row.total, row.status, row.check
            ));
        }
        text.push_str("</table>\n");
    }
    text.push_str("</body></html>\n");
    Answer::text(200, "text/html", text)
}
