//! Programs of the busybox image, by name: a file each where they are more than tiny.
//! Models busybox 1.36 with its default configuration.

mod awk;
mod base64;
mod calc;
mod cat;
mod chmod;
mod common;
mod copy;
mod cp;
mod cut;
mod date;
mod deflate;
mod diff;
mod dirs;
mod disk;
mod dump;
mod echo;
mod env;
mod expr;
mod find;
mod find_expr;
mod flock;
mod getopt;
mod grep;
mod gzip;
mod hash;
mod head;
mod httpd;
mod lines;
mod ls;
mod names;
mod nc;
mod netinfo;
mod printf;
mod procs;
mod rm;
mod run;
mod sed;
mod seq;
mod sleep;
mod small;
mod sort;
mod tail;
mod tar;
mod tee;
mod test;
mod top;
mod touch;
mod tr;
mod tree_view;
mod uniq;
mod wc;
mod wget;
mod who;
mod xargs;

use crate::part::part;
use crate::shell::Sys;
pub(in crate::shell) use base64::encode as base64_encode;
use common::Cx;
pub use echo::echo;
pub use printf::{Printed, printf};
use std::future::Future;
use std::pin::Pin;
pub use test::test;

/// A program: it gets its process and its arguments (the name first) and answers its exit code.
pub type Program = fn(Sys, Vec<String>) -> Pin<Box<dyn Future<Output = i32>>>;

/// What an applet's function gives: its exit code, or the one it ended early with.
type Answer = Result<i32, common::cx::Stop>;

/// One applet: its name, the end of its usage line and its function.
pub(crate) struct Applet {
    name: &'static str,
    usage: &'static str,
    run: for<'a> fn(&'a mut Cx) -> Pin<Box<dyn Future<Output = Answer> + 'a>>,
}

async fn start(sys: Sys, argv: Vec<String>, applet: &'static Applet) -> i32 {
    let mut cx = Cx::new(sys, argv, applet);
    let code = (applet.run)(&mut cx).await.unwrap_or_else(|code| code);
    cx.finish(code).await
}

// `core` applets are there from the start; `more` come with a part of their own. Each: its name,
// its function and the end of its usage line.
macro_rules! applets {
    (
        core { $($core:literal $core_run:path, $core_usage:literal;)* }
        more { $($more:literal $more_run:path, $more_usage:literal;)* }
    ) => {
        /// Every applet: the image gets `/bin/NAME` for each.
        pub const APPLETS: &[(&str, Program)] = &[
            $(($core, applets!(run $core $core_run, $core_usage)),)*
            $(($more, |sys, argv| Box::pin(later(sys, argv, $more))),)*
        ];
        /// The applets that a browser loads when one is first run.
        const MORE_APPLETS: &Programs =
            &[$(($more, applets!(run $more $more_run, $more_usage)),)*];
    };
    (run $name:literal $run:path, $usage:literal) => {
        |sys, argv| {
            static APPLET: Applet =
                Applet { name: $name, usage: $usage, run: |cx| Box::pin($run(cx)) };
            Box::pin(start(sys, argv, &APPLET))
        }
    };
}

