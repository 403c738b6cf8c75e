//! `Idempotency-Key`: a request that is sent twice is done once.
//!
//! The key is reserved before the body is read. A duplicate that comes meanwhile reads its own body, so that the two can
//! be compared, and waits: for the first one's answer, or for its place when the first was not accepted.

mod held;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName};
use countersign_shared::domain::{
    Fingerprint, IdempotencyKey, KeptAnswer, ProblemCode, Reservation, TenantId,
};
use countersign_shared::store::Reserved;
use countersign_shared::telemetry::events;
use tokio::time::{Instant, sleep};

use crate::front::Front;
use crate::problem::Problem;

pub(crate) use self::held::Held;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is one that was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How long a key stays blocked after its front end was killed.
const LEASE: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// How long a duplicate waits for the first request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pauses between looks are doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(400);

/// A request with a key, until it is known whether it is the first with it.
pub(crate) struct Keyed {
    front: Arc<Front>,
    reservation: Reservation,
    found: Found,
}

enum Found {
    Held(Held),
    Taken,
    Answered(KeptAnswer),
}

/// Which of the requests with its key it is.
pub(crate) enum Turn {
    /// It is to be done, and its answer to be kept.
    First(Held),
    /// It was done.
    Repeated(KeptAnswer),
}

impl Keyed {
    /// Reserves the key that the headers name, if they name one.
    pub(crate) async fn begin(
        front: &Arc<Front>,
        tenant: TenantId,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Problem> {
        let Some(key) = key(headers)? else { return Ok(None) };
        let mut keyed = Self {
            front: Arc::clone(front),
            reservation: Reservation::new(tenant, &key),
            found: Found::Taken,
        };
        keyed.look().await?;
        Ok(Some(keyed))
    }

    /// Keeps the reservation while the body is read.
    pub(crate) async fn during<Output>(&mut self, reading: impl Future<Output = Output>) -> Output {
        let mut reading = std::pin::pin!(reading);
        loop {
            tokio::select! {
                output = &mut reading => return output,
                () = sleep(RENEW_EVERY), if matches!(self.found, Found::Held(_)) => {
                    if let Err(error) = self.look().await {
                        events::dependency_failed("renew the reservation of a key", &error);
                    }
                }
            }
        }
    }

    /// Waits until it is known whether a request with this key was accepted.
    pub(crate) async fn turn(mut self, fingerprint: Fingerprint) -> Result<Turn, Problem> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.found {
                Found::Held(held) => return Ok(Turn::First(held)),
                Found::Answered(answer) if answer.fingerprint == fingerprint => {
                    return Ok(Turn::Repeated(answer));
                }
                Found::Answered(_) => {
                    let detail = "this `Idempotency-Key` was used for a request with another body";
                    return Err(Problem::new(ProblemCode::Conflict, detail));
                }
                Found::Taken => {}
            }
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
                () = tokio::time::sleep_until(deadline) => return Err(under_way()),
                () = self.front.stop_waiting.cancelled() => return Err(under_way()),
            }
            self.look().await?;
        }
    }

    /// Reserves the key or extends the reservation, or finds what keeps it from that.
    async fn look(&mut self) -> Result<(), Problem> {
        let found = match self.front.idempotency.reserve(&self.reservation, LEASE).await? {
            Reserved::Held(_) if matches!(self.found, Found::Held(_)) => return Ok(()),
            Reserved::Held(at) => Found::Held(Held::new(&self.front, self.reservation.clone(), at)),
            Reserved::Taken => Found::Taken,
            Reserved::Answered(answer) => Found::Answered(answer),
        };
        self.found = found;
        Ok(())
    }
}

/// When it should come again.
const AGAIN: Duration = Duration::from_secs(5);

/// What a duplicate is told that can't wait any longer.
pub(crate) fn under_way() -> Problem {
    let detail = "a request with this `Idempotency-Key` is still under way; send it again to get its answer";
    Problem::new(ProblemCode::Conflict, detail).with_retry_after(AGAIN)
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let invalid = |detail: String| Problem::new(ProblemCode::InvalidField, detail);
    let mut values = headers.get_all(KEY);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(format!("`{KEY}` is there twice")));
    }
    let key = value.to_str().ok().and_then(|text| text.parse::<IdempotencyKey>().ok());
    let most = IdempotencyKey::LONGEST;
    key.map(Some).ok_or_else(|| invalid(format!("`{KEY}` must be 1 to {most} visible ASCII characters")))
}
