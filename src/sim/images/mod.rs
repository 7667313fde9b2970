//! What the node's registries hold: well-known images and how their containers start. Data in
//! `table.tsv`; knows no pod.

pub mod badges;
pub mod files;
mod reference;

pub use reference::{Reference, parse};

const TABLE: &str = include_str!("table.tsv");

/// What an image says about the containers made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// Without registry for Docker Hub, without tag.
    pub name: &'static str,
    entrypoint: &'static str,
    cmd: &'static str,
    /// As USER says: empty for root, a number, or a name.
    pub user: &'static str,
    pub uid: u32,
    pub gid: u32,
    pub dir: &'static str,
    /// Without `SIG`.
    pub stop_signal: &'static str,
    /// What a pull brings, compressed.
    pub megabytes: u32,
    pub tools: Tools,
    ports: &'static str,
    env: &'static str,
    programs: &'static str,
    /// What the tag says, where it begins with numbers: 1.27 of `1.27-alpine`.
    pub version: Option<(u16, u16)>,
}

/// Which commands a container of the image has besides its own program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// All of busybox.
    Busybox,
    /// Busybox as Alpine builds it.
    Alpine,
    /// A shell and core utilities.
    Debian,
    /// Not even a shell.
    None,
}

impl Image {
    /// Whether it stands in for an image nobody described.
    pub fn is_stand_in(&self) -> bool {
        self.name.is_empty()
    }

    pub fn entrypoint(&self) -> Vec<String> {
        words(self.entrypoint)
    }

    pub fn cmd(&self) -> Vec<String> {
        words(self.cmd)
    }

    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.ports.split(' ').filter_map(|p| p.parse().ok())
    }

    /// Its programs beside those of its tools: names, or absolute paths.
    pub fn programs(&self) -> impl Iterator<Item = &'static str> {
        self.programs.split(' ').filter(|name| !name.is_empty())
    }

    pub fn env(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.env.split(' ').filter_map(|pair| pair.split_once('='))
    }
}

/// Words separated by spaces, where `'...'` holds one together.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut inside, mut quoted) = (false, false);
    for ch in text.chars() {
        match ch {
            '\'' => quoted = !quoted,
            ' ' if !quoted => inside = false,
            _ => {
                if !inside {
                    out.push(String::new());
                    inside = true;
                }
                out.last_mut().into_iter().for_each(|word| word.push(ch));
            }
        }
    }
    out
}

fn row(line: &'static str) -> Option<Image> {
    let mut cells = line.split('\t');
    let mut next = || cells.next();
    let name = next().filter(|name| !name.starts_with('#') && !name.is_empty())?;
    let (entrypoint, cmd, user) = (next()?, next()?, next()?);
    let (uid, gid) = next()?.split_once(':')?;
    let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
    let (dir, stop_signal) = (next()?, next()?);
    let megabytes = next()?.parse().ok()?;
    let tools = match next()? {
        "busybox" => Tools::Busybox,
        "alpine" => Tools::Alpine,
        "debian" => Tools::Debian,
        _ => Tools::None,
    };
    let (ports, env, programs) = (next()?, next()?, next()?);
    Some(Image {
        name,
        entrypoint,
        cmd,
        user,
        uid,
        gid,
        dir,
        stop_signal,
        megabytes,
        tools,
        ports,
        env,
        programs,
        version: None,
    })
}

/// The known image an image field names, whatever its tag; None where no registry we know of
/// has one.
pub fn find(image: &str) -> Option<Image> {
    let reference = parse(image).ok()?;
    let name = reference.familiar_name();
    let mut found = TABLE.lines().filter_map(row).find(|image| image.name == name)?;
    // Variants on Alpine bring its tools.
    if found.tools == Tools::Debian && reference.tag.contains("alpine") {
        found.tools = Tools::Alpine;
    }
    found.version = version(&reference.tag);
    Some(found)
}

/// Major and minor number at the front of a tag; a minor one that is missing is taken as 99.
fn version(tag: &str) -> Option<(u16, u16)> {
    let tag = tag.trim_start_matches('v');
    let mut parts = tag.split(['.', '-', '_']);
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().and_then(|minor| minor.parse().ok()).unwrap_or(99)))
}

/// Whether a tag of a known image looks like one that was ever published.
fn is_published(reference: &Reference) -> bool {
    const WORDS: &[&str] = &[
        "latest",
        "alpine",
        "slim",
        "stable",
        "mainline",
        "edge",
        "musl",
        "glibc",
        "uclibc",
        "bookworm",
        "bullseye",
        "trixie",
        "noble",
        "jammy",
        "focal",
        "lts",
        "debug",
        "nonroot",
        "main",
        "distroless",
        "nightly",
        "unstable",
        "perl",
        "otel",
        "fpm",
        "apache",
    ];
    let tag = reference.tag.trim_start_matches('v');
    reference.digest
        || tag.starts_with(|c: char| c.is_ascii_digit())
        || WORDS.iter().any(|word| tag.starts_with(word))
}

