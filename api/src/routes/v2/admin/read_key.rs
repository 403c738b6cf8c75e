//! `GET /v2/admin/keys/{id}`: one key without its secret.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyId, ProblemCode};

use super::key::View;
use super::{administrator, named};
use crate::front::Front;
use crate::problem::Problem;

/// Reads a key, without its secret.
#[utoipa::path(
    get,
    path = "/v2/admin/keys/{id}",
    operation_id = "read_key",
    tag = "administration",
    params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key.", body = View)),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    administrator(&front, &request).await?;
    let key = front.keys.key(named(&id)?).await?;
    Ok(HttpResponse::Ok().json(View::from(key)))
}
