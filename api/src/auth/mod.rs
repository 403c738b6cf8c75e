//! Who calls: an API key, read from a header or a form field, looked up by its hash on every request, so that a
//! revocation acts on the next one.

use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use countersign_shared::domain::{ApiKey, ApiKeyInfo, KeyId, ProblemCode, Scope, TenantId, Timestamp};
use countersign_shared::store::StoreError;
use tracing::Span;

use crate::front::Front;
use crate::problem::Problem;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The last use is noted at most this often.
const NOTE_USE_EVERY: Duration = Duration::from_mins(1);

/// A key that exists, is valid now and has the scope that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
}

/// The caller that the headers name; `None` when they name none.
pub(crate) async fn by_header(
    front: &Front,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<Option<Caller>, Problem> {
    match secret_in(headers) {
        Some(secret) => authenticate(front, secret, scope).await.map(Some),
        None => Ok(None),
    }
}

/// The caller with that secret. Its ids go to the request's span.
pub(crate) async fn authenticate(front: &Front, secret: &str, scope: Scope) -> Result<Caller, Problem> {
    let key: ApiKey = secret.trim().parse().map_err(|_| Problem::of(ProblemCode::InvalidApiKey))?;
    let info = front.keys.key(&key.hash()).await.map_err(|error| match error {
        StoreError::NotFound => Problem::of(ProblemCode::InvalidApiKey),
        other => other.into(),
    })?;
    let now = Timestamp::now();
    if !info.is_valid_at(now) {
        return Err(Problem::of(ProblemCode::InvalidApiKey));
    }
    Span::current().record("key.id", info.id.to_string()).record("tenant.id", info.tenant.to_string());
    if !info.scopes.contains(&scope) {
        let detail = format!("the API key does not have the scope {}", scope.name());
        return Err(Problem::new(ProblemCode::Forbidden, detail));
    }
    note_use(front, &info, now);
    Ok(Caller { tenant: info.tenant, key: info.id })
}

fn secret_in(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| {
        let (scheme, secret) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(secret)
    });
    bearer.or_else(|| headers.get(X_API_KEY).and_then(|value| value.to_str().ok()))
}

/// In the background: nobody waits for a note.
fn note_use(front: &Front, info: &ApiKeyInfo, now: Timestamp) {
    if info.last_used_at.is_some_and(|last| now < last.after(NOTE_USE_EVERY)) {
        return;
    }
    let (keys, id) = (front.keys.clone(), info.id);
    front.background.spawn(async move {
        if let Err(error) = keys.key_used(id).await {
            tracing::warn!(key.id = %id, error = %error, "failed to note a key's use");
        }
    });
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_read_from_either_header() {
        for (name, value) in
            [("authorization", "Bearer secret"), ("authorization", "bearer secret"), ("x-api-key", "secret")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(secret_in(&headers), Some("secret"), "{name}: {value}");
        }
    }

    #[test]
    fn another_scheme_is_no_key() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic c2VjcmV0"));
        assert_eq!(secret_in(&headers), None);
    }
}
