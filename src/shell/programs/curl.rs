//! `curl`: HTTP requests with the options scripts use. TLS is said not to be simulated.

use super::args::not_simulated;
use super::web::{self, Fail, Patience, request_bytes};
use crate::shell::bytes::{to_bytes, to_text};
use crate::shell::http::Head;
use crate::shell::{Errno, OpenHow, Sys};
use crate::time::SimTime;

const VERSION: &str = "8.14.1";
const REDIRECTS_MAX: usize = 50;

/// Long names: those that take a value, and those that do not.
const VALUED: &str = " o=output w=write-out X=request H=header d=data m=max-time A=user-agent \
    u=user e=referer b=cookie c=cookie-jar T=upload-file x=proxy \
    1=connect-timeout 2=retry 3=retry-delay 4=data-raw 5=data-binary 6=json 7=max-redirs \
    8=retry-max-time 9=resolve @=cacert @=interface @=unix-socket @=data-urlencode F=form \
    @=cert @=key ";
const PLAIN: &str = " s=silent S=show-error f=fail i=include I=head v=verbose O=remote-name \
    L=location k=insecure G=get 0=http1.0 N=no-buffer g=globoff 4=ipv4 6=ipv6 !=fail-with-body \
    V=version h=help R=remote-time #=progress-bar r=retry-connrefused a=retry-all-errors \
    n=no-progress-meter C=compressed M=path-as-is t=tcp-nodelay K=no-keepalive ";

#[derive(Default)]
struct Options {
    flags: String,
    values: Vec<(char, String)>,
    urls: Vec<String>,
}

impl Options {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn value(&self, flag: char) -> Option<&str> {
        self.values.iter().rev().find(|(own, _)| *own == flag).map(|(_, value)| value.as_str())
    }

    fn all(&self, flag: char) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(own, _)| *own == flag).map(|(_, value)| value.as_str())
    }

    fn millis(&self, flag: char) -> Option<u64> {
        let (whole, part) = self.value(flag)?.split_once('.').unwrap_or((self.value(flag)?, ""));
        let part: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
        Some(whole.parse::<u64>().ok()?.saturating_mul(1000) + part)
    }

    /// Errors are shown.
    fn tells(&self) -> bool {
        !self.has('s') || self.has('S')
    }

    /// The body of a POST.
    fn data(&self, sys: &Sys) -> Option<Vec<u8>> {
        let mut parts = Vec::new();
        for (flag, value) in &self.values {
            match (flag, value.strip_prefix('@')) {
                ('d' | '5' | '6', Some(path)) => {
                    let text = sys.peek_file(path).unwrap_or_default();
                    let keeps = |b: &u8| *flag != 'd' || !matches!(b, b'\n' | b'\r');
                    parts.push(text.into_iter().filter(keeps).collect());
                }
                ('d' | '4' | '5' | '6', _) => parts.push(to_bytes(value)),
                _ => {}
            }
        }
        (!parts.is_empty()).then(|| parts.join(&b'&'))
    }
}

/// The option of this name, and whether it takes a value.
fn named(name: &str) -> Option<(char, bool)> {
    let find = |list: &str| {
        let mut rows = list.split(' ').filter_map(|row| row.split_once('='));
        rows.find(|(_, long)| *long == name).and_then(|(letter, _)| letter.chars().next())
    };
    find(VALUED).map(|c| (c, true)).or_else(|| find(PLAIN).map(|c| (c, false)))
}

