//! Challenges: digits that are issued, to be spoken once and before long.

mod issue;
mod read;

use actix_web::web::{self, ServiceConfig};
use countersign_shared::domain::{Challenge, ChallengeId, ChallengeState, Digits};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::routes::resource;

/// The operations of this folder, for the document.
#[derive(OpenApi)]
#[openapi(paths(issue::handle, read::handle))]
pub(super) struct Operations;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v2/challenges").route(web::post().to(issue::handle)))
        .service(resource("/v2/challenges/{id}").route(web::get().to(read::handle)));
}

/// A challenge as v2 shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge, example = json!({
    "id": "chl_0193c52e8a7b7c3e9d54a1b2c3d4e5f6",
    "state": "open",
    "digits": "492817",
    "created_at": "2026-01-31T12:00:00.000Z",
    "expires_at": "2026-01-31T12:02:00.000Z",
}))]
pub(super) struct Resource {
    id: ChallengeId,
    state: ChallengeState,
    /// To be spoken, leading zeros too. Null once the challenge is used or has expired.
    #[schema(required)]
    digits: Option<Digits>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<Challenge> for Resource {
    fn from(challenge: Challenge) -> Self {
        Self {
            id: challenge.id,
            state: challenge.state,
            digits: (challenge.state == ChallengeState::Open).then_some(challenge.digits),
            created_at: challenge.created_at.to_string(),
            expires_at: challenge.expires_at.to_string(),
        }
    }
}
