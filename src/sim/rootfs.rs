//! What the root of a container holds, by its image: tools, programs, entrypoint. A program the
//! lab does not simulate is there all the same, says so, and never claims success.

use super::images::files::{self, Brought};
use super::images::{Image, Tools};
use crate::shell::machine::{Image as Root, Thing};
use crate::shell::programs::PROGRAMS;
use crate::shell::{Disposition, Program, SHELLS, Signal, Sys};
use crate::time::SimTime;

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
pub(super) fn of(image: &Image) -> Root {
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
        root.add(&path, Thing::Program(program(name)));
    }
    if let Some(script) = entrypoint_script(image) {
        root.add(&script, executable(&wrapper(image)));
    }
    if matches!(image.tools, Tools::Debian | Tools::Alpine) {
        root.add("/run", Thing::dir());
        root.add("/var/run", Thing::link("/run"));
        for dir in ["/opt", "/srv", "/mnt", "/media", "/var/log", "/var/lib", "/var/cache"] {
            root.add(dir, Thing::dir());
        }
    }
    bring(&mut root, image);
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

fn program(name: &str) -> Program {
    let base = name.rsplit('/').next().unwrap_or(name);
    let known = PROGRAMS.iter().find(|(known, _)| *known == base).map(|(_, program)| *program);
    let shell = BIG_SHELLS.contains(&base).then(|| SHELLS.first().map(|(_, sh)| *sh)).flatten();
    known.or(shell).unwrap_or(|sys, argv| Box::pin(placeholder(sys, argv)))
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

/// A program that is there and does nothing: as a container's first process it stays until it is
/// stopped, as any other it fails.
async fn placeholder(sys: Sys, argv: Vec<String>) -> i32 {
    let name = argv.first().cloned().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or("").to_owned();
    sys.not_simulated(&format!("the program {name}"), None);
    let text = format!("not simulated: the program {name}; nothing of it happens\n");
    let _ = sys.write(2, text.as_bytes()).await;
    if sys.pid() != 1 {
        return 127;
    }
    for signal in ["TERM", "INT", "QUIT", "USR1", "WINCH"].into_iter().filter_map(Signal::parse) {
        sys.set_signal(signal, Disposition::Catch);
    }
    while !sys.has_signals() {
        sys.sleep(SimTime::from_secs(3600)).await;
    }
    143
}
