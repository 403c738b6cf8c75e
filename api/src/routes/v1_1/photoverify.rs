//! `POST /v1.1/photoverify`: a selfie photo against an ID card.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole, ProblemCode};

use super::call::{Endpoint, answer};
use super::videoverify::CHALLENGE;
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::{Form, Upload};

/// The documented PHP client for videos posts here, so a video is taken too.
static ENDPOINT: Endpoint = Endpoint {
    form: Form {
        files: &[("id_card", MediaRole::IdCard), ("photo", MediaRole::Photo), ("video", MediaRole::Video)],
        texts: &[CHALLENGE.digits, CHALLENGE.language, CHALLENGE.id],
    },
    usual: Kind::Photo,
    kind,
};

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    answer(front.into_inner(), request, payload, &ENDPOINT).await
}

fn kind(upload: &Upload) -> Result<Kind, Problem> {
    match (upload.has(MediaRole::Photo), upload.has(MediaRole::Video)) {
        (_, false) => Ok(Kind::Photo),
        (false, true) => Ok(Kind::Video),
        (true, true) => Err(Problem::new(ProblemCode::InvalidField, "send either `photo` or `video`")),
    }
}
