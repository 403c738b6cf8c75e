//! What orchestrators and scrapers ask.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::front::Front;
use crate::readiness::Readiness;

#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "ready"}))]
pub(super) struct Status {
    /// `ok`; of readiness: `starting`, `ready` or `stopping`.
    status: &'static str,
}

/// Tells that the process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "get_health",
    tag = "service",
    responses((status = 200, description = "It answers.", body = Status, example = json!({"status": "ok"}))),
)]
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Status { status: "ok" })
}

/// Tells whether the process can do its work.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "service",
    responses(
        (status = 200, description = "It can.", body = Status, example = json!({"status": "ready"})),
        (
            status = 503,
            description = "Models are loading, or the process is stopping.",
            body = Status,
            example = json!({"status": "starting"}),
        ),
    ),
)]
pub(super) async fn ready(front: Data<Front>) -> HttpResponse {
    let readiness = front.readiness();
    let mut response = match readiness {
        Readiness::Ready => HttpResponse::Ok(),
        Readiness::Starting | Readiness::Stopping => HttpResponse::ServiceUnavailable(),
    };
    response.json(Status { status: readiness.name() })
}

/// Metrics as Prometheus text.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "service",
    responses((
        status = 200,
        description = "Every metric of this process.",
        body = String,
        content_type = "text/plain; charset=utf-8",
        example = json!("# TYPE countersign_queue_depth gauge\ncountersign_queue_depth{lane=\"photo.interactive\"} 0\n"),
    )),
)]
pub(super) async fn metrics(front: Data<Front>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body((front.metrics)())
}
