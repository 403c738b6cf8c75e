//! `DELETE /v2/admin/keys/{id}`: revokes a key.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyId, ProblemCode};

use super::{administrator, named};
use crate::front::Front;
use crate::problem::Problem;

/// Revokes a key, from the next request on. It stays listed.
#[utoipa::path(
    delete,
    path = "/v2/admin/keys/{id}",
    operation_id = "revoke_key",
    tag = "administration",
    params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 204, description = "It is revoked.")),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = administrator(&front, &request).await?;
    front.keys.revoke_key(named(&id)?, caller.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}