/// Registries that answer, though not with images nobody published.
const REGISTRIES: &[&str] = &[
    "docker.io",
    "registry.k8s.io",
    "k8s.gcr.io",
    "gcr.io",
    "quay.io",
    "ghcr.io",
    "public.ecr.aws",
    "mcr.microsoft.com",
    "docker.elastic.co",
    "lscr.io",
];

/// What stands in for an image the lab has never heard of. Its program takes connections on the
/// ports the container declares, and says once that it is a stand-in.
const STAND_IN: Image = Image {
    name: "",
    entrypoint: "",
    cmd: STAND_IN_PROGRAM,
    user: "",
    uid: 0,
    gid: 0,
    dir: "/",
    stop_signal: "TERM",
    megabytes: 50,
    tools: Tools::Alpine,
    ports: "",
    env: "",
    programs: STAND_IN_PROGRAM,
    version: None,
};

/// The stand-in's program.
pub const STAND_IN_PROGRAM: &str = "/app";

/// Whether an image that is in no table may exist: one under somebody's own name on a registry
/// that answers, and not just a slip of the pen in a name that is known.
fn may_exist(reference: &Reference) -> bool {
    let name = reference.familiar_name();
    let known = || TABLE.lines().filter_map(row).map(|image| image.name);
    let own = reference.domain != "docker.io" || name.contains('/');
    let answers = REGISTRIES.contains(&reference.domain.as_str());
    own && answers && !known().any(|own| own == name || is_slip(own, &name))
}

/// Whether one letter more, less or other makes one text of the other.
fn is_slip(a: &str, b: &str) -> bool {
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a.as_bytes()[common..], &b.as_bytes()[common..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    a.len().max(b.len()) - tail.min(a.len().min(b.len())) <= 1
}

/// An image that somebody put into a registry: a known one under another tag, or one the lab knows
/// nothing of.
pub fn published(image: &str) -> Image {
    find(image).unwrap_or(STAND_IN)
}

/// What pulling comes to: the image, or the runtime's error text.
// Models containerd client/pull.go and core/remotes/docker/resolver.go.
pub fn pull(image: &str) -> Result<Image, String> {
    let reference = parse(image)?;
    if may_exist(&reference) {
        return Ok(STAND_IN);
    }
    if let Some(found) = find(image)
        && is_published(&reference)
    {
        return Ok(found);
    }
    let full = reference.full();
    let why = match reference.domain.as_str() {
        _ if find(image).is_some() => format!("{full}: not found"),
        "docker.io" => "pull access denied, repository does not exist or may require \
                        authorization: server message: insufficient_scope: authorization failed"
            .to_owned(),
        "ghcr.io" => format!(
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET \
             request to https://ghcr.io/token?scope=repository%3A{}%3Apull&service=ghcr.io: \
             403 Forbidden",
            reference.path.replace('/', "%2F")
        ),
        domain if REGISTRIES.contains(&domain) => format!("{full}: not found"),
        domain => {
            let host = domain.split(':').next().unwrap_or(domain);
            format!(
                "failed to do request: Head \"https://{domain}/v2/{}/manifests/{}\": dial tcp: \
                 lookup {host} on 10.96.0.10:53: no such host",
                reference.path, reference.tag
            )
        }
    };
    Err(format!(
        "failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_reads_and_names_itself() {
        let lines = TABLE.lines().filter(|l| !l.starts_with('#'));
        for line in lines {
            let image = row(line).unwrap_or_else(|| panic!("cannot read {line:?}"));
            assert_eq!(find(image.name).map(|i| i.name), Some(image.name), "{line}");
        }
        assert_eq!(row("short\trow"), None);
    }

    #[test]
    fn what_pulling_comes_to() {
        let cases = [
            ("busybox", "ok"),
            ("nginx:1.27-alpine", "ok"),
            ("docker.io/library/redis:7", "ok"),
            ("busybox:nosuchtag", "docker.io/library/busybox:nosuchtag: not found"),
            ("web-app:v2.0", "pull access denied, repository does not exist"),
            ("team/web-app:v2.0", "ok"),
            ("hashicorp/http-ech", "pull access denied, repository does not exist"),
            ("busybx", "pull access denied, repository does not exist"),
            ("registry.invalid/a/b:v9", "https://registry.invalid/v2/a/b/manifests/v9"),
            ("Bad Image::name", "repository name (library/Bad Image) must be lowercase"),
        ];
        for (image, expected) in cases {
            let got = pull(image).map_or_else(|error| error, |_| "ok".to_owned());
            assert!(got.contains(expected), "{image}: {got}");
        }
        let nginx = find("nginx").expect("known");
        assert_eq!(nginx.cmd(), ["nginx", "-g", "daemon off;"]);
    }
}
