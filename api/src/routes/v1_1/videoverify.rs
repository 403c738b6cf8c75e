//! `POST /v1.1/videoverify`: a selfie video with six spoken digits against an ID card.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole};

use super::call::{Endpoint, answer};
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::Form;

/// The six digits that the person was asked to speak.
pub(super) const AUDIO_CHALLENGE: &str = "audiochallenge";
/// The language they were spoken in; the capital is documented.
pub(super) const LANGUAGE_CODE: &str = "languageCode";

static ENDPOINT: Endpoint = Endpoint {
    form: Form {
        files: &[("id_card", MediaRole::IdCard), ("video", MediaRole::Video)],
        texts: &[AUDIO_CHALLENGE, LANGUAGE_CODE],
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