fn parse(argv: &[String]) -> Result<Options, (i32, String)> {
    let mut options = Options::default();
    let mut rest = argv.iter().skip(1);
    let missing = |name: &str| (2, format!("curl: option {name}: requires parameter\n"));
    let unknown = |name: &str| (2, format!("curl: option {name}: is unknown\n"));
    while let Some(arg) = rest.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|l| !l.is_empty()) {
            if long == "url" {
                options.urls.push(rest.next().ok_or_else(|| missing(arg))?.clone());
                continue;
            }
            match named(long) {
                Some((letter, true)) => {
                    let value = rest.next().ok_or_else(|| missing(arg))?;
                    options.values.push((letter, value.clone()));
                }
                Some((letter, false)) => options.flags.push(letter),
                None => return Err(unknown(arg)),
            }
            continue;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|l| !l.is_empty()) else {
            options.urls.push(arg.clone());
            continue;
        };
        for (at, letter) in letters.char_indices() {
            let is = |list: &str| list.contains(&format!(" {letter}="));
            if is(VALUED) && letter.is_alphabetic() {
                let after = &letters[at + letter.len_utf8()..];
                let value = match after.is_empty() {
                    true => rest.next().ok_or_else(|| missing(arg))?.clone(),
                    false => after.to_owned(),
                };
                options.values.push((letter, value));
                break;
            }
            if !is(PLAIN) {
                return Err(unknown(arg));
            }
            options.flags.push(letter);
        }
    }
    Ok(options)
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let options = match parse(&argv) {
        Ok(options) => options,
        Err((code, text)) => {
            let text =
                format!("{text}curl: try 'curl --help' or 'curl --manual' for more information\n");
            let _ = sys.write(2, text.as_bytes()).await;
            return code;
        }
    };
    if options.has('V') {
        let text = format!("curl {VERSION} (x86_64-pc-linux-gnu) libcurl/{VERSION}\n");
        let _ = sys.write(1, text.as_bytes()).await;
        return 0;
    }
    if let Some(flag) = ['@', 'F', 'T', 'x', '9'].into_iter().find(|f| options.value(*f).is_some())
    {
        let value = options.value(flag).unwrap_or("");
        return not_simulated(&sys, "curl", &format!("the option with the value {value}")).await;
    }
    if options.urls.is_empty() {
        let text = "curl: (2) no URL specified\n\
                    curl: try 'curl --help' or 'curl --manual' for more information\n";
        let _ = sys.write(2, text.as_bytes()).await;
        return 2;
    }
    let mut code = 0;
    for url in &options.urls {
        code = tries(&sys, &options, url).await;
    }
    code
}

struct Done {
    code: i32,
    message: String,
    status: u16,
    body: usize,
    url: String,
    ip: String,
    kind: String,
    redirects: usize,
    micros: u64,
}

async fn tries(sys: &Sys, options: &Options, url: &str) -> i32 {
    let retries: u32 = options.value('2').and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut wait = 1;
    for left in (0..=retries).rev() {
        let done = one(sys, options, url).await;
        let problem = match (done.code, done.status) {
            (7, _) if options.has('r') || options.has('a') => "connection refused",
            (28, _) => "timeout",
            (6 | 52 | 56, _) if options.has('a') => "(retrying all errors)",
            (0 | 22, 408 | 429 | 500 | 502 | 503 | 504) => "HTTP error",
            _ => "",
        };
        if left == 0 || problem.is_empty() {
            return end(sys, options, &done).await;
        }
        let secs = options.millis('3').map_or(wait, |ms| (ms / 1000).max(1));
        wait = (wait * 2).min(600);
        if !options.has('s') {
            let s = |n: u64| if n == 1 { "" } else { "s" };
            let more = if left == 1 { "y" } else { "ies" };
            let text = format!(
                "Warning: Problem : {problem}. Will retry in {secs} second{}. {left} retr{more} \
                 left.\n",
                s(secs)
            );
            let _ = sys.write(2, text.as_bytes()).await;
        }
        web::sleep(sys, SimTime::from_secs(secs)).await;
    }
    0
}

async fn end(sys: &Sys, options: &Options, done: &Done) -> i32 {
    if done.code != 0 && options.tells() {
        let text = format!("curl: ({}) {}\n", done.code, done.message);
        let _ = sys.write(2, text.as_bytes()).await;
    }
    if let Some(format) = options.value('w') {
        let text = written(format, done, options);
        let _ = sys.write(1, &to_bytes(&text)).await;
    }
    done.code
}

