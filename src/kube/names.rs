//! Which texts the server takes as a name, and its objections to the others, in its words.
//! Models staging/src/k8s.io/apimachinery/pkg/util/validation (v1.36).

/// `message (e.g. 'a',  or 'b', regex used for validation is 'r')`.
fn regex_error(message: &str, regex: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

fn is_lower_alnum(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// `[ends]([inner]*[ends])?`
fn framed(text: &str, ends: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => ends(*first) && ends(*last) && bytes.iter().all(|b| inner(*b)),
        _ => false,
    }
}

fn is_label(text: &str) -> bool {
    framed(text, is_lower_alnum, |b| is_lower_alnum(b) || b == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_name_part(text: &str) -> bool {
    framed(
        text,
        |b| b.is_ascii_alphanumeric(),
        |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b),
    )
}

fn longer(text: &str, max: usize, unit: &str, into: &mut Vec<String>) {
    if text.len() > max {
        into.push(format!("must be no more than {max} {unit}"));
    }
}

const LABEL_RE: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_RE: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const NAME_RE: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// RFC 1123 label, at most 63 bytes.
pub fn label(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    longer(text, 63, "characters", &mut found);
    if !is_label(text) {
        found.push(if is_subdomain(text) {
            "must not contain dots".to_owned()
        } else {
            regex_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character",
                LABEL_RE,
                &["my-name", "123-abc"],
            )
        });
    }
    found
}

/// RFC 1123 subdomain, at most 253 bytes.
pub fn subdomain(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    longer(text, 253, "characters", &mut found);
    if !is_subdomain(text) {
        found.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN_RE,
            &["example.com"],
        ));
    }
    found
}

/// A subdomain that begins with `*.`.
pub fn wildcard(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    longer(text, 253, "characters", &mut found);
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        found.push(regex_error(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS \
             subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and \
             end with an alphanumeric character",
            &format!("\\*\\.{SUBDOMAIN_RE}"),
            &["*.example.com"],
        ));
    }
    found
}

const NAME_TEXT: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start \
                         and end with an alphanumeric character";

/// A label key: a name with an optional `prefix/`.
pub fn qualified(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let examples = ["MyName", "my.name", "123-abc"];
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                found.push("prefix part must be non-empty".to_owned());
            } else {
                let in_bytes = |m: String| m.replace("253 characters", "253 bytes");
                let told = subdomain(prefix).into_iter().map(in_bytes);
                found.extend(told.map(|m| format!("prefix part {m}")));
            }
            name
        }
        _ => {
            let text = regex_error(&format!("a valid label key {NAME_TEXT}"), NAME_RE, &examples);
            let tail = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("{text} {tail}")];
        }
    };
    if name.is_empty() {
        found.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        found.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name_part(name) {
        found.push(regex_error(&format!("name part {NAME_TEXT}"), NAME_RE, &examples));
    }
    found
}

pub fn label_value(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    longer(text, 63, "bytes", &mut found);
    if !text.is_empty() && !is_name_part(text) {
        found.push(regex_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', \
             '_' or '.', and must start and end with an alphanumeric character",
            &format!("({NAME_RE})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    found
}

/// IANA service name, as ports are called.
pub fn port_name(text: &str) -> Vec<String> {
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let rules = [
        (text.len() > 15, "must be no more than 15 characters"),
        (
            text.is_empty() || !text.bytes().all(|b| alnum(b) || b == b'-'),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!text.bytes().any(|b| b.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (text.contains("--"), "must not contain consecutive hyphens"),
        (text.starts_with('-') || text.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    rules.iter().filter(|(wrong, _)| *wrong).map(|(_, m)| (*m).to_owned()).collect()
}

/// A key of a ConfigMap or Secret.
pub fn config_key(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    longer(text, 253, "characters", &mut found);
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if text.is_empty() || !text.bytes().all(good) {
        found.push(regex_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    if text == "." || text == ".." {
        found.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        found.push("must not start with '..'".to_owned());
    }
    found
}

pub fn env_name(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') {
        return Vec::new();
    }
    let text = "a valid environment variable name must consist only of printable ASCII characters \
                other than '='";
    vec![text.to_owned()]
}

pub fn http_header(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    vec![regex_error(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

pub fn percent(text: &str) -> Vec<String> {
    let digits = text.strip_suffix('%').unwrap_or("");
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    vec![regex_error(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// What may stand between two slashes of an API address.
pub fn path_segment(text: &str) -> Vec<String> {
    if text == "." || text == ".." {
        return vec![format!("may not be '{text}'")];
    }
    let bad = ["/", "%"];
    bad.iter().filter(|b| text.contains(**b)).map(|b| format!("may not contain '{b}'")).collect()
}

/// A path inside a volume: relative, and never out of it.
pub fn local_path(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.starts_with('/') {
        found.push("must be a relative path".to_owned());
    }
    if text.split('/').any(|part| part == "..") {
        found.push("must not contain '..'".to_owned());
    }
    found
}

/// A storage driver's name: a subdomain in any case, at most 63 bytes.
pub fn csi_driver(text: &str) -> Vec<String> {
    subdomain(&text.to_ascii_lowercase())
}

/// `acme.io/foo`.
pub fn domain_path(text: &str) -> Vec<String> {
    match text.split_once('/') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => subdomain(host),
        _ => vec!["must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned()],
    }
}
