//! The documented v1.1 endpoints: a multipart request, a wait, the documented JSON.

mod call;
mod photoverify;
mod spoofdetect;
mod videoverify;
pub(crate) mod view;

use actix_web::web::{self, ServiceConfig};

use utoipa::OpenApi;

use super::resource;

/// The operations of this folder, for the document.
#[derive(OpenApi)]
#[openapi(paths(photoverify::handle, spoofdetect::handle, videoverify::handle))]
pub(super) struct Operations;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1.1/photoverify").route(web::post().to(photoverify::handle)))
        .service(resource("/v1.1/videoverify").route(web::post().to(videoverify::handle)))
        .service(resource("/v1.1/spoofdetect").route(web::post().to(spoofdetect::handle)));
}
