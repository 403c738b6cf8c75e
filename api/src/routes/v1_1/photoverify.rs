//! `POST /v1.1/photoverify`: a selfie photo against an ID card.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole, ProblemCode};
use utoipa::ToSchema;

use super::call::{Endpoint, VIDEO_CODES, answer};
use super::videoverify::CHALLENGE;
use super::view::PhotoAnswer;
use crate::front::Front;
use crate::openapi::sample;
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

/// What `/v1.1/photoverify` takes.
#[derive(ToSchema)]
#[schema(example = json!({"api_key": "cs_…", "id_card": "(a file)", "photo": "(a file)"}))]
#[expect(dead_code, reason = "the form as the document shows it; the upload is read part by part")]
pub(super) struct PhotoForm {
    /// The API key, unless a header has it.
    #[schema(required = false)]
    api_key: String,
    /// The ID card: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(format = Binary)]
    id_card: String,
    /// The selfie: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(format = Binary)]
    photo: String,
}

/// Verifies a selfie photo against an ID card, and waits for the result.
///
/// With a `video` in the place of `photo` it does what `/v1.1/videoverify` does.
#[utoipa::path(
    post,
    path = "/v1.1/photoverify",
    operation_id = "photoverify",
    tag = "v1.1",
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses((
        status = 200,
        description = "The job ran. The verdict is `predictions.verification.status`.",
        body = PhotoAnswer,
        headers(("X-Verification-Id")),
        example = json!(sample::photo_answer()),
    )),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"]), ()),
    extensions(("x-error-codes" = json!(VIDEO_CODES))),
)]
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