/// `-w`: `%{name}` and backslashes.
fn written(format: &str, done: &Done, options: &Options) -> String {
    let text = format.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("%{") {
        out.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let time = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        out.push_str(&match name {
            "http_code" | "response_code" => format!("{:03}", done.status),
            "size_download" => done.body.to_string(),
            "url_effective" | "url" => done.url.clone(),
            "remote_ip" => done.ip.clone(),
            "content_type" => done.kind.clone(),
            "num_redirects" => done.redirects.to_string(),
            "exitcode" => done.code.to_string(),
            "errormsg" => done.message.clone(),
            "method" => options.value('X').unwrap_or("GET").to_owned(),
            "time_total" | "time_starttransfer" => time(done.micros),
            "time_connect" | "time_pretransfer" => time(done.micros.min(160)),
            "time_namelookup" => time(done.micros.min(60)),
            _ => String::new(),
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// (host, port, path) of an address, or the exit code and what to say.
fn target(url: &str) -> Result<(String, u16, String), (i32, String)> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", _)) => return Err((0, "TLS (https)".to_owned())),
        Some((other, _)) => {
            return Err((1, format!("Protocol \"{other}\" not supported or disabled in libcurl")));
        }
        None => url,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split('#').next().unwrap_or("");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let Ok(port) = port.parse() else {
        return Err((
            3,
            "URL rejected: Port number was not a decimal number between 0 and 65535".to_owned(),
        ));
    };
    if host.is_empty() {
        return Err((3, "URL rejected: No host part in the URL".to_owned()));
    }
    Ok((host.to_owned(), port, path))
}

async fn one(sys: &Sys, options: &Options, url: &str) -> Done {
    let begun = sys.now();
    let mut done = Done {
        code: 0,
        message: String::new(),
        status: 0,
        body: 0,
        url: url.to_owned(),
        ip: String::new(),
        kind: String::new(),
        redirects: 0,
        micros: 0,
    };
    loop {
        let next = exchange(sys, options, &mut done, begun).await;
        done.micros = (sys.now() - begun).0;
        match next {
            Some(to) if done.redirects < REDIRECTS_MAX => {
                done.redirects += 1;
                done.url = to;
            }
            Some(_) => {
                done.code = 47;
                done.message = "Maximum (50) redirects followed".to_owned();
                return done;
            }
            None => return done,
        }
    }
}

/// One request and its answer; where it is sent on to.
async fn exchange(sys: &Sys, options: &Options, done: &mut Done, begun: SimTime) -> Option<String> {
    let (host, port, mut path) = match target(&done.url) {
        Ok(target) => target,
        Err((0, what)) => {
            done.code = not_simulated(sys, "curl", &what).await;
            done.message = what;
            return None;
        }
        Err((code, message)) => {
            (done.code, done.message) = (code, message);
            return None;
        }
    };
    let mut data = options.data(sys);
    if options.has('G') {
        let mark = if path.contains('?') { '&' } else { '?' };
        path = data.take().map_or(path.clone(), |d| format!("{path}{mark}{}", to_text(&d)));
    }
    let max = options.millis('m').map(|ms| begun + SimTime::from_millis(ms));
    let far = SimTime::from_secs(300);
    let connect = options.millis('1').map_or(far, SimTime::from_millis);
    let left = max.map_or(far, |max| max - sys.now());
    let found = web::find(sys, (&host, port), connect.min(left)).await;
    done.ip = found.as_ref().map(ToString::to_string).unwrap_or_default();
    let request = request(options, &host, port, &path, data.as_deref());
    if options.has('v') {
        let text = to_text(&request);
        let head = text.split("\r\n\r\n").next().unwrap_or("");
        let lines = head.lines().map(|l| format!("> {l}\n")).collect::<String>();
        let text = format!(
            "*   Trying {}:{port}...\n* Connected to {host} ({}) port {port}\n{lines}> \n* Request completely sent off\n",
            done.ip, done.ip
        );
        let _ = sys.write(2, text.as_bytes()).await;
    }
    let patience = Patience {
        connect: connect.min(left),
        read: max.map_or(SimTime::from_secs(86_400), |max| max - sys.now()),
    };
    match web::fetch_found(sys, (&host, found, port), &request, patience).await {
        Ok((head, body)) => received(sys, options, done, &head, body).await,
        Err(fail) => {
            let ms = (sys.now() - begun).as_millis();
            (done.code, done.message) = failure(fail, &host, port, ms);
            None
        }
    }
}

/// The exit code and what to say.
fn failure(fail: Fail, host: &str, port: u16, ms: u64) -> (i32, String) {
    match fail {
        Fail::NoName => (6, format!("Could not resolve host: {host}")),
        Fail::LookupTimedOut => (28, format!("Resolving timed out after {ms} milliseconds")),
        Fail::Connect(Errno::TimedOut) => {
            (28, format!("Connection timed out after {ms} milliseconds"))
        }
        Fail::Connect(_) => {
            let where_to = format!("{host} port {port} after {ms} ms");
            (7, format!("Failed to connect to {where_to}: Could not connect to server"))
        }
        Fail::Ended => (52, "Empty reply from server".to_owned()),
        Fail::TimedOut => {
            (28, format!("Operation timed out after {ms} milliseconds with 0 bytes received"))
        }
    }
}

fn request(options: &Options, host: &str, port: u16, path: &str, data: Option<&[u8]>) -> Vec<u8> {
    let method = match (options.value('X'), data) {
        (Some(method), _) => method,
        _ if options.has('I') => "HEAD",
        (None, Some(_)) => "POST",
        _ => "GET",
    };
    let own: Vec<&str> = options.all('H').collect();
    let names = |header: &str, name: &str| {
        header.split([':', ';']).next().is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: String| {
        if !own.iter().any(|header| names(header, name)) {
            headers.push((name.to_owned(), value));
        }
    };
    add("Host", if port == 80 { host.to_owned() } else { format!("{host}:{port}") });
    if let Some(user) = options.value('u') {
        let code = to_text(&crate::shell::applets::base64_encode(&to_bytes(user)));
        add("Authorization", format!("Basic {code}"));
    }
    add("User-Agent", options.value('A').map_or(format!("curl/{VERSION}"), str::to_owned));
    add("Accept", "*/*".to_owned());
    if let Some(referer) = options.value('e') {
        add("Referer", referer.to_owned());
    }
    if let Some(cookie) = options.value('b') {
        add("Cookie", cookie.to_owned());
    }
    if let Some(data) = data {
        let json = options.value('6').is_some();
        add("Content-Length", data.len().to_string());
        let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        add("Content-Type", kind.to_owned());
    }
    for header in own {
        if let Some((name, value)) = header.split_once(':').filter(|(_, v)| !v.trim().is_empty()) {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    request_bytes(&format!("{method} {path} HTTP/1.1"), &headers, data.unwrap_or(&[]))
}

async fn received(
    sys: &Sys,
    options: &Options,
    done: &mut Done,
    head: &Head,
    body: Vec<u8>,
) -> Option<String> {
    done.status = head.status().unwrap_or(0);
    done.kind = head.get("Content-Type").unwrap_or("").to_owned();
    let lines = |prefix: &str, end: &str| {
        let headers = head.headers.iter().map(|(n, v)| format!("{prefix}{n}: {v}{end}"));
        format!("{prefix}{}{end}{}{prefix}{end}", head.first, headers.collect::<String>())
    };
    if options.has('v') {
        let _ = sys.write(2, lines("< ", "\n").as_bytes()).await;
    }
    let mut out = Vec::new();
    if options.has('i') || options.has('I') {
        out.extend(to_bytes(&lines("", "\r\n")));
    }
    let location = head.get("Location").filter(|_| (300..400).contains(&done.status));
    if let Some(location) = location.filter(|_| options.has('L')) {
        let _ = sys.write(1, &out).await;
        let base = done.url.split_once("://").map_or(done.url.as_str(), |(_, rest)| rest);
        let authority = base.split('/').next().unwrap_or("");
        return Some(match location.starts_with('/') {
            true => format!("http://{authority}{location}"),
            false => location.to_owned(),
        });
    }
    let failed = done.status >= 400 && (options.has('f') || options.has('!'));
    if failed {
        done.code = 22;
        done.message = format!("The requested URL returned error: {}", done.status);
    }
    if !failed || options.has('!') {
        out.extend_from_slice(&body);
        done.body = body.len();
    }
    store(sys, options, done, &out).await;
    None
}

/// Writes the body where it belongs, with the progress meter when it is to be seen.
async fn store(sys: &Sys, options: &Options, done: &mut Done, out: &[u8]) {
    if !options.has('s') && !options.has('n') && !options.has('#') {
        let n = done.body;
        let text = format!(
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n\
             {:33}Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0 \
             {:6}0      0 --:--:-- --:--:-- --:--:--     0\r100 {n:5}  100 {n:5}    0     0 {n:6}k\
             {:6}0 --:--:-- --:--:-- --:--:-- {n:5}k\n",
            "", "", ""
        );
        let _ = sys.write(2, text.as_bytes()).await;
    }
    let last = || done.url.rsplit('/').next().filter(|_| options.has('O'));
    let path = options.value('o').or_else(last).filter(|path| *path != "-").map(str::to_owned);
    let written = match &path {
        None => sys.write(1, out).await,
        Some(path) => match sys.open(path, OpenHow::WRITE).await {
            Ok(fd) => {
                let written = sys.write(fd, out).await;
                let _ = sys.close(fd);
                written
            }
            Err(errno) => {
                if options.tells() {
                    let text =
                        format!("Warning: Failed to open the file {path}: {}\n", errno.text());
                    let _ = sys.write(2, text.as_bytes()).await;
                }
                Err(errno)
            }
        },
    };
    if written.is_err() {
        done.code = 23;
        done.message = "Failure writing output to destination".to_owned();
    }
}
