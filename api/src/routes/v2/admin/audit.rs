//! `GET /v2/admin/audit`: who did what, newest first; page by page, or all of it as lines of JSON.

use std::sync::Arc;

use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{AuditFilter, AuditId, AuditLine, ProblemCode, TenantId, Timestamp};
use countersign_shared::store::{AuditLog, StoreError};
use countersign_shared::telemetry::events;
use futures::{Stream, stream};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::query;
use super::page::{Cut, Page};
use super::{administrator, invalid};
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;

const LINES: &str = "application/x-ndjson";

/// Entries that are read at a time for lines.
const BATCH: u32 = 500;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only what was done to this tenant's resources.
    #[param(value_type = Option<TenantId>)]
    tenant: Option<String>,
    /// Only this action.
    #[param(example = "key.created")]
    action: Option<String>,
    /// At this time (RFC 3339) or later.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Option<String>,
    /// Before this time (RFC 3339).
    #[param(format = DateTime, example = "2026-12-01T00:00:00Z")]
    until: Option<String>,
    /// `json`, or `jsonl` for every entry as a line of its own, as with `Accept: application/x-ndjson`.
    #[param(value_type = Option<Format>)]
    format: Option<String>,
    /// Most entries of the page; 20 without it. Not for lines.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<AuditId>)]
    cursor: Option<String>,
}

/// How entries are sent.
#[derive(ToSchema)]
#[schema(as = AuditFormat, rename_all = "snake_case", example = "json")]
#[expect(dead_code, reason = "as the document shows it; a word that is neither is told what it may be")]
pub(super) enum Format {
    Json,
    Jsonl,
}

/// Lists the audit log, newest first: page by page, or all of it as lines of JSON.
#[utoipa::path(
    get,
    path = "/v2/admin/audit",
    operation_id = "list_audit_entries",
    tag = "administration",
    params(Query),
    responses((
        status = 200,
        description = "A page; as `application/x-ndjson`, every entry as a line of its own.",
        content(
            (Page<AuditLine> = "application/json"),
            (String = "application/x-ndjson", example = json!(sample::audit_lines())),
        ),
    )),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    administrator(&front, &request).await?;
    let Query { tenant, action, from, until, format, limit, cursor } = query(&request)?;
    let tenant = tenant.map(|text| text.parse::<TenantId>()).transpose();
    let filter = AuditFilter {
        tenant: tenant.map_err(|error| invalid(format!("`tenant`: {error}")))?,
        action,
        from: time("from", from)?,
        until: time("until", until)?,
    };
    let cut = Cut::<AuditId>::of(limit, cursor.as_deref())?;
    if wants_lines(format.as_deref(), request.headers())? {
        let lines = lines(front.audit_log.clone(), filter, cut.before);
        return Ok(HttpResponse::Ok().content_type(LINES).streaming(lines));
    }
    let entries = front.audit_log.entries(&filter, cut.before, cut.rows()).await?;
    let page: Page<AuditLine> = cut.page(entries, |entry| entry.id);
    Ok(HttpResponse::Ok().json(page))
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| text.parse()).transpose().map_err(|error| invalid(format!("`{name}`: {error}")))
}

fn wants_lines(format: Option<&str>, headers: &HeaderMap) -> Result<bool, Problem> {
    match format {
        Some("json") => Ok(false),
        Some("jsonl") => Ok(true),
        Some(_) => Err(invalid("`format` must be json or jsonl")),
        None => Ok(headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes() == LINES.as_bytes())),
    }
}

/// Batch after batch, as fast as the client reads. A store that goes away meanwhile ends the body before its end, which
/// the client sees.
fn lines(
    log: Arc<dyn AuditLog>,
    filter: AuditFilter,
    before: Option<AuditId>,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    stream::try_unfold(Some(before), move |position| {
        let (log, filter) = (log.clone(), filter.clone());
        async move {
            let Some(before) = position else { return Ok(None) };
            let entries = log.entries(&filter, before, BATCH).await;
            let entries = entries.inspect_err(|error| {
                events::dependency_failed("read the audit log", error);
            })?;
            let Some(last) = entries.last().map(|entry| entry.id) else { return Ok(None) };
            let next = (entries.len() == BATCH as usize).then_some(Some(last));
            let mut bytes = Vec::new();
            for entry in entries {
                serde_json::to_writer(&mut bytes, &AuditLine::from(entry))?;
                bytes.push(b'\n');
            }
            Ok(Some((Bytes::from(bytes), next)))
        }
    })
}
