//! Names of Redis' commands: which write, which the lab simulates, which it does not.

use super::resp::Reply;
use super::store::Bytes;

/// Commands that change data.
const WRITES: &str = " SET SETEX PSETEX SETNX GETSET GETDEL MSET APPEND INCR DECR INCRBY DECRBY INCRBYFLOAT \
    DEL UNLINK EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST RENAME RENAMENX FLUSHALL FLUSHDB \
    LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP RPOPLPUSH LMOVE LTRIM LREM SADD SREM SPOP HSET \
    HMSET HSETNX HINCRBY HDEL ZADD ZINCRBY ZREM ZPOPMIN ZPOPMAX BLPOP BRPOP ";
/// The others simulated.
const READS: &str = " GET MGET STRLEN GETRANGE EXISTS TOUCH TTL PTTL EXPIRETIME TYPE KEYS SCAN RANDOMKEY \
    DBSIZE OBJECT LLEN LRANGE LINDEX SMEMBERS SCARD SISMEMBER SRANDMEMBER HGET HEXISTS \
    HSTRLEN HMGET HKEYS HVALS HLEN HGETALL ZSCORE ZCARD ZRANK ZREVRANK ZRANGE ZREVRANGE \
    ZCOUNT ZRANGEBYSCORE PING ECHO AUTH SELECT INFO CONFIG CLIENT TIME LASTSAVE SAVE BGSAVE \
    ROLE REPLICAOF SLAVEOF SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUBLISH MULTI EXEC DISCARD WAIT \
    COMMAND ";
/// Real ones the lab does not simulate.
const OTHERS: &str = " ACL ASKING BF BGREWRITEAOF BITCOUNT BITFIELD BITOP BITPOS BLMOVE BLMPOP BRPOPLPUSH \
    BZMPOP BZPOPMAX BZPOPMIN CLUSTER COPY DEBUG DUMP EVAL EVALSHA EVAL_RO FAILOVER FCALL \
    FUNCTION GEOADD GEODIST GEOPOS GEOSEARCH GETBIT GETEX HELLO HINCRBYFLOAT HRANDFIELD \
    HSCAN JSON.GET JSON.SET LATENCY LCS LINSERT LMPOP LOLWUT LPOS LSET MEMORY MIGRATE \
    MODULE MONITOR MOVE MSETNX PEXPIRETIME PFADD PFCOUNT PFMERGE PUBSUB PUNSUBSCRIBE \
    READONLY READWRITE RESET RESTORE SCRIPT SDIFF SDIFFSTORE SETBIT SETRANGE SHUTDOWN \
    SINTER SINTERCARD SINTERSTORE SLOWLOG SMISMEMBER SMOVE SORT SORT_RO SSCAN SUBSTR SUNION \
    SUNIONSTORE SWAPDB SYNC UNWATCH WATCH XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XINFO \
    XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XSETID XTRIM ZDIFF ZINTER ZINTERSTORE \
    ZLEXCOUNT ZMPOP ZMSCORE ZRANDMEMBER ZRANGEBYLEX ZRANGESTORE ZREMRANGEBYRANK \
    ZREMRANGEBYSCORE ZREVRANGEBYSCORE ZSCAN ZUNION ZUNIONSTORE ";

fn is_in(list: &str, name: &str) -> bool {
    !name.is_empty() && list.split_ascii_whitespace().any(|own| own == name)
}

pub(super) fn writes(name: &str) -> bool {
    is_in(WRITES, name)
}

/// What a command that nothing ran gets; the other way round, that it is not simulated.
pub(super) fn refuse(name: &str, written: &str, args: &[Bytes]) -> Result<Reply, String> {
    if writes(name) || is_in(READS, name) {
        let name = name.to_lowercase();
        return Ok(Reply::Error(format!("ERR wrong number of arguments for '{name}' command")));
    }
    if is_in(OTHERS, name) {
        return Err(format!("the command {name}"));
    }
    let mut shown = String::new();
    for arg in args {
        shown.push_str(&format!("'{}' ", String::from_utf8_lossy(arg)));
        if shown.len() > 128 {
            break;
        }
    }
    Ok(Reply::Error(format!("ERR unknown command '{written}', with args beginning with: {shown}")))
}
