//! What orchestrators and scrapers ask.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use serde::Serialize;

use crate::front::Front;
use crate::readiness::Readiness;

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// The process answers.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Status { status: "ok" })
}

/// The process can do its work: 200, else 503.
pub(super) async fn ready(front: Data<Front>) -> HttpResponse {
    let readiness = front.readiness();
    let mut response = match readiness {
        Readiness::Ready => HttpResponse::Ok(),
        Readiness::Starting | Readiness::Stopping => HttpResponse::ServiceUnavailable(),
    };
    response.json(Status { status: readiness.name() })
}

/// Prometheus text.
pub(super) async fn metrics(front: Data<Front>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body((front.metrics)())
}
