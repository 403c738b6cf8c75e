//! `GET /v2/verifications/{id}`: a verification as a resource.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{
    Check, Failure, Kind, ProblemCode, Report, Scope, State, Timestamp, Verdict, Verification, VerificationId,
};
use serde::Serialize;

use crate::auth;
use crate::front::Front;
use crate::problem::Problem;

#[derive(Serialize)]
struct Resource {
    id: VerificationId,
    kind: Kind,
    state: State,
    attempts: u32,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    verdict: Option<Verdict>,
    checks: Vec<Check>,
    report: Option<Report>,
    error: Option<Failure>,
}

impl From<Verification> for Resource {
    fn from(verification: Verification) -> Self {
        let text = |time: Timestamp| time.to_string();
        let report = verification.report;
        Self {
            id: verification.id,
            kind: verification.request.kind,
            state: verification.state,
            attempts: verification.attempts,
            created_at: text(verification.created_at),
            started_at: verification.started_at.map(text),
            finished_at: verification.finished_at.map(text),
            verdict: report.as_ref().map(|report| report.verdict),
            checks: report.as_ref().map(|report| report.checks.clone()).unwrap_or_default(),
            report,
            error: verification.error,
        }
    }
}

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = auth::by_header(&front, request.headers(), Scope::VerifyRead)
        .await?
        .ok_or_else(|| Problem::of(ProblemCode::InvalidApiKey))?;
    let id: VerificationId = id.parse().map_err(|_| Problem::of(ProblemCode::NotFound))?;
    let verification = front.verifications.verification(caller.tenant, id).await?;
    Ok(HttpResponse::Ok().json(Resource::from(verification)))
}
