//! What trunk leaves undone, as its post_build hook: content hashes in the names of files that
//! index.html names, the security policy, and the service worker that keeps the lab offline.

use crate::fingerprint;
use crate::run::{Done, files, io};
use std::path::{Path, PathBuf};

/// Release only: trunk's reloading script while serving is inline. `wasm-unsafe-eval` lets wasm
/// compile and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'";

/// Not kept offline: read once by whoever wants them, or by the browser's own means.
const NOT_OFFLINE: &[&str] = &["sw.js", "licenses.txt", "editor-licenses.txt"];

struct Site {
    dir: PathBuf,
    html: String,
}

/// Entry: trunk says in the environment where the site is being put together.
pub fn hook() -> Done {
    let staging =
        std::env::var("TRUNK_STAGING_DIR").map_err(|_| "only trunk calls this".to_owned())?;
    let release = std::env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "release");
    publish(Path::new(&staging), release)
}

fn publish(dir: &Path, release: bool) -> Done {
    let index = dir.join("index.html");
    let html = io(&index, std::fs::read_to_string(&index))?;
    let mut site = Site { dir: dir.to_path_buf(), html };
    site.scripts()?;
    site.folder("worker")?;
    site.folder("lessons")?;
    site.drop_unhashed_styles()?;
    if release {
        site.html = with_policy(&site.html)?;
        let notices = dir.join("licenses.txt");
        io(&notices, std::fs::write(&notices, crate::notices::text()?))?;
    }
    io(&index, std::fs::write(&index, &site.html))?;
    site.service_worker(release)
}

/// The page with one name in its attributes changed; trunk's minifier may have dropped quotes.
/// A name that index.html lacks would be a page that does not start: say so now.
fn with_name(html: &str, old: &str, new: &str) -> Done<String> {
    let mut made = html.to_owned();
    for before in ["\"", "=", "/"] {
        for after in ["\"", " ", ">"] {
            let changed = format!("{before}{new}{after}");
            made = made.replace(&format!("{before}{old}{after}"), &changed);
        }
    }
    if made == html { Err(format!("index.html does not name `{old}`")) } else { Ok(made) }
}

/// The page with the folder of one address in its attributes changed.
fn with_folder(html: &str, old: &str, new: &str) -> Done<String> {
    let mut made = html.to_owned();
    for before in ["\"", "="] {
        made = made.replace(&format!("{before}{old}/"), &format!("{before}{new}/"));
    }
    if made == html { Err(format!("index.html does not name `{old}/`")) } else { Ok(made) }
}

/// The policy goes before anything it governs.
fn with_policy(html: &str) -> Done<String> {
    let (before, rest) = html.split_once("<meta charset").ok_or("index.html has no charset")?;
    let (charset, after) = rest.split_once('>').ok_or("index.html breaks off")?;
    let policy = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
    Ok(format!("{before}<meta charset{charset}>{policy}{after}"))
}

impl Site {
    fn read(&self, name: &str) -> Done<Vec<u8>> {
        let path = self.dir.join(name);
        io(&path, std::fs::read(&path))
    }

    fn rename(&self, old: &str, new: &str) -> Done {
        let path = self.dir.join(old);
        io(&path, std::fs::rename(&path, self.dir.join(new)))
    }

    /// Scripts from public/: those that index.html names get hashed names.
    fn scripts(&mut self) -> Done {
        for name in files(&self.dir) {
            if !name.ends_with(".js") || name.contains('/') || name == "sw.js" {
                continue;
            }
            // The page's own script, which trunk hashed.
            if name.starts_with("podlab-") {
                continue;
            }
            let hash = fingerprint::of(&[&self.read(&name)?]);
            let new = name.replace(".js", &format!("-{hash}.js"));
            if let Ok(html) = with_name(&self.html, &name, &new) {
                self.html = html;
                self.rename(&name, &new)?;
            }
        }
        Ok(())
    }

    /// A worker or lesson data of another version can't be used: the folder carries the hash.
    fn folder(&mut self, old: &str) -> Done {
        let mut contents = Vec::new();
        for name in files(&self.dir.join(old)) {
            contents.push(self.read(&format!("{old}/{name}"))?);
        }
        let parts: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let new = format!("{old}-{}", fingerprint::of(&parts));
        self.rename(old, &new)?;
        self.html = with_folder(&self.html, old, &new)?;
        Ok(())
    }

    /// public/ is copied whole, and its style sheets a second time by trunk under hashed names.
    fn drop_unhashed_styles(&self) -> Done {
        let all = files(&self.dir);
        for name in all.iter().filter_map(|name| name.strip_suffix(".css")) {
            let hashed = |other: &String| {
                let rest = other.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
                let hash = rest.and_then(|rest| rest.strip_suffix(".css"));
                hash.is_some_and(|h| h.len() >= 10 && h.chars().all(|c| c.is_ascii_hexdigit()))
            };
            if all.iter().any(hashed) {
                let path = self.dir.join(format!("{name}.css"));
                io(&path, std::fs::remove_file(&path))?;
            }
        }
        Ok(())
    }

    fn service_worker(&self, release: bool) -> Done {
        let path = self.dir.join("sw.js");
        if !release {
            return io(&path, std::fs::write(&path, include_str!("sw-none.js")));
        }
        let ours = |name: &String| !name.starts_with('.') && !name.starts_with("packs/");
        let keep = |name: &String| !NOT_OFFLINE.contains(&name.as_str()) && ours(name);
        let names: Vec<String> = files(&self.dir).into_iter().filter(keep).collect();
        let mut contents = Vec::new();
        for name in &names {
            contents.push(name.clone().into_bytes());
            contents.push(self.read(name)?);
        }
        let parts: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let list: Vec<String> = names.iter().map(|name| format!("\"./{name}\"")).collect();
        let script = include_str!("sw.js")
            .replace("VERSION_HERE", &fingerprint::of(&parts))
            .replace("\"FILES_HERE\"", &list.join(",\n  "));
        io(&path, std::fs::write(&path, script))
    }
}

#[cfg(test)]
mod tests {
    use super::{with_folder, with_name, with_policy};

    #[test]
    fn names_are_found_with_and_without_quotes() {
        let cases = [
            ("<meta content=\"a.js\">", "<meta content=\"a-1.js\">"),
            ("<meta content=a.js name=x>", "<meta content=a-1.js name=x>"),
            ("<script src=./a.js></script>", "<script src=./a-1.js></script>"),
        ];
        for (html, expected) in cases {
            assert_eq!(with_name(html, "a.js", "a-1.js").as_deref(), Ok(expected));
        }
        assert!(with_name("<meta content=ba.js>", "a.js", "a-1.js").is_err());
    }

    #[test]
    fn folders_are_found_with_and_without_quotes() {
        let cases = [
            ("<meta content=\"a/x.js\">", "<meta content=\"a-1/x.js\">"),
            ("<meta content=a/ name=x>", "<meta content=a-1/ name=x>"),
        ];
        for (html, expected) in cases {
            assert_eq!(with_folder(html, "a", "a-1").as_deref(), Ok(expected));
        }
        assert!(with_folder("<meta content=ba/x.js>", "a", "a-1").is_err());
    }

    #[test]
    fn the_policy_comes_first() {
        let html = with_policy("<html><meta charset=utf-8><script src=a.js></script>");
        let html = html.expect("a charset");
        assert!(html.find("Content-Security-Policy") < html.find("<script"), "{html}");
        assert!(with_policy("<html>").is_err());
    }
}
