//! The pinned tools: found on PATH when the version matches, else installed below target/tools.

use crate::run::{self, Done, ask, command, io, on_path, root, run as go};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

const TRUNK: &str = "0.21.14";
const BINARYEN: &str = "132";
const DENY: &str = "0.20.2";
/// Takes the worker apart; goes with the version of `wasm_split_helpers` in Cargo.toml.
const SPLIT: &str = "0.2.4";

/// Where the tools are.
pub struct Tools {
    /// Folders to put first on PATH.
    pub folders: Vec<PathBuf>,
    pub test_runner: PathBuf,
}

impl Tools {
    /// A command that sees the pinned tools first.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut made = command(program, args);
        made.env("PATH", run::path_with(&self.folders));
        // Trunk's own stack traces would bury its sentence.
        made.env("RUST_BACKTRACE", "0");
        made
    }
}

/// Installs what is missing. Quick when nothing is.
pub fn setup() -> Done<Tools> {
    wasm_target()?;
    let mut tools = Tools { folders: vec![], test_runner: PathBuf::new() };
    let bindgen = bindgen_version()?;
    let node = node()?;
    tools.folders.push(crate_tool(&Crate {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: &bindgen,
        // Its published lock file names crates that have since been yanked.
        extra: &[],
        minutes: "2",
    })?);
    tools.test_runner = tools.folders[0].join("wasm-bindgen-test-runner");
    tools.folders.push(crate_tool(&Crate {
        package: "trunk",
        program: "trunk",
        version: TRUNK,
        // Its default features are TLS for serving and a check for updates.
        extra: &["--locked", "--no-default-features"],
        minutes: "4",
    })?);
    tools.folders.push(crate_tool(&Crate {
        package: "wasm_split_cli_support",
        program: "wasm-split-cli",
        version: SPLIT,
        extra: &["--locked", "--features", "build-binary"],
        minutes: "1",
    })?);
    tools.folders.push(wasm_opt(&node)?);
    Ok(tools)
}

/// cargo-deny, which only the tests need.
pub fn cargo_deny() -> Done<PathBuf> {
    let extra = &["--locked"];
    let (package, program, version) = ("cargo-deny", "cargo-deny", DENY);
    crate_tool(&Crate { package, program, version, extra, minutes: "2" })
}

fn folder() -> PathBuf {
    root().join("target/tools")
}

/// rust-toolchain.toml names the target too, but rustup may be told not to install by itself.
fn wasm_target() -> Done {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot =
        ask("rustc", &["--print", "sysroot"]).ok_or("Rust is missing: https://rustup.rs")?;
    if PathBuf::from(sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    println!("Adding Rust's {TARGET} target (a download of about 20 MB)");
    go(command("rustup", &["target", "add", TARGET]))
}

/// wasm-bindgen's command line has to be of exactly the version of the crate.
fn bindgen_version() -> Done<String> {
    let path = root().join("Cargo.lock");
    let lock = io(&path, std::fs::read_to_string(&path))?;
    let after = lock.split("name = \"wasm-bindgen\"\nversion = \"").nth(1);
    let version = after.and_then(|rest| rest.split('"').next());
    version.map(str::to_owned).ok_or_else(|| "Cargo.lock names no wasm-bindgen".to_owned())
}

fn node() -> Done<String> {
    const NEED: &str =
        "Node 20 or newer with npm is needed: https://nodejs.org or your system's packages";
    let version = ask("node", &["--version"]).ok_or(NEED)?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    if major.unwrap_or(0) < 20 || on_path(&["npm", "npm.cmd"]).is_none() {
        return Err(format!("{NEED} (found Node {version})"));
    }
    Ok(version)
}

struct Crate<'a> {
    package: &'a str,
    program: &'a str,
    version: &'a str,
    extra: &'a [&'a str],
    minutes: &'a str,
}

fn says_version(program: &str, version: &str) -> bool {
    ask(program, &["--version"]).is_some_and(|said| said.split_whitespace().any(|w| w == version))
}

/// Cargo keeps a list of what it installed; not every program tells its version.
fn is_installed(tool: &Crate) -> bool {
    let list = std::fs::read_to_string(folder().join(".crates.toml")).unwrap_or_default();
    let entry = format!("\"{} {} (", tool.package, tool.version);
    list.contains(&entry) && folder().join("bin").join(exe(tool.program)).is_file()
}

fn exe(program: &str) -> String {
    format!("{program}{}", std::env::consts::EXE_SUFFIX)
}

fn crate_tool(tool: &Crate) -> Done<PathBuf> {
    if let Some(path) = on_path(&[tool.program])
        && says_version(tool.program, tool.version)
        && let Some(dir) = path.parent()
    {
        return Ok(dir.to_path_buf());
    }
    let bin = folder().join("bin");
    if is_installed(tool) {
        return Ok(bin);
    }
    let Crate { package, version, minutes, .. } = tool;
    println!(
        "Compiling {package} {version} into target/tools, once: about {minutes} minutes on 2 cores"
    );
    let started = Instant::now();
    let root_dir = folder();
    let root_dir = root_dir.to_string_lossy();
    let mut args = vec!["install", package, "--version", version, "--root", &root_dir, "--quiet"];
    args.extend(tool.extra);
    // The crates that rewrite wasm are slow unoptimised, and they run at each build of the page.
    let hot = ["walrus", "wasmparser", "wasm-encoder", "wasm-bindgen-cli-support"];
    let hot: Vec<String> =
        hot.iter().map(|name| format!("profile.release.package.{name}.opt-level=2")).collect();
    for config in hot.iter().filter(|_| tool.program == "wasm-bindgen") {
        args.extend(["--config", config]);
    }
    let mut install = command("cargo", &args);
    for (key, value) in
        [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "16"), ("DEBUG", "0")]
    {
        install.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    install.env("CARGO_TARGET_DIR", folder().join("build"));
    go(install)?;
    println!("{package} {version} ready after {} s", started.elapsed().as_secs());
    Ok(bin)
}

fn wasm_opt(node: &str) -> Done<PathBuf> {
    let matches = |program: &str| says_version(program, BINARYEN);
    if let Some(path) = on_path(&["wasm-opt"])
        && matches("wasm-opt")
        && let Some(dir) = path.parent()
    {
        return Ok(dir.to_path_buf());
    }
    let home = folder().join("binaryen");
    let bin = home.join("node_modules/.bin");
    if matches(&bin.join("wasm-opt").to_string_lossy()) {
        return Ok(bin);
    }
    println!(
        "Installing wasm-opt {BINARYEN} from npm into target/tools (Node {node}, a few seconds)"
    );
    io(&home, std::fs::create_dir_all(&home))?;
    for name in ["package.json", "package-lock.json"] {
        let from = root().join("tools/binaryen").join(name);
        io(&from, std::fs::copy(&from, home.join(name)))?;
    }
    npm_ci(&home.to_string_lossy())?;
    Ok(bin)
}

/// Installs what the lock file of `dir` says, unless that was done already.
pub fn npm_ci(dir: &str) -> Done {
    let dir = root().join(dir);
    let lock = dir.join("package-lock.json");
    let stamp = dir.join("node_modules/.podlab-lock");
    let text = io(&lock, std::fs::read_to_string(&lock))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = command(npm, &["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    install.current_dir(&dir);
    go(install)?;
    io(&stamp, std::fs::write(&stamp, text))
}
