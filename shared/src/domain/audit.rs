//! The audit log's vocabulary: who did what to which resource, without personal data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ApiKeyInfo, AuditId, DisabledReason, KeyId, NewReview, TenantId, Timestamp, VerificationId, WebhookId,
};

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// Whoever held that API key.
    Key(KeyId),
    /// Whoever may run the command line beside the database.
    CommandLine,
    /// The service itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(formatter),
            Self::CommandLine => formatter.write_str("cli"),
            Self::System => formatter.write_str("system"),
        }
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cli" => Ok(Self::CommandLine),
            "system" => Ok(Self::System),
            key => key.parse().map(Self::Key).map_err(|_| format!("unknown actor `{text}`")),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    TenantCreated,
    TenantChanged,
    TenantSuspended,
    TenantResumed,
    KeyCreated,
    KeyChanged,
    KeyRevoked,
    KeyRotated,
    WebhookCreated,
    WebhookChanged,
    WebhookDeleted,
    /// By the service, because of what the endpoint answers.
    WebhookDisabled,
    WebhookSecretRotated,
    /// Somebody looked at a file.
    MediaRead,
    VerificationReviewed,
    /// The tombstone: row, report and everything about it are gone.
    VerificationErased,
    /// The media of an erased verification are gone too.
    MediaErased,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantCreated => "tenant.created",
            Self::TenantChanged => "tenant.changed",
            Self::TenantSuspended => "tenant.suspended",
            Self::TenantResumed => "tenant.resumed",
            Self::KeyCreated => "key.created",
            Self::KeyChanged => "key.changed",
            Self::KeyRevoked => "key.revoked",
            Self::KeyRotated => "key.rotated",
            Self::WebhookCreated => "webhook.created",
            Self::WebhookChanged => "webhook.changed",
            Self::WebhookDeleted => "webhook.deleted",
            Self::WebhookDisabled => "webhook.disabled",
            Self::WebhookSecretRotated => "webhook.secret_rotated",
            Self::MediaRead => "media.read",
            Self::VerificationReviewed => "verification.reviewed",
            Self::VerificationErased => "verification.erased",
            Self::MediaErased => "media.erased",
        }
    }
}

/// One line of the log. An action is text here: a newer build may have written one that this build does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    pub id: AuditId,
    /// Whose resource it was; none for what belongs to the installation.
    pub tenant: Option<TenantId>,
    pub actor: Actor,
    pub action: String,
    /// The identifier of what it was done to.
    pub resource: Option<String>,
    /// Identifiers, names of states, numbers, times: never what a person is or shows.
    pub details: Map<String, Value>,
}

