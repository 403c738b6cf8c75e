//! `GET /v2/admin/keys`: keys without their secrets, newest first, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyId, ProblemCode, TenantId};
use serde::Deserialize;

use super::super::query;
use super::key::View;
use super::page::{Cut, Page};
use super::{administrator, invalid};
use crate::front::Front;
use crate::problem::Problem;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only this tenant's.
    #[param(value_type = Option<TenantId>)]
    tenant: Option<String>,
    /// Most keys of the page; 20 without it.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<KeyId>)]
    cursor: Option<String>,
}

/// Lists keys without their secrets, newest first, page by page.
#[utoipa::path(
    get,
    path = "/v2/admin/keys",
    operation_id = "list_keys",
    tag = "administration",
    params(Query),
    responses((status = 200, description = "A page.", body = Page<View>)),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    administrator(&front, &request).await?;
    let Query { tenant, limit, cursor } = query(&request)?;
    let tenant = tenant.map(|tenant| tenant.parse::<TenantId>()).transpose();
    let tenant = tenant.map_err(|error| invalid(format!("`tenant`: {error}")))?;
    let cut = Cut::<KeyId>::of(limit, cursor.as_deref())?;
    let keys = front.keys.keys(tenant, cut.before, cut.rows()).await?;
    let page: Page<View> = cut.page(keys, |key| key.id);
    Ok(HttpResponse::Ok().json(page))
}
