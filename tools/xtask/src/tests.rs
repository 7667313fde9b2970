//! `cargo xtask test`: installs what tests need, runs all of them, ends with one plain line.

use crate::run::{Done, ask, command, on_path, run};
use crate::stages::{Count, Report, counted, once};
use crate::tools::{Tools, npm_ci, setup};
use crate::{site, sizes};
use std::process::Command;

const WASM: &str = "wasm32-unknown-unknown";
const STAGES: &[&str] = &[
    "format",
    "xtask",
    "clippy",
    "clippy-wasm",
    "native",
    "wasm",
    "editor",
    "site",
    "size",
    "e2e",
    "deny",
];

pub fn test(args: &[&str]) -> Done {
    let only: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
    if let Some(unknown) = only.iter().find(|name| !STAGES.contains(&name.as_str())) {
        return Err(format!("no stage `{unknown}`; there are: {}", STAGES.join(" ")));
    }
    println!("All stages take about 27 minutes on 2 cores the first time, 15 after that.");
    let mut report = Report::new(only);
    let mut tools = None;
    report.stage("setup", || {
        tools = Some(setup()?);
        prepare()
    });
    let Some(tools) = tools.or_else(|| setup().ok()) else {
        return report.close();
    };
    cargo_stages(&mut report, &tools);
    browser_stages(&mut report);
    report.stage("deny", deny);
    report.close()
}

/// Chromium and the npm packages.
fn prepare() -> Done<Count> {
    browser()?;
    npm_ci("editor")?;
    npm_ci("tests/e2e")?;
    Ok(Count { passed: 1, failed: 0 })
}

fn cargo(args: &[&str]) -> Command {
    command("cargo", args)
}

fn cargo_stages(report: &mut Report, tools: &Tools) {
    let own = ["--manifest-path", "tools/xtask/Cargo.toml", "--target-dir", "target/xtask"];
    let cut = ["--manifest-path", "tools/cut/Cargo.toml", "--target-dir", "target/cut"];
    report.stage("format", || {
        once(cargo(&["fmt", "--check"]))?;
        once(cargo(&["fmt", "--check", own[0], own[1]]))?;
        once(cargo(&["fmt", "--check", cut[0], cut[1]]))
    });
    report.stage("xtask", || counted(cargo(&[&["test", "--quiet"], &own[..]].concat())));
    report.stage("clippy", || {
        let warnings = ["--", "-D", "warnings"];
        for tool in [own, cut] {
            once(cargo(&[&["clippy", "--quiet"], &tool[..], &warnings].concat()))?;
        }
        once(cargo(&[&["clippy", "--locked", "--all-targets"], &warnings[..]].concat()))
    });
    report.stage("clippy-wasm", || {
        let what = ["clippy", "--locked", "--target", WASM, "--lib", "--bins", "--test", "web"];
        once(cargo(&[&what[..], &["--", "-D", "warnings"]].concat()))
    });
    report.stage("native", || {
        site::lessons()?;
        counted(cargo(&["test", "--locked"]))
    });
    report.stage("wasm", || {
        browser()?;
        let mut test =
            tools.command("cargo", &["test", "--locked", "--target", WASM, "--test", "web"]);
        test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &tools.test_runner);
        counted(test)
    });
}

fn browser_stages(report: &mut Report) {
    report.stage("editor", || {
        npm_ci("editor")?;
        once(command("node", &["editor/build.mjs", "--check"]))
    });
    let built = report.stage("site", || {
        site::release("./")?;
        sizes::print()?;
        Ok(Count { passed: 1, failed: 0 })
    });
    report.stage("size", || {
        need(built)?;
        let broken = sizes::over_budget(&sizes::measure()?);
        if broken.is_empty() { Ok(Count { passed: 1, failed: 0 }) } else { Err(broken.join("\n")) }
    });
    report.stage("e2e", || {
        need(built)?;
        browser()?;
        npm_ci("tests/e2e")?;
        counted(command("node", &["tests/e2e/run.mjs"]))
    });
}

fn need(built: bool) -> Done {
    if built { Ok(()) } else { Err("not run: there is no site to test".to_owned()) }
}

/// Licences, bans and sources. Advisories are left out: their database is on GitHub, and a day's
/// news should not break a build that was good.
fn deny() -> Done<Count> {
    let folder = crate::tools::cargo_deny()?;
    let program = folder.join("cargo-deny");
    once(command(&program.to_string_lossy(), &["--locked", "check", "licenses", "bans", "sources"]))
}

/// Chromium with its driver, from the system's packages when missing and allowed.
fn browser() -> Done {
    let chromium = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    if on_path(&chromium).is_some() && on_path(&["chromedriver"]).is_some() {
        return Ok(());
    }
    const INSTALL: &str = "apt-get install -y --no-install-recommends chromium chromium-driver";
    let is_root = ask("id", &["-u"]).is_some_and(|id| id == "0");
    if on_path(&["apt-get"]).is_none() || !is_root {
        return Err(format!(
            "The tests drive Chromium through chromedriver; install both, on Debian with\n  sudo {INSTALL}"
        ));
    }
    println!("Installing Chromium from the system's packages (about 130 MB, under a minute)");
    run(system("apt-get", &["update", "-q"]))?;
    let words: Vec<&str> = INSTALL.split(' ').collect();
    run(system(words[0], &words[1..]))
}

fn system(program: &str, args: &[&str]) -> Command {
    let mut made = command(program, args);
    made.env("DEBIAN_FRONTEND", "noninteractive");
    made
}
