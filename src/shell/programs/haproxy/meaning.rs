//! What a haproxy configuration means: sections become proxies and servers, with haproxy's own
//! words for what is wrong.

use super::acl::{Acl, Condition, Test};
use super::conf::{self, Line, Said, Section};
use super::log;
use super::model::{Balance, Bind, Conf, Kind, Proxy};
use super::rules::{HttpRule, TcpRule, Wrong};
use super::words::{self, ServerWords};
use crate::shell::Sys;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Settings that change nothing anybody in the lab could see.
const QUIET: &str = " maxconn fullconn backlog description id http-reuse hash-type log-tag \
    unique-id-format unique-id-header max-keep-alive-queue load-server-state-from-file \
    server-state-file-name guid persist compression source clitcpka-cnt clitcpka-idle \
    clitcpka-intvl srvtcpka-cnt srvtcpka-idle srvtcpka-intvl log-steps error-log-format enabled \
    hash-balance-factor max-session-srv-conns dynamic-cookie-key ";
/// Options with an effect here; the rest is harmless or said not to be simulated.
const OPTIONS_SHOWN: &str = " httplog tcplog dontlognull redispatch forwardfor log-health-checks \
    http-server-close httpclose dontlog-normal allbackups ";

pub(super) fn understand(sys: &Sys, sections: &[Section], said: &mut Said) -> Conf {
    let mut conf = Conf::default();
    let mut defaults = Proxy { uses_global_logs: false, ..Proxy::default() };
    for section in sections {
        let kind = match section.head.word(0) {
            "global" => {
                global(&mut conf, section, said);
                continue;
            }
            "defaults" => {
                defaults = Proxy { kind: Kind::Defaults, ..Proxy::default() };
                Reader { sys, proxy: &mut defaults, said }.lines(section);
                continue;
            }
            "frontend" => Kind::Frontend,
            "backend" => Kind::Backend,
            _ => Kind::Listen,
        };
        let mut proxy = Proxy { kind, ..defaults.clone() };
        proxy.id = section.head.word(1).to_owned();
        if proxy.id.is_empty() {
            let (place, word) = (section.head.place(), section.head.word(0));
            said.alert(format!(
                "parsing {place} : '{word}' expects an <id> argument and optionally supports \
                 '[<addr>]:<port>'."
            ));
            continue;
        }
        Reader { sys, proxy: &mut proxy, said }.lines(section);
        conf.proxies.push(proxy);
    }
    conf
}

fn global(conf: &mut Conf, section: &Section, said: &mut Said) {
    for line in &section.lines {
        let word = line.word(0);
        match word {
            "log" => conf.logs.extend(log::target(line.rest(1), said)),
            "hard-stop-after" => conf.hard_stop_ms = conf::time(line.word(1)),
            "lua-load" | "ssl-engine" | "chroot" | "setenv" | "presetenv" => {
                said.note(format!("the global setting {word}"));
            }
            "stats" => said.note("the runtime socket (stats socket)".to_owned()),
            _ if conf::keywords("global").any(|own| own == word) => {}
            _ if word.starts_with("tune.") || word.starts_with("ssl-") => {}
            _ => {
                let what = conf::unknown(word, "global", "global");
                said.alert(format!("parsing {} : {what}", line.place()));
            }
        }
    }
}

/// What only all sections together show.
pub(super) fn together(conf: &Conf, said: &mut Said) {
    for proxy in &conf.proxies {
        let id = &proxy.id;
        let kind = proxy.type_name();
        if proxy.is_front() && proxy.binds.is_empty() {
            said.warning(format!(
                "{kind} '{id}' has no 'bind' directive. Please declare it as a backend if this \
                 was intended."
            ));
        }
        if let Some(target) = &proxy.default_backend
            && proxy.is_front()
            && conf.backend(target).is_none()
        {
            said.alert(format!(
                "Proxy '{id}': unable to find required default_backend: '{target}'."
            ));
        }
        for (target, _) in &proxy.switching {
            let dynamic = target.contains("%[");
            if !dynamic && conf.backend(target).is_none() {
                said.alert(format!(
                    "Proxy '{id}': unable to find required use_backend: '{target}'."
                ));
            }
        }
        if !proxy.http && !proxy.http_rules.is_empty() {
            said.warning(format!(
                "'http-request' rules ignored for {kind} '{id}' as they require HTTP mode."
            ));
        }
        let lacks = |name: &str| proxy.timeout(name).is_none();
        let back = proxy.is_back() && !proxy.servers.is_empty();
        if (proxy.is_front() && lacks("client")) || (back && (lacks("connect") || lacks("server")))
        {
            said.warning(format!(
                "missing timeouts for {kind} '{id}'.\n   | While not properly invalid, you will \
                 certainly encounter various problems\n   | with such a configuration. To fix \
                 this, please ensure that all following\n   | timeouts are set to a non-zero \
                 value: 'client', 'connect', 'server'."
            ));
        }
    }
}

