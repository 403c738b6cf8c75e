//! `POST /v2/verifications/{id}/cancel`: gives up a verification that no worker has yet.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, State};
use countersign_shared::store::StoreError;

use super::resource::Resource;
use super::{caller, verification_id};
use crate::front::Front;
use crate::problem::Problem;

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyWrite).await?;
    let id = verification_id(&id)?;
    let canceled = front.verifications.cancel(caller.tenant, id).await;
    if canceled.is_ok() {
        front.signal.announce(id).await;
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
