//! Who and where: `id`, `whoami`, `groups`, `hostname`, `uname`, `nproc`, `tty`, `arch`, `uptime`.

use super::Answer;
use super::common::calendar::{Zone, strftime};
use super::common::users::Users;
use super::common::{Cx, Opts};

pub(super) async fn id(cx: &mut Cx) -> Answer {
    let opts = cx.opts("rgunGZ", "").await?;
    let users = Users::read(&cx.sys).await;
    let me = cx.sys.credentials();
    let (uid, gid, mut groups) = match opts.rest.first() {
        None => (me.uid, me.gid, me.groups.clone()),
        Some(name) => {
            let Some(uid) = users.uid(name) else {
                return Err(cx.die(&format!("unknown user {name}")).await);
            };
            (uid, users.group_of(name).unwrap_or(0), users.groups_with(name))
        }
    };
    // The line shows a process's groups as the kernel keeps them.
    let kept = opts.rest.is_empty() && groups.contains(&gid) && opts.last_of("ugG").is_none();
    if !kept {
        groups.retain(|group| *group != gid);
        groups.insert(0, gid);
    }
    let named = |id: u32, name: Option<String>| match name {
        Some(name) => format!("{id}({name})"),
        None => id.to_string(),
    };
    if let Some(letter) = opts.last_of("ugG") {
        return short(cx, &opts, letter, &users, (uid, gid, &groups)).await;
    }
    let mut line =
        format!("uid={} gid={}", named(uid, users.user(uid)), named(gid, users.group(gid)));
    let shown: Vec<String> = groups.iter().map(|g| named(*g, users.group(*g))).collect();
    line.push_str(&format!(" groups={}", shown.join(",")));
    cx.text(&(line + "\n")).await;
    Ok(0)
}

async fn short(
    cx: &mut Cx,
    opts: &Opts,
    letter: char,
    users: &Users,
    (uid, gid, groups): (u32, u32, &[u32]),
) -> Answer {
    let ids = match letter {
        'u' => vec![uid],
        'g' => vec![gid],
        _ => groups.to_vec(),
    };
    let mut words = Vec::new();
    for id in ids {
        let name = if letter == 'u' { users.user(id) } else { users.group(id) };
        match (opts.has('n'), name) {
            (true, Some(name)) => words.push(name),
            (true, None) => {
                cx.fail(&format!("unknown ID {id}")).await;
                words.push(id.to_string());
            }
            (false, _) => words.push(id.to_string()),
        }
    }
    cx.text(&(words.join(" ") + "\n")).await;
    Ok(cx.status)
}

pub(super) async fn groups(cx: &mut Cx) -> Answer {
    cx.argv = vec!["id".into(), "-Gn".into()];
    id(cx).await
}

pub(super) async fn whoami(cx: &mut Cx) -> Answer {
    let users = Users::read(&cx.sys).await;
    let uid = cx.sys.uid();
    match users.user(uid) {
        Some(name) => {
            cx.text(&(name + "\n")).await;
            Ok(0)
        }
        None => Err(cx.die(&format!("unknown uid {uid}")).await),
    }
}

pub(super) async fn hostname(cx: &mut Cx) -> Answer {
    let opts = cx.opts("sdif!F", "").await?;
    let name = cx.sys.hostname();
    if !opts.rest.is_empty() {
        return Err(cx.die("sethostname: Operation not permitted").await);
    }
    let text = match opts.last_of("sdif") {
        Some('i') => match cx.sys.resolve(&name).await.first() {
            Some(addr) => addr.to_string(),
            None => return Err(cx.die(&format!("can't resolve '{name}'")).await),
        },
        Some('d') => name.split_once('.').map_or("", |(_, domain)| domain).to_owned(),
        Some('s') => name.split('.').next().unwrap_or("").to_owned(),
        _ => name,
    };
    cx.text(&(text + "\n")).await;
    Ok(0)
}

pub(super) async fn uname(cx: &mut Cx) -> Answer {
    let longs = "all=a kernel-name=s nodename=n kernel-release=r kernel-version=v machine=m \
                 processor=p hardware-platform=i operating-system=o";
    let opts = cx.opts("snrvmpioa", longs).await?;
    let all = opts.has('a');
    let host = cx.sys.hostname();
    let parts: [(char, &str); 8] = [
        ('s', "Linux"),
        ('n', &host),
        ('r', "6.1.0"),
        ('v', "#1 SMP PREEMPT_DYNAMIC"),
        ('m', "x86_64"),
        ('p', "unknown"),
        ('i', "unknown"),
        ('o', "GNU/Linux"),
    ];
    let wanted = |letter: char| match all {
        true => letter != 'p' && letter != 'i',
        false => opts.has(letter),
    };
    let mut words: Vec<&str> =
        parts.iter().filter(|(letter, _)| wanted(*letter)).map(|(_, word)| *word).collect();
    if words.is_empty() {
        words.push("Linux");
    }
    cx.text(&(words.join(" ") + "\n")).await;
    Ok(0)
}

pub(super) async fn arch(cx: &mut Cx) -> Answer {
    cx.text("x86_64\n").await;
    Ok(0)
}

pub(super) async fn nproc(cx: &mut Cx) -> Answer {
    cx.text("2\n").await;
    Ok(0)
}

pub(super) async fn tty(cx: &mut Cx) -> Answer {
    let opts = cx.opts("s", "").await?;
    if !opts.has('s') {
        cx.text("not a tty\n").await;
    }
    Ok(1)
}

pub(super) async fn uptime(cx: &mut Cx) -> Answer {
    let text = cx.sys.read_file("/proc/uptime").await.unwrap_or_default();
    let (seconds, _) = super::sort::number(&text);
    let load = cx.sys.read_file("/proc/loadavg").await.unwrap_or_default();
    let load = String::from_utf8_lossy(&load).into_owned();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let now = cx.sys.wall_unix_micros().div_euclid(1_000_000);
    let clock = strftime(b" %H:%M:%S", now, &Zone::parse(""));
    let minutes = seconds as u64 / 60;
    let up = match (minutes / 1440, minutes / 60 % 24) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours:2}:{:02}", minutes % 60),
        (days, hours) => {
            let plural = if days == 1 { "" } else { "s" };
            format!("{days} day{plural}, {hours:2}:{:02}", minutes % 60)
        }
    };
    let line = format!(
        "{} up {up},  0 users,  load average: {}\n",
        String::from_utf8_lossy(&clock),
        load.join(", ")
    );
    cx.text(&line).await;
    Ok(0)
}
