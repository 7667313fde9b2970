//! `getopt`: sorts a script's own options. Models util-linux/getopt.c and getopt_long(3).

use super::Answer;
use super::common::Cx;

/// A long option: its name and how many colons stand behind it.
type Long = (String, usize);

struct Getopt<'a> {
    /// Whose words the errors are.
    name: &'a str,
    /// Short options as getopt(3) takes them.
    short: &'a str,
    longs: &'a [Long],
    quote: bool,
    out: String,
    errors: Vec<String>,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let compatible = cx.sys.getenv("GETOPT_COMPATIBLE").is_some();
    let args = cx.args().to_vec();
    let Some(first) = args.first() else {
        if compatible {
            cx.text(" --\n").await;
            return Ok(0);
        }
        return Err(cx.die("missing optstring argument").await);
    };
    if compatible || !first.starts_with('-') {
        let short = first.trim_start_matches(['-', '+']).to_owned();
        let getopt = Getopt::new("getopt", &short, &[], false);
        return getopt.parse(cx, &args[1..], false, false).await;
    }
    let words = "options=o longoptions=l quiet=q quiet-output=Q shell=s test=T unquoted=u name=n \
                 alternative=a";
    let opts = cx.opts("+o:n:qQs:Tul:!a", words).await?;
    if let Some(shell) = opts.value('s') {
        match shell {
            "sh" | "bash" => {}
            "csh" | "tcsh" => return Err(cx.not_simulated("-s csh").await),
            _ => cx.err(&format!("getopt: unknown shell '{shell}', assuming bash\n")).await,
        }
    }
    if opts.has('T') {
        return Ok(4);
    }
    let mut longs = Vec::new();
    let words = opts.values('l').flat_map(|list| list.split([',', ' ', '\t', '\n']));
    for word in words.filter(|word| !word.is_empty()) {
        let bare = word.trim_end_matches(':');
        if bare.is_empty() {
            return Err(cx.die("empty long option specified").await);
        }
        longs.push((bare.to_owned(), (word.len() - bare.len()).min(2)));
    }
    let mut rest = &opts.rest[..];
    let short = match (opts.value('o'), rest.split_first()) {
        (Some(short), _) => short.to_owned(),
        (None, Some((short, others))) => {
            rest = others;
            short.clone()
        }
        (None, None) => return Err(cx.die("missing optstring argument").await),
    };
    let name = opts.value('n').unwrap_or("getopt");
    let getopt = Getopt::new(name, &short, &longs, !opts.has('u'));
    getopt.parse(cx, rest, opts.has('q'), opts.has('Q')).await
}

impl<'a> Getopt<'a> {
    fn new(name: &'a str, short: &'a str, longs: &'a [Long], quote: bool) -> Getopt<'a> {
        Getopt { name, short, longs, quote, out: String::new(), errors: Vec::new() }
    }

    async fn parse(
        mut self,
        cx: &mut Cx,
        args: &[String],
        no_errors: bool,
        no_output: bool,
    ) -> Answer {
        let stops = self.short.starts_with('+') || cx.sys.getenv("POSIXLY_CORRECT").is_some();
        let in_order = self.short.starts_with('-');
        self.short = self.short.trim_start_matches(['+', '-', ':']);
        let (mut at, mut others) = (0, Vec::new());
        while let Some(arg) = args.get(at) {
            at += 1;
            match arg.strip_prefix("--") {
                Some("") => break,
                Some(long) => self.long(long, args, &mut at),
                None if arg.len() > 1 && arg.starts_with('-') => {
                    self.short(&arg[1..], args, &mut at);
                }
                None if in_order => self.value(arg),
                None => {
                    others.push(arg.clone());
                    if stops {
                        break;
                    }
                }
            }
        }
        others.extend(args.iter().skip(at).cloned());
        self.out.push_str(" --");
        for other in others {
            self.value(&other);
        }
        if !no_output {
            cx.text(&(self.out.clone() + "\n")).await;
        }
        for error in &self.errors {
            if !no_errors {
                cx.err(&format!("{}: {error}\n", self.name)).await;
            }
        }
        Ok(i32::from(!self.errors.is_empty()))
    }

    fn value(&mut self, value: &str) {
        self.out.push(' ');
        match self.quote {
            true => self.out.push_str(&format!("'{}'", value.replace('\'', "'\\''"))),
            false => self.out.push_str(value),
        }
    }

    fn short(&mut self, letters: &str, args: &[String], at: &mut usize) {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let Some(place) = self.short.find(letter).filter(|_| letter != ':') else {
                self.errors.push(format!("invalid option -- '{letter}'"));
                continue;
            };
            let behind = &self.short[place + letter.len_utf8()..];
            if !behind.starts_with(':') {
                self.out.push_str(&format!(" -{letter}"));
                continue;
            }
            let mut value = std::mem::take(&mut rest).to_owned();
            if value.is_empty() && !behind.starts_with("::") {
                let Some(next) = args.get(*at) else {
                    self.errors.push(format!("option requires an argument -- '{letter}'"));
                    return;
                };
                *at += 1;
                value.clone_from(next);
            }
            self.out.push_str(&format!(" -{letter}"));
            self.value(&value);
        }
    }

    fn long(&mut self, text: &str, args: &[String], at: &mut usize) {
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let exact = self.longs.iter().find(|(long, _)| long == name);
        let fits: Vec<&Long> = match exact {
            Some(long) => vec![long],
            None => self.longs.iter().filter(|(long, _)| long.starts_with(name)).collect(),
        };
        let (long, n_colons) = match fits[..] {
            [long] => long,
            [] => return self.errors.push(format!("unrecognized option '--{name}'")),
            _ => {
                let all: Vec<String> = fits.iter().map(|(long, _)| format!("'--{long}'")).collect();
                let all = all.join(" ");
                return self
                    .errors
                    .push(format!("option '--{name}' is ambiguous; possibilities: {all}"));
            }
        };
        let value = match (n_colons, joined) {
            (0, Some(_)) => {
                return self.errors.push(format!("option '--{long}' doesn't allow an argument"));
            }
            (1, None) => match args.get(*at) {
                Some(next) => {
                    *at += 1;
                    next.clone()
                }
                None => {
                    return self.errors.push(format!("option '--{long}' requires an argument"));
                }
            },
            (_, joined) => joined.unwrap_or_default(),
        };
        self.out.push_str(&format!(" --{long}"));
        if *n_colons > 0 {
            self.value(&value);
        }
    }
}
