//! Starting other programs and finding them; errors are sentences.

use std::path::{Path, PathBuf};
use std::process::Command;

pub type Done<T = ()> = Result<T, String>;

/// The project's folder.
pub fn root() -> PathBuf {
    let own = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| "tools/xtask".into());
    let own = Path::new(&own).to_path_buf();
    own.parent().and_then(Path::parent).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

pub fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// Runs to the end with the terminal's own output.
pub fn run(mut command: Command) -> Done {
    let words = words(&command);
    let status = command.status().map_err(|e| format!("`{words}` did not start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{words}` failed ({status})")) }
}

/// What a program says on its standard output, or None if it can't be run or fails.
pub fn ask(program: &str, args: &[&str]) -> Option<String> {
    let output = command(program, args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub fn words(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}

/// The first of `names` that is a file in one of PATH's folders.
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let tries = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    tries
        .map(|file| if cfg!(windows) { file.with_extension("exe") } else { file })
        .find(|f| f.is_file())
}

/// PATH with `first` in front.
pub fn path_with(first: &[PathBuf]) -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = first.iter().cloned().chain(std::env::split_paths(&old));
    std::env::join_paths(all).unwrap_or(old)
}

/// All files below `dir`, as paths relative to it with `/`, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, prefix: &str, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), into);
            } else {
                into.push(name);
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, "", &mut found);
    found.sort();
    found
}

/// An error of the file system as a sentence.
pub fn io<T>(path: &Path, result: std::io::Result<T>) -> Done<T> {
    result.map_err(|e| format!("{}: {e}", path.display()))
}
