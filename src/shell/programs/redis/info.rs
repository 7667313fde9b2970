//! What Redis' `INFO` and `ROLE` say. Figures the lab does not keep are left out.

use super::resp::Reply;
use super::server::{Server, VERSION};
use super::store::bulk;

/// Memory a server takes with nothing in it, in bytes.
pub(super) const BASE: u64 = 1_000_000;

impl Server {
    /// The sections asked for; all where none is.
    pub(super) fn info(&self, wanted: &str) -> String {
        let all = matches!(wanted, "" | "all" | "default" | "everything");
        let mut out = String::new();
        for (name, text) in [
            ("server", self.of_server()),
            ("clients", self.of_clients()),
            ("memory", self.of_memory()),
            ("persistence", self.of_disk()),
            ("stats", self.of_stats()),
            ("replication", self.of_replication()),
            ("keyspace", self.of_keys()),
        ] {
            if all || wanted == name {
                if !out.is_empty() {
                    out.push_str("\r\n");
                }
                let title = name[..1].to_uppercase() + &name[1..];
                out.push_str(&format!("# {title}\r\n{}", text.replace('\n', "\r\n")));
            }
        }
        out
    }

    fn of_server(&self) -> String {
        let up = (self.sys.now() - self.begun).as_secs();
        format!(
            "redis_version:{VERSION}\nredis_git_sha1:00000000\nredis_mode:standalone\nos:Linux \
             x86_64\narch_bits:64\nprocess_id:{}\nrun_id:{}\ntcp_port:{}\nuptime_in_seconds:{up}\n\
             uptime_in_days:{}\n",
            self.sys.pid(),
            self.id,
            self.options.port,
            up / 86_400
        )
    }

    fn of_clients(&self) -> String {
        let replicas = self.clients.iter().filter(|c| c.replica.is_some()).count();
        let blocked = self.clients.iter().filter(|c| c.blocked.is_some()).count();
        let own = self.clients.len() - replicas;
        format!("connected_clients:{own}\nmaxclients:10000\nblocked_clients:{blocked}\n")
    }

    fn of_memory(&self) -> String {
        let used = BASE + self.store.size();
        let human = |n: u64| match n {
            0 => "0B".to_owned(),
            n if n < 1 << 20 => format!("{:.2}K", n as f64 / 1024.0),
            n if n < 1 << 30 => format!("{:.2}M", n as f64 / (1 << 20) as f64),
            n => format!("{:.2}G", n as f64 / (1 << 30) as f64),
        };
        let most = self.options.max_memory;
        format!(
            "used_memory:{used}\nused_memory_human:{}\nmaxmemory:{most}\nmaxmemory_human:{}\n\
             maxmemory_policy:{}\n",
            human(used),
            human(most),
            self.options.policy
        )
    }

    fn of_disk(&self) -> String {
        format!(
            "loading:0\nrdb_changes_since_last_save:{}\nrdb_bgsave_in_progress:0\n\
             rdb_last_save_time:{}\nrdb_last_bgsave_status:ok\naof_enabled:{}\n\
             aof_last_write_status:ok\n",
            self.dirty,
            self.saved / 1_000,
            i32::from(self.options.append)
        )
    }

    fn of_stats(&self) -> String {
        format!(
            "total_connections_received:{}\ntotal_commands_processed:{}\nevicted_keys:{}\n\
             keyspace_hits:{}\nkeyspace_misses:{}\n",
            self.n_connections, self.n_commands, self.n_evicted, self.n_hits, self.n_misses
        )
    }

    pub(super) fn of_replication(&self) -> String {
        let mut out = String::new();
        match &self.options.master {
            Some((host, port)) => {
                let up = self.link.is_up();
                out.push_str(&format!(
                    "role:slave\nmaster_host:{host}\nmaster_port:{port}\nmaster_link_status:{}\n\
                     master_last_io_seconds_ago:{}\nmaster_sync_in_progress:0\n\
                     slave_read_repl_offset:{}\nslave_repl_offset:{}\nslave_priority:100\n\
                     slave_read_only:{}\n",
                    if up { "up" } else { "down" },
                    self.link.silent_secs(self.sys.now()),
                    self.offset,
                    self.offset,
                    i32::from(self.options.read_only)
                ));
            }
            None => out.push_str("role:master\n"),
        }
        let replicas: Vec<_> = self.clients.iter().filter(|c| c.is_fed()).collect();
        out.push_str(&format!("connected_slaves:{}\n", replicas.len()));
        for (idx, client) in replicas.iter().enumerate() {
            let Some(replica) = &client.replica else { continue };
            out.push_str(&format!(
                "slave{idx}:ip={},port={},state=online,offset={},lag=0\n",
                client.peer.0, replica.port, replica.acked
            ));
        }
        out.push_str(&format!(
            "master_failover_state:no-failover\nmaster_replid:{}\nmaster_repl_offset:{}\n",
            self.id, self.offset
        ));
        out
    }

    fn of_keys(&self) -> String {
        let (n, expiring) = (
            self.store.keys.len(),
            self.store.keys.values().filter(|e| e.expires.is_some()).count(),
        );
        if n == 0 { String::new() } else { format!("db0:keys={n},expires={expiring},avg_ttl=0\n") }
    }

    pub(super) fn role(&self) -> Reply {
        if let Some((host, port)) = &self.options.master {
            let state: &[u8] = if self.link.is_up() { b"connected" } else { b"connect" };
            return Reply::Array(vec![
                bulk(b"slave"),
                bulk(host.as_bytes()),
                Reply::Integer(i64::from(*port)),
                bulk(state),
                Reply::Integer(self.offset as i64),
            ]);
        }
        let each = |client: &super::server::Client| {
            let replica = client.replica.as_ref()?;
            Some(Reply::Array(vec![
                bulk(client.peer.0.to_string().as_bytes()),
                bulk(replica.port.to_string().as_bytes()),
                bulk(replica.acked.to_string().as_bytes()),
            ]))
        };
        let replicas = self.clients.iter().filter(|c| c.is_fed()).filter_map(each).collect();
        Reply::Array(vec![
            bulk(b"master"),
            Reply::Integer(self.offset as i64),
            Reply::Array(replicas),
        ])
    }
}
