//! `POST /v1.1/spoofdetect`: one photo for signs of a presentation attack.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, MediaRole};

use super::call::{Endpoint, answer};
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::Form;

/// The documented PHP client sends the photo as `id_card`.
static ENDPOINT: Endpoint = Endpoint {
    form: Form { files: &[("photo", MediaRole::Photo), ("id_card", MediaRole::Photo)], texts: &[] },
    usual: Kind::Spoof,
    kind: |_| Ok(Kind::Spoof),
};

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    answer(front.into_inner(), request, payload, &ENDPOINT).await
}
