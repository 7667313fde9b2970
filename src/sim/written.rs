//! Files that the kubelet writes for a pod: those of projected volumes, and those it puts into each
//! container. Not when they are written, which is the kubelet's.

use super::runtime::{SandboxSpec, VolumeSpec};
use crate::shell::machine::Thing;

fn put_file(content: &[u8], mode: u32, gid: u32) -> Thing {
    Thing::File { content: content.to_vec(), mode, uid: 0, gid }
}

/// What a ConfigMap's or Secret's volume holds whose files really are in `dir`.
// Models pkg/volume/util/atomic_writer.go Write (v1.36).
pub(super) fn projected_things(spec: &VolumeSpec, dir: &str) -> Vec<(String, Thing)> {
    let gid = spec.fs_group.unwrap_or(0);
    let mut things = vec![(format!("/{dir}"), Thing::Dir { mode: 0o755, uid: 0, gid })];
    for file in &spec.files {
        // With a group of its own, a volume's files can be read by that group.
        let mode = if spec.fs_group.is_some() { file.mode | 0o440 } else { file.mode };
        let path = format!("/{dir}/{}", file.path);
        things.push((path, put_file(&file.content, mode, gid)));
    }
    things.push(("/..data".to_owned(), Thing::link(dir)));
    things
}

/// The first names of a volume's files, each once: what is seen at its top.
pub(super) fn tops(spec: &VolumeSpec) -> Vec<String> {
    let mut tops: Vec<String> = Vec::new();
    for file in &spec.files {
        let top = file.path.split('/').next().unwrap_or("");
        if !tops.iter().any(|known| known == top) {
            tops.push(top.to_owned());
        }
    }
    tops
}

pub(super) fn top_link(top: &str) -> (String, Thing) {
    (format!("/{top}"), Thing::link(&format!("..data/{top}")))
}

/// Files the kubelet and the runtime put into each container.
pub(super) fn managed_files(spec: &SandboxSpec) -> Vec<(String, Thing)> {
    let mut hosts = String::from(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost \
         ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\n\
         fe00::2\tip6-allrouters\n",
    );
    hosts.push_str(&format!("{}\t{}\n", spec.ip, spec.hostname));
    if !spec.hosts.is_empty() {
        hosts.push_str("\n# Entries added by HostAliases.\n");
    }
    for (address, names) in &spec.hosts {
        hosts.push_str(&format!("{address}\t{}\n", names.join("\t")));
    }
    let search = spec.search.join(" ");
    let resolv = format!("search {search}\nnameserver 10.96.0.10\noptions ndots:5\n");
    vec![
        ("/etc/hosts".to_owned(), Thing::file(hosts)),
        ("/etc/resolv.conf".to_owned(), Thing::file(resolv)),
        ("/etc/hostname".to_owned(), Thing::file(format!("{}\n", spec.hostname))),
        ("/dev/termination-log".to_owned(), put_file(b"", 0o666, 0)),
    ]
}
