//! `DELETE /v2/verifications/{id}`: erases a verification, its report and its media.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Actor, ProblemCode, Scope, TenantId, VerificationId};
use countersign_shared::signal::Change;
use countersign_shared::store::StoreError;
use countersign_shared::telemetry::events;
use tracing::Instrument;

use super::{caller, verification_id};
use crate::front::Front;
use crate::problem::Problem;

/// Erases a verification, whatever its state: report, media and everything about it.
///
/// A worker that has it throws its work away. What stays is an entry of the audit log, without personal data. Media that
/// can't be reached now are deleted as soon as they can; the audit log says when they were.
#[utoipa::path(
    delete,
    path = "/v2/verifications/{id}",
    operation_id = "erase_verification",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification.")),
    responses((status = 204, description = "It is erased.")),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyWrite).await?;
    let id = verification_id(&id)?;
    let erasing = erase(front.clone().into_inner(), caller.tenant, id, caller.actor());
    // To its end, also when the client does not wait for it.
    let erased = front.background.spawn(erasing.in_current_span()).await;
    erased.map_err(|panic| Problem::caused_by(ProblemCode::Internal, panic))??;
    Ok(HttpResponse::NoContent().finish())
}

async fn erase(
    front: Arc<Front>,
    tenant: TenantId,
    id: VerificationId,
    actor: Actor,
) -> Result<(), StoreError> {
    front.erasures.erase(tenant, id, actor).await?;
    events::verification_erased(id);
    // Whoever waits for its result waits for nothing.
    front.signal.announce(id, Change::End).await;
    if let Err(error) = front.blobs.delete_all(id).await {
        // The reaper deletes them.
        events::dependency_failed("erase media", &error);
        return Ok(());
    }
    match front.erasures.media_erased(id).await {
        Ok(()) | Err(StoreError::NotFound) => {}
        Err(error) => events::dependency_failed("note that media are erased", &error),
    }
    Ok(())
}
