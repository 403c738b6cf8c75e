//! `POST /v2/verifications/{id}/cancel`: gives up a verification that no worker has yet.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, State, VerificationId};
use countersign_shared::signal::Change;
use countersign_shared::store::StoreError;

use super::resource::Resource;
use super::{caller, verification_id};
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;

/// Gives up a verification that no worker has yet.
///
/// One that is canceled already is answered likewise.
#[utoipa::path(
    post,
    path = "/v2/verifications/{id}/cancel",
    operation_id = "cancel_verification",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification.")),
    responses((status = 200, description = "It is canceled.", body = Resource, example = json!(sample::canceled()))),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound, ProblemCode::Conflict]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyWrite).await?;
    let id = verification_id(&id)?;
    let canceled = front.verifications.cancel(caller.tenant, id).await;
    if canceled.is_ok() {
        front.signal.announce(id, Change::End).await;
    }
    let verification = front.verifications.verification(caller.tenant, id).await?;
    match canceled {
        Ok(()) => {}
        // Asked for twice: it is as it was asked.
        Err(StoreError::Conflict) if verification.state == State::Canceled => {}
        Err(StoreError::Conflict) => {
            let detail = format!("the verification is {}", verification.state.name());
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(HttpResponse::Ok().json(Resource::from(verification)))
}
