//! The site: lesson data, then trunk over index.html, for serving while working or for keeps.

use crate::run::{Done, command, files, io, root, run};
use crate::{sizes, tools};
use std::path::Path;
use std::time::{Instant, SystemTime};

/// `cargo xtask serve`: debug checks on, compiled with some optimisation, rebuilt on change.
pub fn serve(args: &[&str]) -> Done {
    let port = match args {
        [] => "8080",
        ["--port", port] => *port,
        _ => return Err("usage: cargo xtask serve [--port N]".to_owned()),
    };
    let tools = tools::setup()?;
    println!("The lab will be at http://127.0.0.1:{port}/ once `success` is printed below;");
    println!("the first build takes about 6 minutes on 2 cores.");
    let mut trunk = tools.command("trunk", &["serve", "--locked", "--dist", "target/serve"]);
    trunk.args(["--port", port]);
    // Trunk refuses to start when one of these is absent, so they can't be in Trunk.toml.
    for quiet in ["target", "dist", "editor", "tests", "tools", "fuzz", "benches", "docs", ".git"] {
        if root().join(quiet).exists() {
            trunk.args(["--ignore", quiet]);
        }
    }
    run(trunk)
}

/// `cargo xtask build`: dist/, and what it weighs.
pub fn build(args: &[&str]) -> Done {
    let url = match args {
        [] => "./",
        ["--public-url", url] => *url,
        _ => return Err("usage: cargo xtask build [--public-url URL]".to_owned()),
    };
    release(url)?;
    sizes::print()
}

/// Builds dist/ with relative addresses unless told otherwise.
pub fn release(public_url: &str) -> Done {
    let started = Instant::now();
    let tools = tools::setup()?;
    lessons()?;
    let mut trunk = tools.command("trunk", &["build", "--release", "--locked"]);
    trunk.args(["--dist", "dist", "--public-url", public_url]);
    // The builder's own folders have no place in what visitors download.
    trunk.env("RUSTFLAGS", remap());
    run(trunk)?;
    println!(
        "dist/ is ready after {} s: any static file host will do",
        started.elapsed().as_secs()
    );
    Ok(())
}

fn remap() -> String {
    let home =
        std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|h| h + "/.cargo"));
    let cargo = home.unwrap_or_default() + "/registry/src";
    let here = root();
    format!("--remap-path-prefix={cargo}=/cargo --remap-path-prefix={}=/src", here.display())
}

/// Lesson folders -> target/lessons, the data a page loads.
pub fn lessons() -> Done {
    let args = ["run", "--quiet", "--locked", "--bin", "podlab", "--"];
    let mut make = command("cargo", &args);
    make.args(["lessons", "build", "target/lessons"]);
    run(make)
}

/// Before each build of trunk's. While serving, a lesson that does not read is a message and not
/// the end: the page is served with the data there was.
pub fn lessons_hook() -> Done {
    let release = std::env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "release");
    match lessons_if_changed() {
        Err(message) if !release => {
            println!("Lesson data is not up to date: {message}");
            let dir = root().join("target/lessons");
            io(&dir, std::fs::create_dir_all(&dir))
        }
        done => done,
    }
}

/// Makes lesson data when a lesson or what reads lessons is newer than it.
fn lessons_if_changed() -> Done {
    let made = root().join("target/lessons/index.bin");
    let made_at = made.metadata().and_then(|m| m.modified()).ok();
    let sources =
        ["lessons", "src/lesson", "src/cli"].iter().filter_map(|dir| newest(&root().join(dir)));
    if made_at.is_some() && sources.max() <= made_at { Ok(()) } else { lessons() }
}

fn newest(dir: &Path) -> Option<SystemTime> {
    let times =
        files(dir).into_iter().filter_map(|name| dir.join(name).metadata().ok()?.modified().ok());
    times.max()
}
