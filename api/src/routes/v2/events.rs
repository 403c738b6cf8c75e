//! `GET /v2/verifications/{id}/events`: every change of state as it happens (server-sent events), then the end.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use countersign_shared::domain::{
    ProblemCode, Scope, State, Summary, TenantId, Verification, VerificationId,
};
use countersign_shared::signal::Listener;
use countersign_shared::store::StoreError;
use countersign_shared::telemetry::events;
use futures::stream;
use tokio::time::Instant;

use super::{caller, verification_id};
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;
use crate::wait::READ_AGAIN;

/// Something is sent this often, so that proxies don't cut the connection and a client that has gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// After this, the client connects again.
const LONGEST: Duration = Duration::from_mins(10);

/// What a client waits before it connects again.
const RETRY: &str = "retry: 2000\n\n";

/// Ends the id of the last event, by which a client that connects again says that it has seen it.
const END: &str = ".end";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx holds answers back until they are complete, unless it is told.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Follows a verification: every change of its state as an event, until it is finished.
///
/// The first event says how it is now. The stream ends after the last state, after ten minutes, and when the service
/// stops; a client that connects again with `Last-Event-ID` after the last event is answered 204.
#[utoipa::path(
    get,
    path = "/v2/verifications/{id}/events",
    operation_id = "follow_verification",
    tag = "verifications",
    params(
        ("id" = VerificationId, Path, description = "The verification."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen.", example = "2"),
    ),
    responses(
        (
            status = 200,
            description = "Events named `state`, each with the verification without its report.",
            body = String,
            content_type = "text/event-stream",
            headers(("Cache-Control"), ("X-Verification-Id")),
            example = json!(sample::events()),
        ),
        (
            status = 204,
            description = "The client has seen the last event.",
            headers(("X-Verification-Id")),
        ),
    ),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let id = verification_id(&id)?;
    // Registered before the row is read, so no change can fall between the two.
    let listener = front.signal.listen(id).await;
    let now = front.verifications.verification(caller.tenant, id).await?;
    request.extensions_mut().insert(id);
    let (count, has_seen_all) = last_seen(request.headers());
    if has_seen_all && now.state.is_final() {
        return Ok(HttpResponse::NoContent().finish());
    }
    let follower = Follower {
        front: front.into_inner(),
        tenant: caller.tenant,
        id,
        listener,
        count,
        shown: None,
        first: Some(now),
        until: Instant::now() + LONGEST,
    };
    let sent = stream::once(async { Ok(Bytes::from_static(RETRY.as_bytes())) });
    let changes = stream::unfold(Some(follower), |follower| async move {
        let (text, follower) = follower?.next().await?;
        Some((Ok::<_, actix_web::Error>(Bytes::from(text)), follower))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_ACCEL_BUFFERING, "no"))
        .streaming(futures::StreamExt::chain(sent, changes)))
}

/// How many events the client has seen, and whether the last was among them. Anything else that it says is its own.
fn last_seen(headers: &HeaderMap) -> (u64, bool) {
    let text = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (number, is_last) = match text.strip_suffix(END) {
        Some(number) => (number, true),
        None => (text, false),
    };
    number.parse().map_or((0, false), |count| (count, is_last))
}

/// One client's view. Dropping it, as when the client goes, ends everything.
struct Follower {
    front: std::sync::Arc<Front>,
    tenant: TenantId,
    id: VerificationId,
    listener: Listener,
    /// Of the events until now.
    count: u64,
    /// What the last event said.
    shown: Option<(State, u32)>,
    /// What was read before the first event.
    first: Option<Verification>,
    until: Instant,
}

impl Follower {
    /// What is sent next, and who sends what follows it. `None` when there is nothing left to be sent.
    async fn next(mut self) -> Option<(String, Option<Self>)> {
        if let Some(first) = self.first.take() {
            return self.event(&first);
        }
        let heartbeat = Instant::now() + HEARTBEAT;
        let mut is_read = true;
        loop {
            tokio::select! {
                () = self.listener.changed() => {}
                () = tokio::time::sleep(READ_AGAIN), if !is_read => {}
                () = tokio::time::sleep_until(heartbeat) => return Some((": \n\n".to_owned(), Some(self))),
                () = tokio::time::sleep_until(self.until) => return None,
                () = self.front.stopping.cancelled() => return None,
            }
            match self.front.verifications.verification(self.tenant, self.id).await {
                Ok(now) if self.shown != Some((now.state, now.attempts)) => {
                    return self.event(&now);
                }
                Ok(_) => is_read = true,
                Err(error @ StoreError::Unavailable(_)) => {
                    events::dependency_failed("follow a verification", &error);
                    is_read = false;
                }
                // Erased, or not to be shown: a client that connects again is told.
                Err(_) => return None,
            }
        }
    }

    fn event(mut self, now: &Verification) -> Option<(String, Option<Self>)> {
        self.count = self.count.saturating_add(1);
        let is_last = now.state.is_final();
        self.shown = Some((now.state, now.attempts));
        let data = serde_json::to_string(&Summary::from(now)).ok()?;
        let end = if is_last { END } else { "" };
        let text = format!("id: {}{end}\nevent: state\ndata: {data}\n\n", self.count);
        Some((text, (!is_last).then_some(self)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn what_a_client_has_seen_is_read_from_its_own_words() {
        for (text, expected) in [
            ("3", (3, false)),
            ("3.end", (3, true)),
            (".end", (0, false)),
            ("x", (0, false)),
            ("", (0, false)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LAST_EVENT_ID, HeaderValue::from_str(text).expect("a value"));
            assert_eq!(last_seen(&headers), expected, "{text}");
        }
    }
}
