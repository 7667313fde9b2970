//! What a Redis server takes up from disk at its start and leaves there: when, and what it says.

use super::disk;
use super::options::Options;
use super::resp::{self, Parsed};
use super::server::{Server, VERSION, log};
use crate::shell::{Errno, OpenHow, WaitFor};

impl Server {
    /// Takes up what a run before left on disk.
    pub(super) async fn load(&mut self) -> Result<(), i32> {
        const DIR: &str = "appendonlydir";
        const LOG: &str = "appendonlydir/appendonly.aof.1.incr.aof";
        let path = self.options.file.clone();
        let mut source = "DB loaded from disk";
        let mut found = false;
        if self.options.append {
            source = "DB loaded from append only file";
            if let Err(errno) = self.sys.mkdir(DIR, 0o755)
                && errno != Errno::Exist
            {
                let why = errno.text();
                self.log(&format!("# Can't open or create append-only dir {DIR}: {why}")).await;
                return Err(1);
            }
            let data = self.sys.peek_file(LOG);
            found = data.is_some();
            self.replay(&data.unwrap_or_default());
            match self.sys.open(LOG, OpenHow::APPEND).await {
                Ok(fd) => self.append = Some(fd),
                Err(errno) => {
                    let why = errno.text();
                    self.log(&format!("# Can't open the append-only file {LOG}: {why}")).await;
                    return Err(1);
                }
            }
            if !found {
                self.log("* Creating AOF base file appendonly.aof.1.base.rdb on server start")
                    .await;
                self.log("* Creating AOF incr file appendonly.aof.1.incr.aof on server start")
                    .await;
            }
        } else if let Some(data) = self.sys.peek_file(&path) {
            found = true;
            if disk::load(&data, &mut self.store).is_none() {
                let text = "# Wrong signature trying to load DB from file";
                self.log(text).await;
                self.log("# Fatal error loading the DB, check server logs. Exiting.").await;
                return Err(1);
            }
            self.log(&format!("* Loading RDB produced by version {VERSION}")).await;
            let n = self.store.keys.len();
            self.log(&format!("* Done loading RDB, keys loaded: {n}, keys expired: 0.")).await;
        }
        if found {
            self.log(&format!("* {source}: 0.000 seconds")).await;
        }
        Ok(())
    }

    fn replay(&mut self, data: &[u8]) {
        let (mut at, now) = (0, self.now_ms());
        while let Parsed::Whole(args, used) = resp::command(data.get(at..).unwrap_or(&[])) {
            at += used;
            if let Some((name, args)) = args.split_first() {
                let name = String::from_utf8_lossy(name).to_uppercase();
                self.store.run(&name, args, now);
            }
        }
    }

    /// Writes `dump.rdb` by way of a file beside it.
    pub(super) async fn save(&self, role: char) -> bool {
        let sys = &self.sys;
        let temp = format!("temp-{}.rdb", sys.pid());
        let result = async {
            let fd = sys.open(&temp, OpenHow::WRITE).await?;
            sys.write(fd, &disk::dump(&self.store)).await?;
            sys.close(fd)?;
            sys.rename(&temp, &self.options.file)
        };
        match result.await {
            Ok(()) => {
                log(sys, role, "* DB saved on disk").await;
                true
            }
            Err(errno) => {
                let (dir, why) = (sys.cwd(), errno.text());
                let text = format!(
                    "# Failed opening the temp RDB file {temp} (in server root dir {dir}) for \
                     saving: {why}"
                );
                log(sys, role, &text).await;
                false
            }
        }
    }

    /// Saves by a child of its own.
    pub(super) async fn save_behind(&mut self) {
        let (store, options) = (self.store.keys.clone(), self.options.file.clone());
        let started = self.sys.fork(move |sys| async move {
            let mut server = Server::new(sys, bare(options));
            server.store.keys = store;
            let saved = server.save('C').await;
            i32::from(!saved)
        });
        let Ok(pid) = started else { return };
        self.log(&format!("* Background saving started by pid {pid}")).await;
        let good = loop {
            match self.sys.wait(WaitFor::Any).await {
                Ok((own, status)) if own == pid => break status.code() == 0,
                Ok(_) | Err(Errno::Intr) => {}
                Err(_) => break false,
            }
        };
        let text = match good {
            true => "* Background saving terminated with success",
            false => "# Background saving error",
        };
        self.log(text).await;
        self.saved = self.now_ms();
        if good {
            self.dirty = 0;
        }
    }
}

/// Settings for a child that only writes.
fn bare(file: String) -> Options {
    let mut options = Options::new();
    options.file = file;
    options
}
