//! Administration of the whole installation: tenants, keys, the audit log. Every operation needs the scope `admin`.

mod audit;
mod change_key;
mod change_tenant;
mod create_key;
mod create_tenant;
mod key;
mod limits;
mod list_keys;
mod list_tenants;
mod page;
mod read_key;
mod read_tenant;
mod revoke_key;
mod rotate_key;
mod tenant;

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};
use countersign_shared::domain::{ProblemCode, Scope};
use utoipa::OpenApi;

use super::resource;
use crate::auth::Caller;
use crate::front::Front;
use crate::problem::Problem;

/// The operations of this folder, for the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        audit::handle,
        change_key::handle,
        change_tenant::handle,
        create_key::handle,
        create_tenant::handle,
        list_keys::handle,
        list_tenants::handle,
        read_key::handle,
        read_tenant::handle,
        revoke_key::handle,
        rotate_key::handle,
    ),
    components(schemas(audit::Format))
)]
pub(super) struct Operations;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v2/admin/tenants")
                .route(web::get().to(list_tenants::handle))
                .route(web::post().to(create_tenant::handle)),
        )
        .service(
            resource("/v2/admin/tenants/{id}")
                .route(web::get().to(read_tenant::handle))
                .route(web::patch().to(change_tenant::handle)),
        )
        .service(
            resource("/v2/admin/keys")
                .route(web::get().to(list_keys::handle))
                .route(web::post().to(create_key::handle)),
        )
        .service(
            resource("/v2/admin/keys/{id}")
                .route(web::get().to(read_key::handle))
                .route(web::patch().to(change_key::handle))
                .route(web::delete().to(revoke_key::handle)),
        )
        .service(resource("/v2/admin/keys/{id}/rotate").route(web::post().to(rotate_key::handle)))
        .service(resource("/v2/admin/audit").route(web::get().to(audit::handle)));
}

async fn administrator(front: &Front, request: &HttpRequest) -> Result<Caller, Problem> {
    super::caller(front, request, Scope::Admin).await
}

/// Something that is no identifier names nothing.
fn named<Id: FromStr>(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|_| Problem::of(ProblemCode::NotFound))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::InvalidField, detail)
}
