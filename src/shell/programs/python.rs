//! `python3 -m http.server`: files over HTTP. The language itself is not simulated.

use super::threads::Threads;
use super::web::{self, Answer, Handler, Request, Server};
use super::{args::not_simulated, clock};
use crate::order::Order;
use crate::shell::http::percent_decode;
use crate::shell::{Disposition, FileType, Signal, Sys};
use crate::time::SimTime;
use std::net::Ipv4Addr;
use std::rc::Rc;

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let words: Vec<&str> = argv.iter().skip(1).map(String::as_str).filter(|w| *w != "-u").collect();
    match words.as_slice() {
        ["--version" | "-V"] => {
            let _ = sys.write(1, b"Python 3.13.7\n").await;
            0
        }
        ["-m", "http.server", rest @ ..] => server(sys, rest, argv.iter().any(|w| w == "-u")).await,
        // Without a terminal and without anything to read it ends at once.
        [] if sys.read_all(0).await.unwrap_or_default().is_empty() => 0,
        ["-c", ..] => not_simulated(&sys, "python3", "the language (python3 -c)").await,
        [file, ..] if !file.starts_with('-') => match sys.stat(file) {
            Err(errno) => {
                let path = if file.starts_with('/') {
                    (*file).to_owned()
                } else {
                    format!("{}/{file}", sys.cwd())
                };
                let why = format!("[Errno {}] {}", errno.number(), errno.text());
                let text = format!("python3: can't open file '{path}': {why}\n");
                let _ = sys.write(2, text.as_bytes()).await;
                2
            }
            Ok(_) => not_simulated(&sys, "python3", &format!("the program {file}")).await,
        },
        _ => not_simulated(&sys, "python3", &words.join(" ")).await,
    }
}

async fn server(sys: Sys, rest: &[&str], unbuffered: bool) -> i32 {
    let (mut port, mut dir, mut addr) = (8000_u16, sys.cwd(), Ipv4Addr::UNSPECIFIED);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match *word {
            "-d" | "--directory" => dir = words.next().map_or(dir, |d| (*d).to_owned()),
            "-b" | "--bind" => {
                addr = words.next().and_then(|a| a.parse().ok()).unwrap_or(Ipv4Addr::LOCALHOST);
            }
            word => match word.parse() {
                Ok(n) => port = n,
                Err(_) => return not_simulated(&sys, "python3", word).await,
            },
        }
    }
    let Ok(listener) = sys.listen(addr, port) else {
        let text = "Traceback (most recent call last):\n  ...\nOSError: [Errno 98] Address already in use\n";
        let _ = sys.write(2, text.as_bytes()).await;
        return 1;
    };
    sys.claim_memory(21 << 20);
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    // Python keeps what it prints until much has come together, unless told not to.
    if unbuffered || sys.getenv("PYTHONUNBUFFERED").is_some_and(|v| !v.is_empty()) {
        let text = format!("Serving HTTP on {addr} port {port} (http://{addr}:{port}/) ...\n");
        let _ = sys.write(1, text.as_bytes()).await;
    }
    let threads = Threads::default();
    let server = Server::new(&sys, &threads, SimTime::ZERO);
    let (own, root) = (sys.clone(), Rc::new(dir));
    let handler: Handler = Rc::new(move |request| {
        let (sys, root) = (own.clone(), Rc::clone(&root));
        Box::pin(async move { answer(&sys, &root, &request).await })
    });
    server.serve(listener, handler);
    // Signals have their default meaning: as a container's first process it ignores them.
    threads.run(web::sleep(&sys, SimTime::from_secs(100_000_000))).await;
    0
}

async fn answer(sys: &Sys, root: &str, request: &Request) -> Answer {
    let path = percent_decode(request.path()).unwrap_or_default();
    let path = String::from_utf8_lossy(&path).into_owned();
    let safe = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let file = format!("{root}/{}", safe.collect::<Vec<_>>().join("/"));
    let mut answer = match (request.method.as_str(), sys.stat(&file)) {
        ("GET" | "HEAD", Ok(stat)) if stat.file_type == FileType::Dir => {
            match path.ends_with('/') {
                true => directory(sys, &file, &path),
                false => {
                    let mut answer = Answer { status: 301, ..Answer::default() };
                    answer.headers.push(("Location".to_owned(), format!("{path}/")));
                    answer
                }
            }
        }
        ("GET" | "HEAD", Ok(_)) => match sys.peek_file(&file) {
            Some(data) => Answer::text(200, kind(&file), data),
            None => error(404, "File not found", "Nothing matches the given URI"),
        },
        ("GET" | "HEAD", Err(_)) => error(404, "File not found", "Nothing matches the given URI"),
        (method, _) => {
            let text = format!("Unsupported method ('{method}')");
            error(501, &text, "Server does not support this operation")
        }
    };
    answer.headers.insert(0, ("Server".to_owned(), "SimpleHTTP/0.6 Python/3.13.7".to_owned()));
    answer.headers.insert(1, ("Date".to_owned(), clock::http(sys)));
    let stamp = clock::common_log(sys);
    let stamp = stamp.split(' ').next().unwrap_or("").replacen(':', " ", 1);
    let (ip, line, status) = (request.peer.0, &request.head.first, answer.status);
    let mut text = String::new();
    if status >= 400 {
        let what = if status == 404 { "File not found" } else { "Unsupported method" };
        text = format!("{ip} - - [{stamp}] code {status}, message {what}\n");
    }
    text.push_str(&format!("{ip} - - [{stamp}] \"{line}\" {status} -\n"));
    let _ = sys.write(2, text.as_bytes()).await;
    answer
}

fn kind(file: &str) -> &'static str {
    match file.rsplit('.').next().unwrap_or("") {
        "html" | "htm" => "text/html",
        "txt" => "text/plain",
        "json" => "application/json",
        "css" => "text/css",
        "js" => "text/javascript",
        _ => "application/octet-stream",
    }
}

fn directory(sys: &Sys, dir: &str, path: &str) -> Answer {
    if let Some(data) = sys.peek_file(&format!("{}/index.html", dir.trim_end_matches('/'))) {
        return Answer::text(200, "text/html", data);
    }
    let mut names = sys.readdir(dir).unwrap_or_default();
    names.retain(|name| name != "." && name != "..");
    names.order_by_key(|name| name.to_lowercase());
    let mut text = format!(
        "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory \
         listing for {path}</title>\n</head>\n<body>\n<h1>Directory listing for \
         {path}</h1>\n<hr>\n<ul>\n"
    );
    for name in names {
        let is_dir = sys.stat(&format!("{dir}/{name}")).is_ok_and(|s| s.file_type == FileType::Dir);
        let mark = if is_dir { "/" } else { "" };
        text.push_str(&format!("<li><a href=\"{name}{mark}\">{name}{mark}</a></li>\n"));
    }
    text.push_str("</ul>\n<hr>\n</body>\n</html>\n");
    Answer::text(200, "text/html; charset=utf-8", text)
}

fn error(status: u16, message: &str, explain: &str) -> Answer {
    let text = format!(
        "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        \
         <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error \
         response</h1>\n        <p>Error code: {status}</p>\n        <p>Message: \
         {message}.</p>\n        <p>Error code explanation: {status} - {explain}.</p>\n    \
         </body>\n</html>\n"
    );
    Answer::text(status, "text/html;charset=utf-8", text)
}