struct Reader<'a> {
    sys: &'a Sys,
    proxy: &'a mut Proxy,
    said: &'a mut Said,
}

impl Reader<'_> {
    fn lines(&mut self, section: &Section) {
        for line in &section.lines {
            if let Err(text) = self.line(line) {
                self.said.alert(format!("parsing {} : {text}", line.place()));
            }
        }
    }

    fn line(&mut self, line: &Line) -> Result<(), String> {
        let word = line.word(0);
        let front = self.proxy.is_front() || self.proxy.kind == Kind::Defaults;
        let only_front = matches!(word, "default_backend" | "use_backend" | "monitor-uri");
        if only_front && !front {
            let (kind, id) = (self.proxy.type_name(), &self.proxy.id);
            self.said.warning(format!(
                "parsing {} : '{word}' ignored because {kind} '{id}' has no frontend capability.",
                line.place()
            ));
            return Ok(());
        }
        match word {
            "mode" => self.mode(line.word(1))?,
            "bind" => self.bind(line)?,
            "server" => self.server(line)?,
            "default-server" => self.proxy.default_server.extend_from_slice(line.rest(1)),
            "balance" => self.balance(line)?,
            "timeout" => self.timeout(line)?,
            "option" => self.option(line)?,
            "no" if line.word(1) == "option" => drop(self.proxy.options.remove(line.word(2))),
            "no" if line.word(1) == "log" => self.proxy.uses_global_logs = false,
            "acl" => self.acl(line)?,
            "use_backend" => {
                let cond = Condition::parse(self.sys, line.rest(2), &self.proxy.acls);
                let cond = cond.map_err(|why| {
                    format!("error detected while parsing switching rule : {why}.")
                })?;
                self.proxy.switching.push((line.word(1).to_owned(), cond));
            }
            "default_backend" => self.proxy.default_backend = Some(line.word(1).to_owned()),
            "tcp-request" => self.tcp_rule(line)?,
            "http-request" | "http-response" | "redirect" => self.http_rule(line)?,
            "tcp-check" | "http-check" => {
                self.proxy.check.step(line).map_err(|why| format!("'{word}' : {why}."))?;
            }
            "log" if line.word(1) == "global" => self.proxy.uses_global_logs = true,
            "log" => {
                let own = log::target(line.rest(1), self.said);
                self.proxy.logs.extend(own);
            }
            "log-format" => self.proxy.log_format = Some(line.word(1).to_owned()),
            "stats" => self.stats(line)?,
            "monitor-uri" => self.proxy.monitor_uri = Some(line.word(1).to_owned()),
            "retries" => self.proxy.retries = line.word(1).parse().ok(),
            "disabled" => self.proxy.disabled = true,
            "errorfile" => self.error_file(line)?,
            _ if QUIET.split(' ').any(|own| own == word) => {}
            _ if conf::keywords("listen").any(|own| own == word) => {
                self.said.note(format!("the keyword {word}"));
            }
            _ => return Err(conf::unknown(word, self.section(), "listen")),
        }
        Ok(())
    }

    fn section(&self) -> &'static str {
        match self.proxy.kind {
            Kind::Listen => "listen",
            _ => self.proxy.type_name(),
        }
    }

    fn mode(&mut self, mode: &str) -> Result<(), String> {
        self.proxy.http = match mode {
            "http" => true,
            "tcp" => false,
            other => return Err(format!("unknown proxy mode '{other}'.")),
        };
        Ok(())
    }

    fn bind(&mut self, line: &Line) -> Result<(), String> {
        let fail = |why: &str| format!("'bind' : {why}");
        if line.words.len() < 2 {
            return Err(fail("<[addr]:port...> parameter expected"));
        }
        for place in line.word(1).split(',') {
            let bare = place.strip_prefix("ipv4@").unwrap_or(place);
            let (host, port) = bare
                .rsplit_once(':')
                .ok_or_else(|| format!("'bind' : '{place}' : missing port number in '{place}'"))?;
            let port: u16 = port
                .parse()
                .map_err(|_| format!("'bind' : '{place}' : invalid character in port number"))?;
            let addr = match host {
                "" | "*" | "::" | "[::]" | "0.0.0.0" => Ipv4Addr::UNSPECIFIED,
                "localhost" => Ipv4Addr::LOCALHOST,
                host => host
                    .parse()
                    .map_err(|_| format!("'bind' : '{place}' : invalid address: '{host}'"))?,
            };
            self.proxy.binds.push(Bind { addr, port, line: line.clone() });
        }
        if line.words.iter().any(|w| w == "ssl") {
            self.said.note("TLS on a bind line; connections are taken as plain text".to_owned());
        }
        Ok(())
    }

    fn server(&mut self, line: &Line) -> Result<(), String> {
        if self.proxy.kind == Kind::Frontend {
            let id = &self.proxy.id;
            let what =
                format!("'server' ignored because frontend '{id}' has no backend capability.");
            self.said.warning(format!("parsing {} : {what}", line.place()));
            return Ok(());
        }
        let (id, place) = (line.word(1).to_owned(), line.word(2));
        if place.is_empty() {
            return Err("'server' expects <name> and <addr>[:<port>] as arguments.".to_owned());
        }
        if self.proxy.servers.iter().any(|s| s.id == id) {
            let proxy = format!("{} '{}'", self.proxy.type_name(), self.proxy.id);
            return Err(format!(
                "{proxy}, another server named '{id}' was already defined, please \
                                use distinct names."
            ));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (
                host,
                port.parse().map_err(|_| {
                    format!(
                        "'server {}/{id}' : invalid character in port number '{port}' in '{place}'",
                        self.proxy.id
                    )
                })?,
            ),
            None => (place, 0),
        };
        let mut server = words::server(id, host, port, line);
        let words: Vec<String> =
            self.proxy.default_server.iter().chain(line.rest(3)).cloned().collect();
        ServerWords { proxy: &self.proxy.id, said: self.said }.read(&mut server, &words)?;
        self.proxy.servers.push(server);
        Ok(())
    }

    fn balance(&mut self, line: &Line) -> Result<(), String> {
        self.proxy.balance = match line.word(1) {
            "roundrobin" | "static-rr" => Balance::RoundRobin,
            "leastconn" => Balance::LeastConn,
            "first" => Balance::First,
            "source" => Balance::Source,
            "random" => Balance::Random,
            word @ ("uri" | "url_param" | "hdr" | "rdp-cookie" | "hash") => {
                self.said.note(format!("balance {word}; servers take turns"));
                Balance::RoundRobin
            }
            _ if line.word(1).starts_with("hdr(") || line.word(1).starts_with("random(") => {
                self.said.note(format!("balance {}; servers take turns", line.word(1)));
                Balance::RoundRobin
            }
            _ => {
                return Err("'balance' only supports 'roundrobin', 'static-rr', 'leastconn', \
                    'source', 'uri', 'url_param', 'hash', 'hdr(name)', 'rdp-cookie(name)', \
                    'log-hash' and 'sticky' options."
                    .replace("  ", " "));
            }
        };
        Ok(())
    }

    fn timeout(&mut self, line: &Line) -> Result<(), String> {
        const NAMES: &[&str] = &[
            "client",
            "connect",
            "server",
            "check",
            "queue",
            "tunnel",
            "http-request",
            "http-keep-alive",
            "tarpit",
            "client-fin",
            "server-fin",
            "client-hs",
        ];
        let (name, value) = (line.word(1), line.word(2));
        if !NAMES.contains(&name) {
            return Err("'timeout' supports 'client', 'server', 'connect', 'check', 'queue', \
                'handshake', 'http-keep-alive', 'http-request', 'tunnel', 'tarpit', 'client-fin' \
                and 'server-fin'"
                .to_owned()
                + &format!(" (got '{name}')."));
        }
        let ms = conf::time(value).ok_or_else(|| {
            let bad = value.chars().find(|c| !c.is_ascii_digit()).unwrap_or(' ');
            match value.is_empty() {
                true => format!("'timeout {name}' expects an integer value (in milliseconds)"),
                false => format!("'timeout {name}' : unexpected character '{bad}'"),
            }
        })?;
        self.proxy.timeouts.insert(name.to_owned(), ms);
        Ok(())
    }

    fn option(&mut self, line: &Line) -> Result<(), String> {
        let option = line.word(1);
        if !conf::keywords("option").any(|own| own == option) {
            return Err(conf::unknown(option, "", "option")
                .replace("keyword", "option")
                .replace(" in '' section", ""));
        }
        if self.proxy.check.option(line) {
            // The kind of check is known now.
        } else if OPTIONS_SHOWN.split(' ').any(|own| own == option) {
            self.proxy.options.insert(option.to_owned());
        } else if matches!(option, "mysql-check" | "pgsql-check" | "ldap-check" | "smtpchk") {
            self.said.note(format!("option {option}; a connection is enough"));
        }
        Ok(())
    }

    fn acl(&mut self, line: &Line) -> Result<(), String> {
        let name = line.word(1).to_owned();
        let test = Test::parse(self.sys, line.rest(2));
        let test =
            test.map_err(|why| format!("error detected while parsing ACL '{name}' : {why}."))?;
        self.proxy.acls.push(Acl { name, test: Rc::new(test) });
        Ok(())
    }

    fn wrong(&mut self, wrong: Wrong, rule: &str) -> Result<(), String> {
        match wrong {
            Wrong::NotSimulated(what) => {
                self.said.note(what);
                Ok(())
            }
            Wrong::Alert(why) => {
                Err(format!("error detected while parsing a '{rule}' rule : {why}."))
            }
        }
    }

    fn tcp_rule(&mut self, line: &Line) -> Result<(), String> {
        match line.word(1) {
            "inspect-delay" => {
                let ms = conf::time(line.word(2));
                self.proxy.inspect_ms = Some(ms.ok_or(
                    "'tcp-request inspect-delay' expects a positive delay in milliseconds",
                )?);
                return Ok(());
            }
            "content" | "connection" | "session" => {}
            other => {
                return Err(format!(
                    "'tcp-request' expects 'inspect-delay', 'connection', \
                     'content' or 'session', but found '{other}'"
                )
                .replace("  ", " "));
            }
        }
        match TcpRule::parse(self.sys, line.rest(2), &self.proxy.acls) {
            Ok(rule) if line.word(1) == "content" => self.proxy.content_rules.push(rule),
            Ok(rule) => self.proxy.connection_rules.push(rule),
            Err(wrong) => return self.wrong(wrong, "tcp-request"),
        }
        Ok(())
    }

    fn http_rule(&mut self, line: &Line) -> Result<(), String> {
        let from = usize::from(line.word(0) != "redirect");
        match HttpRule::parse(self.sys, line.rest(from), &self.proxy.acls) {
            Ok(rule) if line.word(0) == "http-response" => self.proxy.answer_rules.push(rule),
            Ok(rule) => self.proxy.http_rules.push(rule),
            Err(wrong) => return self.wrong(wrong, line.word(0)),
        }
        Ok(())
    }

    fn stats(&mut self, line: &Line) -> Result<(), String> {
        match line.word(1) {
            "enable" => {
                self.proxy.stats_uri.get_or_insert_with(|| "/haproxy?stats".to_owned());
            }
            "uri" => self.proxy.stats_uri = Some(line.word(2).to_owned()),
            "auth" | "admin" | "http-request" => {
                self.said.note(format!("stats {}", line.word(1)));
            }
            "refresh" | "realm" | "hide-version" | "show-legends" | "show-node" | "show-desc"
            | "scope" | "show-modules" => {}
            other => {
                return Err(format!(
                    "unknown stats parameter '{other}', expects 'admin', 'uri', \
                    'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' \
                    or 'show-legends'."
                ));
            }
        }
        Ok(())
    }

    fn error_file(&mut self, line: &Line) -> Result<(), String> {
        let (code, path) = (line.word(1), line.word(2));
        let fail = || format!("'errorfile' : unable to open the file '{path}'.");
        let data = self.sys.peek_file(path).ok_or_else(fail)?;
        if let Ok(code) = code.parse() {
            self.proxy.error_files.insert(code, data);
        }
        Ok(())
    }
}
