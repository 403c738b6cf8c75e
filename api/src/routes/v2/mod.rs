//! The v2 resources that can be read.

mod errors;
mod languages;
mod verification;

use actix_web::web::{self, ServiceConfig};

use super::resource;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v2/errors").route(web::get().to(errors::handle)))
        .service(resource("/v2/languages").route(web::get().to(languages::handle)))
        .service(resource("/v2/verifications/{id}").route(web::get().to(verification::handle)));
}
