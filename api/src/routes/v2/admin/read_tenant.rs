//! `GET /v2/admin/tenants/{id}`: one tenant.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, TenantId};

use super::tenant::View;
use super::{administrator, named};
use crate::front::Front;
use crate::problem::Problem;

/// Reads a tenant.
#[utoipa::path(
    get,
    path = "/v2/admin/tenants/{id}",
    operation_id = "read_tenant",
    tag = "administration",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses((status = 200, description = "The tenant.", body = View)),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    administrator(&front, &request).await?;
    let tenant = front.tenants.tenant(named(&id)?).await?;
    Ok(HttpResponse::Ok().json(View::from(tenant)))
}
