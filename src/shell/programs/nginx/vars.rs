//! nginx's variables: which names there are, and texts with variables in them.

use super::conf::Directive;

const KNOWN: &str = " arg args binary_remote_addr body_bytes_sent bytes_sent connection \
    connection_requests connection_time content_length content_type document_root document_uri \
    host hostname https is_args limit_rate msec nginx_version pid pipe proxy_add_x_forwarded_for \
    proxy_host proxy_port proxy_protocol_addr query_string realpath_root remote_addr remote_port \
    remote_user request request_body request_completion request_filename request_id \
    request_length request_method request_time request_uri scheme sent_http server_addr \
    server_name server_port server_protocol ssl_protocol ssl_cipher status tcpinfo_rtt \
    time_iso8601 time_local upstream_addr upstream_cache_status upstream_connect_time \
    upstream_header_time upstream_response_length upstream_response_time upstream_status uri \
    connections_active connections_reading connections_writing connections_waiting \
    gzip_ratio limit_req_status limit_conn_status invalid_referer request_body_file \
    upstream_bytes_received upstream_bytes_sent ssl_server_name realip_remote_addr \
    proxy_protocol_port ssl_client_verify ssl_client_s_dn ";

const PREFIXES: &[&str] =
    &["http_", "arg_", "cookie_", "sent_http_", "upstream_http_", "upstream_cookie_"];

/// Directives whose arguments may hold variables.
const WITH_VARIABLES: &str = " return add_header proxy_set_header log_format proxy_pass root alias \
    set if rewrite try_files map access_log error_page expires sub_filter proxy_set_body index ";

/// Pieces of a text: (is a variable, text or name). A lone `$` is nothing nginx takes.
pub(super) fn pieces(text: &str) -> Option<Vec<(bool, &str)>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if at > 0 {
            out.push((false, &rest[..at]));
        }
        rest = &rest[at + 1..];
        if let Some(inner) = rest.strip_prefix('{') {
            let (name, after) = inner.split_once('}')?;
            out.push((true, name));
            rest = after;
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        // A group of a regular expression is one digit.
        let end = if rest.as_bytes()[0].is_ascii_digit() { 1 } else { end };
        out.push((true, &rest[..end]));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        out.push((false, rest));
    }
    Some(out)
}

/// Whether all variables used are ones there are.
pub(super) fn check(http: &Directive) -> Result<(), String> {
    let mut own: Vec<&str> = Vec::new();
    each(http, &mut |directive| {
        let name = match directive.name.as_str() {
            "set" => directive.arg(0),
            "map" | "split_clients" => directive.arg(1),
            "geo" => directive.args.last().map_or("", String::as_str),
            "auth_request_set" => directive.arg(0),
            _ => return Ok(()),
        };
        own.extend(name.strip_prefix('$'));
        Ok(())
    })?;
    each(http, &mut |directive| {
        if !is_in(WITH_VARIABLES, &directive.name) {
            return Ok(());
        }
        let is_regex = |idx: usize| match directive.name.as_str() {
            "rewrite" => idx == 0,
            "if" => idx > 0,
            _ => false,
        };
        for (_, arg) in directive.args.iter().enumerate().filter(|(idx, _)| !is_regex(*idx)) {
            let Some(found) = pieces(arg) else {
                return Err(format!("invalid variable name in {}", directive.place));
            };
            for (_, name) in found.iter().filter(|(is_variable, _)| *is_variable) {
                let known = is_in(KNOWN, name)
                    || own.contains(name)
                    || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                    || name.chars().all(|c| c.is_ascii_digit());
                if !known {
                    return Err(format!("unknown \"{name}\" variable"));
                }
            }
        }
        Ok(())
    })
}

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|w| w == word) && !word.is_empty()
}

fn each<'d>(
    block: &'d Directive,
    visit: &mut dyn FnMut(&'d Directive) -> Result<(), String>,
) -> Result<(), String> {
    for directive in &block.block {
        visit(directive)?;
        each(directive, visit)?;
    }
    Ok(())
}
