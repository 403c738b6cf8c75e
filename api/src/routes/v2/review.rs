//! `POST /v2/verifications/{id}/review`: a moderator's decision beside the machine's.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use countersign_shared::domain::{Decision, NewReview, ProblemCode, Review, Scope, VerificationId};
use countersign_shared::store::StoreError;
use countersign_shared::store::reviews::MOST_REVIEWS;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::body;
use super::{caller, verification_id};
use crate::front::Front;
use crate::problem::Problem;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// A moderator's decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewRequest, example = json!({"decision": "approved", "reason": "the person was called back"}))]
struct Asked {
    decision: Decision,
    /// Why, for people: at most 1,000 characters.
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Notes a moderator's decision beside the machine's.
///
/// The verdict stays as it is. Every decision is kept; the latest is shown in the verification as `review`.
#[utoipa::path(
    post,
    path = "/v2/verifications/{id}/review",
    operation_id = "review_verification",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification.")),
    request_body = Asked,
    responses((status = 201, description = "It is noted.", body = Review, headers(("X-Verification-Id")))),
    security(("bearer" = ["review:write"]), ("api_key" = ["review:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::MissingField, ProblemCode::InvalidField, ProblemCode::NotFound, ProblemCode::Conflict]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::ReviewWrite).await?;
    let id = verification_id(&id)?;
    let Asked { decision, reason } = body(payload).await?;
    let reason = reason.as_deref().map(reason_text).transpose()?.filter(|reason| !reason.is_empty());
    request.extensions_mut().insert(id);
    let new = NewReview { decision, reason, reviewer: caller.key };
    match front.reviews.add_review(caller.tenant, id, &new).await {
        Ok(review) => Ok(HttpResponse::Created().json(review)),
        Err(StoreError::Conflict) => {
            let state = front.verifications.verification(caller.tenant, id).await?.state;
            let detail = if state.can_be_reviewed() {
                format!("the verification has {MOST_REVIEWS} reviews, which is the most")
            } else {
                format!(
                    "the verification is {}; one that has succeeded or failed can be reviewed",
                    state.name()
                )
            };
            Err(Problem::new(ProblemCode::Conflict, detail))
        }
        Err(error) => Err(error.into()),
    }
}

fn reason_text(text: &str) -> Result<String, Problem> {
    let invalid = |detail: String| Problem::new(ProblemCode::InvalidField, detail);
    if text.chars().count() > LONGEST_REASON {
        return Err(invalid(format!("`reason` must have at most {LONGEST_REASON} characters")));
    }
    // PostgreSQL keeps every character but this one.
    if text.contains('\0') {
        return Err(invalid("`reason` must not hold the character U+0000".to_owned()));
    }
    Ok(text.trim().to_owned())
}
