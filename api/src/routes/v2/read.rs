//! `GET` and `HEAD /v2/verifications/{id}`: a verification, at once or as soon as it is finished.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::Scope;
use serde::Deserialize;

use super::resource::Resource;
use super::{caller, patience, query, verification_id};
use crate::etag;
use crate::front::Front;
use crate::problem::Problem;
use crate::wait;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    /// Seconds to wait for the end.
    wait: Option<u64>,
}

pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let id = verification_id(&id)?;
    let Query { wait } = query(&request)?;
    if let Some(limit) = wait.map(patience).transpose()? {
        let listener = front.signal.listen(id).await;
        if let Some(finished) = wait::finished(&front, caller.tenant, id, listener, limit).await? {
            return etag::answer(&request, &Resource::from(finished));
        }
    }
    let verification = front.verifications.verification(caller.tenant, id).await?;
    etag::answer(&request, &Resource::from(verification))
}
