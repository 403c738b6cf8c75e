//! `GET /v2/admin/tenants`: every tenant, newest first, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, TenantId};
use serde::Deserialize;

use super::super::query;
use super::administrator;
use super::page::{Cut, Page};
use super::tenant::View;
use crate::front::Front;
use crate::problem::Problem;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Most tenants of the page; 20 without it.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<TenantId>)]
    cursor: Option<String>,
}

/// Lists every tenant, newest first, page by page.
#[utoipa::path(
    get,
    path = "/v2/admin/tenants",
    operation_id = "list_tenants",
    tag = "administration",
    params(Query),
    responses((status = 200, description = "A page.", body = Page<View>)),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    administrator(&front, &request).await?;
    let Query { limit, cursor } = query(&request)?;
    let cut = Cut::<TenantId>::of(limit, cursor.as_deref())?;
    let tenants = front.tenants.tenants(cut.before, cut.rows()).await?;
    let page: Page<View> = cut.page(tenants, |tenant| tenant.id);
    Ok(HttpResponse::Ok().json(page))
}
