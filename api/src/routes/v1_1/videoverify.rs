//! `POST /v1.1/videoverify`: a selfie video with six spoken digits against an ID card.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole};

use super::call::{Endpoint, answer};
use crate::demand::ChallengeFields;
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::Form;

/// As documented, the capital too.
pub(super) const CHALLENGE: ChallengeFields = ChallengeFields {
    digits: "audiochallenge",
    language: "languageCode",
    id: "challenge_id",
    id_with_digits: true,
};

static ENDPOINT: Endpoint = Endpoint {
    form: Form {
        files: &[("id_card", MediaRole::IdCard), ("video", MediaRole::Video)],
        texts: &[CHALLENGE.digits, CHALLENGE.language, CHALLENGE.id],
    },
    usual: Kind::Video,
    kind: |_| Ok(Kind::Video),
};

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    answer(front.into_inner(), request, payload, &ENDPOINT).await
}
