//! Buckets that every process shares, on a Redis server. While it is away each process keeps buckets of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{Bucket, MemoryRates, OpenError, RateLimiter, Standing};
use crate::config::ServiceUrl;
use crate::domain::{KeyId, RateLimit};
use crate::telemetry::events;

/// Before the key's id.
pub(super) const PREFIX: &str = "countersign:rate:";

/// Looks, decides and writes at once, by the server's own clock. Answers when the bucket is full, what time it is, and
/// whether the call is allowed.
const TAKE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, depth = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if full_at + interval > now + depth then
    return {string.format('%.0f', full_at), string.format('%.0f', now)}
end
full_at = full_at + interval
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return {string.format('%.0f', full_at), string.format('%.0f', now), 'allowed'}";

/// A call that waits for its limit is a slow call.
const ANSWER: Duration = Duration::from_millis(200);
const CONNECT: Duration = Duration::from_secs(3);

/// How long nobody asks a server that did not answer.
const AWAY: Duration = Duration::from_secs(1);

pub struct RedisRates {
    link: Arc<Link>,
    prefix: String,
    /// For as long as Redis is away.
    own: MemoryRates,
    _connecting: AbortOnDropHandle<()>,
}

struct Link {
    client: Client,
    /// `None` while Redis is away.
    connection: Mutex<Option<MultiplexedConnection>>,
    lost: Notify,
}

impl RedisRates {
    /// Connects in the background. Must be called on the runtime of the process.
    pub fn open(url: &ServiceUrl, prefix: &str) -> Result<Self, OpenError> {
        let client = Client::open(url.as_str()).map_err(|source| OpenError { url: url.clone(), source })?;
        let link = Arc::new(Link { client, connection: Mutex::new(None), lost: Notify::new() });
        let connecting = tokio::spawn(keep_connected(link.clone()));
        Ok(Self {
            link,
            prefix: prefix.to_owned(),
            own: MemoryRates::new(),
            _connecting: AbortOnDropHandle::new(connecting),
        })
    }

    async fn ask(&self, key: KeyId, limit: RateLimit) -> Option<Standing> {
        let mut connection = self.link.connection()?;
        let bucket = Bucket::new(limit);
        let mut take = redis::cmd("EVAL");
        take.arg(TAKE).arg(1).arg(format!("{}{key}", self.prefix)).arg(bucket.interval).arg(bucket.depth());
        match timeout(ANSWER, take.query_async::<Vec<String>>(&mut connection)).await {
            Ok(Ok(answer)) => standing(bucket, &answer),
            Ok(Err(error)) => {
                events::dependency_failed("ask for a rate limit", &error);
                self.link.lose();
                None
            }
            Err(error) => {
                events::dependency_failed("ask for a rate limit", &error);
                self.link.lose();
                None
            }
        }
    }
}

#[async_trait]
impl RateLimiter for RedisRates {
    async fn take(&self, key: KeyId, limit: RateLimit) -> Standing {
        match self.ask(key, limit).await {
            Some(standing) => standing,
            None => self.own.take_now(key, limit),
        }
    }
}

/// `None` when the answer is not the script's.
fn standing(bucket: Bucket, answer: &[String]) -> Option<Standing> {
    let (full_at, now): (u64, u64) = (answer.first()?.parse().ok()?, answer.get(1)?.parse().ok()?);
    let reset = full_at.saturating_sub(now);
    let wait = (reset + bucket.interval).saturating_sub(bucket.depth());
    Some(bucket.standing(reset, (answer.len() == 2).then_some(wait)))
}

impl Link {
    fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, connection: Option<MultiplexedConnection>) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    fn lose(&self) {
        self.set(None);
        self.lost.notify_one();
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // A server that is paused lets anybody in.
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(connection)
    }
}

/// That Redis is away, the signal's subscriber says.
async fn keep_connected(link: Arc<Link>) {
    loop {
        match link.connect().await {
            Ok(connection) => {
                link.set(Some(connection));
                link.lost.notified().await;
            }
            Err(_) => sleep(AWAY).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::test_services::{PrivateServer, address};

    const REDIS: &str = "COUNTERSIGN_TEST_REDIS";
    const LIMIT: RateLimit = RateLimit { per_minute: 1, burst: 3 };
    const SOON: Duration = Duration::from_secs(10);

    async fn connected(url: &str, prefix: &str) -> RedisRates {
        let rates = RedisRates::open(&url.into(), prefix).expect("an address");
        wait_for(&rates).await;
        rates
    }

    async fn wait_for(rates: &RedisRates) {
        let connecting = async {
            while rates.link.connection().is_none() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, connecting).await.expect("redis lets us in");
    }

    /// Unlike that of any other test.
    fn prefix() -> String {
        format!("countersign-test-{:016x}:", rand::random::<u64>())
    }

    async fn allowed(rates: &RedisRates, key: KeyId) -> usize {
        let mut count = 0;
        while rates.take(key, LIMIT).await.retry_after.is_none() {
            count += 1;
        }
        count
    }

    mod contract {
        use super::*;

        crate::rate::contract::suite!({
            let Some(url) = address(REDIS) else { return };
            connected(&url, &prefix()).await
        });
    }

    #[tokio::test]
    async fn processes_share_a_bucket_and_it_does_not_stay() {
        let Some(url) = address(REDIS) else { return };
        let prefix = prefix();
        let (here, there) = (connected(&url, &prefix).await, connected(&url, &prefix).await);
        let key = KeyId::new();
        assert_eq!(here.take(key, LIMIT).await.remaining, 2);
        assert_eq!(there.take(key, LIMIT).await.remaining, 1);
        assert_eq!((allowed(&here, key).await, allowed(&there, key).await), (1, 0));
        let mut connection = here.link.connection().expect("it is connected");
        let lives: i64 = redis::cmd("PTTL")
            .arg(format!("{prefix}{key}"))
            .query_async(&mut connection)
            .await
            .expect("redis answers");
        assert!(lives > 0 && lives <= 180_000, "until it is full: {lives} ms");
    }

    #[tokio::test]
    async fn without_redis_each_process_has_buckets_of_its_own_and_nobody_waits() {
        let Some(redis) = PrivateServer::start("redis") else { return };
        let prefix = prefix();
        let rates = connected(&redis.address(), &prefix).await;
        let (key, other) = (KeyId::new(), KeyId::new());
        assert_eq!(allowed(&rates, key).await, 3);
        redis.kill();
        assert_eq!(allowed(&rates, other).await, 3);
        redis.start_again();
        wait_for(&rates).await;
        assert_eq!(rates.take(KeyId::new(), LIMIT).await.remaining, 2);

        redis.pause();
        let began = Instant::now();
        for _ in 0..100 {
            rates.take(KeyId::new(), LIMIT).await;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        redis.resume();
        wait_for(&rates).await;
    }
}
