//! `POST /v1.1/videoverify`: a selfie video with six spoken digits against an ID card.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ChallengeId, Digits, Kind, Language, MediaRole};
use utoipa::ToSchema;

use super::call::{Endpoint, VIDEO_CODES, answer};
use super::view::VideoAnswer;
use crate::demand::ChallengeFields;
use crate::front::Front;
use crate::openapi::sample;
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

/// What `/v1.1/videoverify` takes.
#[derive(ToSchema)]
#[schema(example = json!({
    "api_key": "cs_…", "id_card": "(a file)", "video": "(a file)", "audiochallenge": "492817", "languageCode": "en-US",
}))]
#[expect(dead_code, reason = "the form as the document shows it; the upload is read part by part")]
pub(super) struct VideoForm {
    /// The API key, unless a header has it.
    #[schema(required = false)]
    api_key: String,
    /// The ID card: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(format = Binary)]
    id_card: String,
    /// The selfie video: MP4, MOV, 3GP, WebM, Matroska, AVI and others.
    #[schema(format = Binary)]
    video: String,
    /// The digits that the person was asked to speak; decimal digits of any script.
    #[schema(value_type = Digits)]
    audiochallenge: String,
    /// The language they were spoken in.
    #[serde(rename = "languageCode")]
    #[schema(value_type = Language)]
    language_code: String,
    /// A challenge that was issued, and has these digits.
    #[schema(required = false)]
    challenge_id: ChallengeId,
}

/// Verifies a selfie video with six spoken digits against an ID card, and waits for the result.
#[utoipa::path(
    post,
    path = "/v1.1/videoverify",
    operation_id = "videoverify",
    tag = "v1.1",
    request_body(content = VideoForm, content_type = "multipart/form-data"),
    responses((
        status = 200,
        description = "The job ran. The verdict is `predictions.verification.status`.",
        body = VideoAnswer,
        headers(("X-Verification-Id")),
        example = json!(sample::video_answer()),
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
