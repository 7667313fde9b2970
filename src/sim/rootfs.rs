//! What the root of a container holds, by its image: tools, programs, entrypoint. A program the
//! lab does not simulate is there all the same, says so, and never claims success.

use super::images::files::{self, Brought};
use super::images::{Image, Tools};
use crate::order::Order;
use crate::shell::machine::{Image as Root, Thing};
use crate::shell::programs;
use crate::shell::{Program, SHELLS};

/// What Debian's and Ubuntu's images lack of busybox's tools.
const NOT_DEBIAN: &[&str] = &[
    "wget", "nc", "httpd", "nslookup", "telnet", "telnetd", "ftpd", "tftpd", "crond", "ps", "top",
    "ip", "ifconfig", "ping", "vi", "ash", "udhcpc", "netstat", "pstree", "killall", "watch",
    "free", "uptime", "less", "unzip", "bc", "dc", "xxd", "hexdump", "tcpsvd", "udpsvd",
];
/// What Alpine builds busybox without.
const NOT_ALPINE: &[&str] = &["httpd", "telnet", "telnetd", "ftpd", "tftpd", "tcpsvd", "udpsvd"];
/// Shells that our one stands for.
const BIG_SHELLS: &[&str] = &["bash", "dash", "zsh"];

/// The root file system of a container of this image.
/// A stand-in for an unknown image has whatever it is told to run.
pub(super) fn of(image: &Image, argv: &[String], ports: &[u16]) -> Root {
    let mut root = match image.tools {
        Tools::None => Root::scratch(),
        _ => Root::busybox(),
    };
    match image.tools {
        Tools::Debian => root.without(NOT_DEBIAN),
        Tools::Alpine => root.without(NOT_ALPINE),
        Tools::Busybox | Tools::None => {}
    }
    for name in image.programs() {
        let path = if name.starts_with('/') { name.to_owned() } else { format!("/usr/bin/{name}") };
        root.extend_program(&path, program(name));
    }
    if let Some(script) = entrypoint_script(image) {
        root.add(&script, executable(&wrapper(image)));
    }
    if image.tools == Tools::Alpine {
        root.add("/etc/alpine-release", Thing::file("3.22.2\n"));
    }
    if matches!(image.tools, Tools::Debian | Tools::Alpine) {
        root.add("/run", Thing::dir());
        root.add("/var/run", Thing::link("/run"));
        for dir in ["/opt", "/srv", "/mnt", "/media", "/var/log", "/var/lib", "/var/cache"] {
            root.add(dir, Thing::dir());
        }
    }
    bring(&mut root, image);
    let mut all: Vec<u16> = image.ports().chain(ports.iter().copied()).collect();
    all.order();
    all.dedup();
    let ports: Vec<String> = all.iter().map(ToString::to_string).collect();
    root.add(programs::PORTS, Thing::file(ports.join(" ")));
    if let Some((major, minor)) = image.version {
        root.add(programs::VERSION, Thing::file(format!("{major}.{minor}")));
    }
    if let Some(name) = argv.first().filter(|_| image.is_stand_in()) {
        let path = if name.contains('/') { name.clone() } else { format!("/usr/bin/{name}") };
        if !root.has(&format!("/bin/{name}")) && !root.has(&path) {
            root.extend_program(&path, program(name));
        }
    }
    root
}

/// Puts in what an image brings for its own program.
fn bring(root: &mut Root, image: &Image) {
    let (uid, gid) = (image.uid, image.gid);
    for (path, what) in files::of(image.name) {
        match what {
            Brought::Dir(mode) => root.add(path, Thing::Dir { mode, uid, gid }),
            Brought::Link(target) => root.add(path, Thing::link(target)),
            Brought::File { content, mode } => {
                root.add(path, Thing::File { content: content.into_bytes(), mode, uid, gid });
            }
            Brought::User(uid, gid) => root.add_user(path, uid, gid),
        }
    }
}

fn program(name: &str) -> Option<Program> {
    let base = name.rsplit('/').next().unwrap_or(name);
    let shell = BIG_SHELLS.contains(&base).then(|| SHELLS.first().map(|(_, sh)| *sh)).flatten();
    shell.or_else(|| programs::lookup(base))
}

/// The entrypoint script of images that have one.
fn entrypoint_script(image: &Image) -> Option<String> {
    let first = image.entrypoint().into_iter().next()?;
    let named = ["docker-entrypoint.sh", "entrypoint.sh", "docker-php-entrypoint"];
    let is_script = named.contains(&first.rsplit('/').next()?) && image.tools != Tools::None;
    let path = if first.starts_with('/') { first } else { format!("/usr/local/bin/{first}") };
    is_script.then_some(path)
}

/// What all official entrypoints do in the end: arguments alone belong to the image's program.
fn wrapper(image: &Image) -> String {
    let program = image.cmd().into_iter().next().unwrap_or_default();
    format!("#!/bin/sh\ncase \"$1\" in -*) set -- {program} \"$@\" ;; esac\nexec \"$@\"\n")
}

fn executable(text: &str) -> Thing {
    Thing::File { content: text.as_bytes().to_vec(), mode: 0o755, uid: 0, gid: 0 }
}
