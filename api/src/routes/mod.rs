//! The paths and who answers them.

mod document;
mod fixed;
mod health;
mod page;
pub(crate) mod v1_1;
pub(crate) mod v2;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use countersign_shared::domain::ProblemCode;
use utoipa::OpenApi;

use crate::problem::Problem;

/// The operations of this file's routes, for the document.
#[derive(OpenApi)]
#[openapi(paths(health::alive, health::ready, health::metrics, document::handle, page::handle))]
struct Operations;

/// What the document says of every route.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Operations::openapi();
    document.merge(v1_1::Operations::openapi());
    document.merge(v2::document());
    document
}

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/healthz").route(web::get().to(health::alive)))
        .service(resource("/readyz").route(web::get().to(health::ready)))
        .service(resource("/metrics").route(web::get().to(health::metrics)))
        .service(resource("/openapi.json").route(web::get().to(document::handle)))
        .service(resource("/docs").route(web::get().to(page::handle)))
        // Relative, since a proxy may have put something before it.
        .service(web::redirect("/docs/", "../docs"))
        .service(resource("/docs/{file}").route(web::get().to(page::file)))
        .configure(v1_1::configure)
        .configure(v2::configure)
        .default_service(web::to(not_found));
}

/// A resource that answers 405 to methods that no route of it takes.
fn resource(path: &str) -> Resource {
    web::resource(path.to_owned()).default_service(web::to(method_not_allowed))
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ProblemCode::NotFound, "there is no such path"))
}

async fn method_not_allowed() -> Result<HttpResponse, Problem> {
    Err(Problem::of(ProblemCode::MethodNotAllowed))
}