/// Programs by the name they are called by.
pub type Programs = [(&'static str, Program)];

part! { MORE: Programs = MORE_APPLETS, in Programs; }

/// Runs the program of that name in a part. Of a part that isn't there no program ever returns,
/// since all that waits for it is done again when it is.
pub(super) async fn run_from(
    part: Option<&Programs>,
    sys: Sys,
    argv: Vec<String>,
    name: &str,
) -> i32 {
    match part.and_then(|programs| programs.iter().find(|(known, _)| *known == name)) {
        Some((_, program)) => program(sys, argv).await,
        None => std::future::pending().await,
    }
}

async fn later(sys: Sys, argv: Vec<String>, name: &'static str) -> i32 {
    run_from(loaded(), sys, argv, name).await
}

applets! {
    core {
        "[" test::run, "EXPRESSION ]";
        "[[" test::run, "EXPRESSION ]]";
        "mkdir" dirs::mkdir, "[-m MODE] [-p] DIRECTORY...";
        "rm" rm::run, "[-irf] FILE...";
        "touch" touch::run, "[-cham] [-d DATE] [-t DATE] [-r FILE] FILE...";
        "basename" names::basename, "FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...";
        "cat" cat::run, "[-nbvteA] [FILE]...";
        "date" date::run, "[OPTIONS] [+FMT] [[-s] TIME]";
        "dirname" names::dirname, "FILENAME";
        "echo" echo::run, "[-neE] [ARG]...";
        "egrep" grep::egrep, "PATTERN [FILE]...";
        "env" env::run, "[-iu] [-] [name=value]... [PROG ARGS]";
        "false" env::no, "";
        "fgrep" grep::fgrep, "PATTERN [FILE]...";
        "grep" grep::run, "[-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...";
        "head" head::run, "[OPTIONS] [FILE]...";
        "printenv" env::printenv, "[VARIABLE]...";
        "printf" printf::run, "FORMAT [ARG]...";
        "pwd" names::pwd, "";
        "seq" seq::run, "[-w] [-s SEP] [FIRST [INC]] LAST";
        "sleep" sleep::run, "[N]...";
        "tail" tail::run, "[OPTIONS] [FILE]...";
        "test" test::run, "EXPRESSION";
        "true" env::yes_exit, "";
        "wc" wc::run, "[-cmlwL] [FILE]...";
        "which" names::which, "[-a] COMMAND...";
    }
    more {
        "arch" who::arch, "";
        "chgrp" chmod::chgrp, "[-RhLHP]... GROUP FILE...";
        "chmod" chmod::chmod, "[-R] MODE[,MODE]... FILE...";
        "chown" chmod::chown, "[-RhLHP]... USER[:[GRP]] FILE...";
        "cp" cp::cp, "[-arPLHpfinlsTu] SOURCE DEST";
        "groups" who::groups, "[USER]";
        "hostname" who::hostname, "[-sidf] [HOSTNAME | -F FILE]";
        "id" who::id, "[-ugGnr] [USER]";
        "install" cp::install, "[-cdDsp] [-o USER] [-g GRP] [-m MODE] [-t DIR] [SOURCE]... DEST";
        "ln" cp::ln, "[-sfnbtv] [-S SUF] TARGET... LINK|DIR";
        "ls" ls::run, "[-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]...";
        "mkfifo" dirs::mkfifo, "[-m MODE] NAME";
        "mktemp" dirs::mktemp, "[-dt] [-p DIR] [TEMPLATE]";
        "mv" cp::mv, "[-finT] SOURCE DEST";
        "nproc" who::nproc, "[--all] [--ignore=N]";
        "rmdir" dirs::rmdir, "[-p] DIRECTORY...";
        "stat" chmod::stat, "[-ltf] [-c FMT] FILE...";
        "truncate" chmod::truncate, "[-c] -s SIZE FILE...";
        "tty" who::tty, "[-s]";
        "uname" who::uname, "[-amnrspvio]";
        "unlink" rm::unlink, "FILE";
        "uptime" who::uptime, "";
        "whoami" who::whoami, "";
        "awk" awk::run, "[OPTIONS] [AWK_PROGRAM] [FILE]...";
        "base64" base64::run, "[-d] [-w COL] [FILE]";
        "httpd" httpd::run, "[-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]";
        "nc" nc::run, "[OPTIONS] HOST PORT  - connect";
        "wget" wget::run, "[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR] URL...";
        "bc" calc::bc, "[-sqlw] [FILE]...";
        "dc" calc::dc, "[-x] [-eSCRIPT]... [-fFILE]... [FILE]...";
        "busybox" run::busybox, "[function [arguments]...]";
        "cksum" hash::cksum, "FILE...";
        "cmp" lines::cmp, "[-ls] [-n NUM] FILE1 [FILE2]";
        "comm" lines::comm, "[-123] FILE1 FILE2";
        "dd" disk::dd, "[if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc|noerror|sync|fsync]";
        "df" disk::df, "[-PkmhTai] [-B SIZE] [FILESYSTEM...]";
        "dos2unix" lines::dos2unix, "[-ud] [FILE]";
        "du" disk::du, "[-aHLdclsxhmk] [FILE]...";
        "find" find::run, "[-HL] [PATH]... [OPTIONS] [ACTIONS]";
        "fold" lines::fold, "[-bs] [-w WIDTH] [FILE]...";
        "free" disk::free, "[-bkmgh]";
        "hexdump" dump::hexdump, "[-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]...";
        "kill" procs::kill, "[-l] [-SIG] PID...";
        "killall" procs::killall, "[-lq] [-SIG] PROCESS_NAME...";
        "md5sum" hash::md5sum, "[-c[sw]] [FILE]...";
        "netstat" netinfo::netstat, "[-ral] [-tuwx] [-enWp]";
        "nice" run::nice, "[-n ADJUST] [PROG ARGS]";
        "nl" lines::nl, "[OPTIONS] [FILE]...";
        "nohup" run::nohup, "PROG ARGS";
        "nslookup" netinfo::nslookup, "[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]";
        "od" dump::od, "[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w WIDTH] [FILE]...";
        "paste" lines::paste, "[-d LIST] [-s] [FILE]...";
        "pgrep" procs::pgrep, "[-flanovx] [-s SID|-P PPID|PATTERN]";
        "pidof" procs::pidof, "[OPTIONS] [NAME]...";
        "ping" netinfo::ping, "[OPTIONS] HOST";
        "pkill" procs::pkill, "[-l|-SIGNAL] [-xfvno] [-s SID|-P PPID|PATTERN]";
        "ps" procs::ps, "[-o COL1,COL2=HEADER] [-T]";
        "rev" lines::rev, "[FILE]...";
        "setsid" run::setsid, "[-c] PROG ARGS";
        "sha1sum" hash::sha1sum, "[-c[sw]] [FILE]...";
        "sha256sum" hash::sha256sum, "[-c[sw]] [FILE]...";
        "sha512sum" hash::sha512sum, "[-c[sw]] [FILE]...";
        "shuf" lines::shuf, "[-n NUM] [-o FILE] [-z] [FILE | -e [ARG...] | -i L-H]";
        "split" lines::split, "[OPTIONS] [INPUT [PREFIX]]";
        "strings" lines::strings, "[-fo] [-t o|d|x] [-n LEN] [FILE]...";
        "sync" run::sync, "[-df] [FILE]...";
        "tac" lines::tac, "[FILE]...";
        "time" run::time, "[-vpa] [-o FILE] PROG ARGS";
        "timeout" run::timeout, "[-s SIG] [-k KILL_SECS] SECS PROG ARGS";
        "unix2dos" lines::dos2unix, "[-ud] [FILE]";
        "xargs" xargs::run, "[OPTIONS] [PROG ARGS]";
        "cut" cut::run, "[OPTIONS] [FILE]...";
        "diff" diff::run, "[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2";
        "tree" tree_view::run, "[DIR]...";
        "hd" dump::hexdump, "FILE...";
        "expr" expr::run, "EXPRESSION";
        "readlink" names::readlink, "[-fnv] FILE";
        "realpath" names::realpath, "FILE...";
        "sed" sed::run, "[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...";
        "sort" sort::run, "[-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]...";
        "tee" tee::run, "[-ai] [FILE]...";
        "tr" tr::run, "[-cds] STRING1 [STRING2]";
        "uniq" uniq::run, "[-cduiz] [-f,s,w N] [FILE [OUTFILE]]";
        "usleep" sleep::micro, "N";
        "clear" small::clear, "";
        "expand" lines::expand, "[-i] [-t N] [FILE]...";
        "factor" small::factor, "[NUMBER]...";
        "fallocate" small::fallocate, "[-o OFS] -l LEN FILE";
        "flock" flock::run, "[-sxun] FD | { FILE [-c] PROG ARGS }";
        "fsync" small::fsync, "[-d] FILE...";
        "getopt" getopt::run, "[OPTIONS] [--] OPTSTRING PARAMS";
        "gunzip" gzip::gunzip, "[-cfkt] [FILE]...";
        "gzip" gzip::gzip, "[-cfkdt] [FILE]...";
        "less" cat::pager, "[-EFIMmNSRh~] [FILE]...";
        "link" small::link, "FILE LINK";
        "logger" small::logger, "[-s] [-t TAG] [-p PRIO] [MESSAGE]";
        "more" cat::pager, "[FILE]...";
        "mountpoint" small::mountpoint, "[-q] { [-dn] DIR | -x DEVICE }";
        "sum" hash::sum, "[-rs] [FILE]...";
        "tar" tar::run, "c|x|t [-zJjahmvokO] [-f TARFILE] [-C DIR] [-T FILE] [-X FILE] [LONGOPT]... [FILE]...";
        "top" top::top, "[-bmH] [-n COUNT] [-d SECONDS]";
        "watch" top::watch, "[-n SEC] [-t] PROG ARGS";
        "zcat" gzip::zcat, "[FILE]...";
        "yes" echo::yes, "[STRING]";
    }
}

/// The program behind a name of the busybox image.
pub fn lookup(name: &str) -> Option<Program> {
    APPLETS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}
