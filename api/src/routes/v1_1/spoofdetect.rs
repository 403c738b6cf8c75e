//! `POST /v1.1/spoofdetect`: one photo for signs of a presentation attack.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole};
use utoipa::ToSchema;

use super::call::{Endpoint, PICTURE_CODES, answer};
use super::view::SpoofAnswer;
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;
use crate::upload::Form;

/// The documented PHP client sends the photo as `id_card`.
static ENDPOINT: Endpoint = Endpoint {
    form: Form { files: &[("photo", MediaRole::Photo), ("id_card", MediaRole::Photo)], texts: &[] },
    usual: Kind::Spoof,
    kind: |_| Ok(Kind::Spoof),
};

/// What `/v1.1/spoofdetect` takes. `photo` may be called `id_card` as well.
#[derive(ToSchema)]
#[schema(example = json!({"api_key": "cs_…", "photo": "(a file)"}))]
#[expect(dead_code, reason = "the form as the document shows it; the upload is read part by part")]
pub(super) struct SpoofForm {
    /// The API key, unless a header has it.
    #[schema(required = false)]
    api_key: String,
    /// The photo: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(format = Binary)]
    photo: String,
}

/// Looks at one photo for signs of a presentation attack, and waits for the result.
#[utoipa::path(
    post,
    path = "/v1.1/spoofdetect",
    operation_id = "spoofdetect",
    tag = "v1.1",
    request_body(content = SpoofForm, content_type = "multipart/form-data"),
    responses((
        status = 200,
        description = "The job ran. The verdict is `predictions.verification.status`.",
        body = SpoofAnswer,
        headers(("X-Verification-Id")),
        example = json!(sample::spoof_answer()),
    )),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"]), ()),
    extensions(("x-error-codes" = json!(PICTURE_CODES))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    answer(front.into_inner(), request, payload, &ENDPOINT).await
}