impl AuditEntry {
    /// An entry of now.
    pub fn new(actor: Actor, action: Action, tenant: TenantId, resource: impl fmt::Display) -> Self {
        Self {
            id: AuditId::new(),
            tenant: Some(tenant),
            actor,
            action: action.name().to_owned(),
            resource: Some(resource.to_string()),
            details: Map::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub fn key_created(actor: Actor, key: &ApiKeyInfo) -> Self {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
        let entry = Self::new(actor, Action::KeyCreated, key.tenant, key.id).with("scopes", scopes);
        entry.with("expires_at", time(key.expires_at))
    }

    /// `changed` names the members; a label may be anything, so no value is told.
    pub fn key_changed(actor: Actor, key: &ApiKeyInfo, changed: &[&str]) -> Self {
        Self::new(actor, Action::KeyChanged, key.tenant, key.id).with("changed", changed)
    }

    pub fn key_rotated(actor: Actor, old: &ApiKeyInfo, new: &ApiKeyInfo) -> Self {
        Self::new(actor, Action::KeyRotated, old.tenant, old.id)
            .with("successor", new.id.to_string())
            .with("expires_at", time(old.expires_at))
    }

    /// The reason may be anything, so it is not told.
    pub fn reviewed(tenant: TenantId, id: VerificationId, review: &NewReview) -> Self {
        Self::new(Actor::Key(review.reviewer), Action::VerificationReviewed, tenant, id)
            .with("decision", review.decision.name())
    }

    pub fn webhook_disabled(tenant: TenantId, id: WebhookId, reason: DisabledReason) -> Self {
        Self::new(Actor::System, Action::WebhookDisabled, tenant, id).with("reason", reason.name())
    }

    /// When it was written.
    pub fn at(&self) -> Timestamp {
        self.id.created_at()
    }
}

/// An entry as it is shown and exported.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry, example = json!({
    "id": "aud_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "at": "2026-11-27T09:30:00.000Z",
    "tenant": "ten_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "actor": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    "action": "key.revoked", "resource": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a8", "details": {},
}))]
pub struct AuditLine {
    id: AuditId,
    #[schema(format = DateTime)]
    at: String,
    /// Whose resource it was.
    #[schema(required)]
    tenant: Option<TenantId>,
    /// A key's id, `cli` or `system`.
    #[schema(value_type = String)]
    actor: Actor,
    action: String,
    /// The id of what it was done to.
    #[schema(required)]
    resource: Option<String>,
    /// More about it, without personal data.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

impl From<AuditEntry> for AuditLine {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at().to_string(),
            tenant: entry.tenant,
            actor: entry.actor,
            action: entry.action,
            resource: entry.resource,
            details: entry.details,
        }
    }
}

/// What is remembered of an erased verification. The names are as the row had them: nothing is decoded that a newer build
/// may have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    pub kind: Option<String>,
    pub state: String,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

impl Erased {
    pub fn tombstone(self, actor: Actor, tenant: TenantId, id: VerificationId) -> AuditEntry {
        AuditEntry::new(actor, Action::VerificationErased, tenant, id)
            .with("kind", self.kind)
            .with("state", self.state)
            .with("attempts", self.attempts)
            .with("created_at", self.created_at.to_string())
            .with("started_at", time(self.started_at))
            .with("finished_at", time(self.finished_at))
    }
}

fn time(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| time.to_string().into())
}

/// Which entries are wanted: those that every given condition fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub tenant: Option<TenantId>,
    pub action: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// The identifiers between which the wanted entries lie: the first is one of them, the second is not.
    pub fn bounds(&self, before: Option<AuditId>) -> (Uuid, Uuid) {
        let first = self.from.map_or(Uuid::nil(), first_id_at);
        let end = self.until.map_or(Uuid::max(), first_id_at);
        (first, before.map_or(end, |before| end.min(*before.as_uuid())))
    }
}

/// No `UUIDv7` of that time or later sorts before it.
fn first_id_at(time: Timestamp) -> Uuid {
    const MILLIS_END: i64 = 1 << 48;
    let millis = time.as_millis().clamp(0, MILLIS_END - 1);
    Uuid::from_u128((millis as u128) << 80)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_actor_reads_back() {
        for actor in [Actor::Key(KeyId::new()), Actor::CommandLine, Actor::System] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert!("somebody".parse::<Actor>().is_err());
    }

    #[test]
    fn times_bound_identifiers() {
        let entry = AuditEntry::new(Actor::System, Action::MediaErased, TenantId::new(), "ver_x");
        let (id, at) = (*entry.id.as_uuid(), entry.at());
        let bounds = |from, until| AuditFilter { from, until, ..AuditFilter::default() }.bounds(None);
        let next = at.after(Duration::from_millis(1));
        for (from, until, wanted) in [
            (None, None, true),
            (Some(at), Some(next), true),
            (Some(next), None, false),
            (None, Some(at), false),
        ] {
            let (first, end) = bounds(from, until);
            assert_eq!(first <= id && id < end, wanted, "{from:?} {until:?}");
        }
        let (_, end) = AuditFilter::default().bounds(Some(entry.id));
        assert_eq!(end, id);
    }
}
