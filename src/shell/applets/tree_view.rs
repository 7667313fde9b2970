//! `tree`: directories drawn with lines.

use super::Answer;
use super::common::{Cx, tree};
use crate::shell::FileType;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let mut paths = cx.args().to_vec();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let (mut n_dirs, mut n_files) = (0_u64, 0_u64);
    for path in paths {
        if !tree::is_dir(&cx.sys, &path) {
            cx.text(&format!("{path} [error opening dir]\n")).await;
            continue;
        }
        cx.text(&format!("{path}\n")).await;
        // (path, name, what is drawn before it, whether it is the last of its directory)
        let mut open = children(cx, &path, "");
        while let Some((at, name, front, last)) = open.pop() {
            let branch = if last { "└── " } else { "├── " };
            let stat = cx.sys.lstat(&at).ok();
            let kind = stat.map(|s| s.file_type);
            let target = match kind {
                Some(FileType::Symlink) => {
                    format!(" -> {}", cx.sys.readlink(&at).unwrap_or_default())
                }
                _ => String::new(),
            };
            cx.text(&format!("{front}{branch}{name}{target}\n")).await;
            if kind == Some(FileType::Dir) {
                n_dirs += 1;
            } else {
                n_files += 1;
            }
            if kind == Some(FileType::Dir) && front.chars().count() < 4 * tree::DEPTH_MAX {
                let below = format!("{front}{}", if last { "    " } else { "│   " });
                open.append(&mut children(cx, &at, &below));
            }
            cx.sys.tick().await;
        }
    }
    cx.text(&format!("\n{n_dirs} directories, {n_files} files\n")).await;
    Ok(0)
}

type Row = (String, String, String, bool);

/// What is in a directory, the last first.
fn children(cx: &Cx, dir: &str, front: &str) -> Vec<Row> {
    let mut names = cx.sys.readdir(dir).unwrap_or_default();
    names.retain(|name| !name.starts_with('.'));
    let rows = names.iter().rev().enumerate();
    rows.map(|(i, name)| (tree::join(dir, name), name.clone(), front.to_owned(), i == 0)).collect()
}
