//! The paths and who answers them.

mod health;
pub(crate) mod v1_1;
mod v2;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use countersign_shared::domain::ProblemCode;

use crate::problem::Problem;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/healthz").route(web::get().to(health::alive)))
        .service(resource("/readyz").route(web::get().to(health::ready)))
        .service(resource("/metrics").route(web::get().to(health::metrics)))
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
