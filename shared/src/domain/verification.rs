//! A verification: what was asked, and the states that it passes through.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    ChallengeId, Completion, Digits, Failure, KeyId, Lane, Language, Media, MediaRole, NamedChallenge,
    Priority, Report, Review, Standing, TenantId, Timestamp, VerificationId, WebhookUrl,
};

/// What is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "photo")]
pub enum Kind {
    /// A selfie photo against an ID card.
    Photo,
    /// A selfie video with six spoken digits against an ID card.
    Video,
    /// One photo for signs of a presentation attack.
    Spoof,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Photo, Self::Video, Self::Spoof];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Spoof => "spoof",
        }
    }

    /// The files that this kind needs, each exactly once.
    pub const fn roles(self) -> &'static [MediaRole] {
        match self {
            Self::Photo => &[MediaRole::IdCard, MediaRole::Photo],
            Self::Video => &[MediaRole::IdCard, MediaRole::Video],
            Self::Spoof => &[MediaRole::Photo],
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("unknown kind `{text}`"))
    }
}

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "succeeded")]
pub enum State {
    Queued,
    Processing,
    /// The job ran; the verdict is in its report.
    Succeeded,
    /// The job could not run; the reason is in its error.
    Failed,
    Canceled,
    /// Its report's retention has ended.
    Expired,
}

/// What can happen to a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// A worker takes it, or takes it over after a lease ran out.
    Claim,
    /// A worker gives it back to be tried again.
    Retry,
    Succeed,
    Fail,
    Cancel,
    Expire,
}

/// The transition does not exist from that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a verification that is {from:?} can't {transition:?}")]
pub struct IllegalTransition {
    pub from: State,
    pub transition: Transition,
}

impl State {
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Processing, Self::Succeeded, Self::Failed, Self::Canceled, Self::Expired];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// Nothing but expiry comes after it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Processing)
    }

    /// Whether there is a result for a moderator to look at.
    pub const fn can_be_reviewed(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    /// The state after `transition`: the only place where transitions are decided.
    pub const fn after(self, transition: Transition) -> Result<Self, IllegalTransition> {
        match (self, transition) {
            (Self::Queued | Self::Processing, Transition::Claim) => Ok(Self::Processing),
            (Self::Processing, Transition::Retry) => Ok(Self::Queued),
            (Self::Processing, Transition::Succeed) => Ok(Self::Succeeded),
            (Self::Queued | Self::Processing, Transition::Fail) => Ok(Self::Failed),
            (Self::Queued, Transition::Cancel) => Ok(Self::Canceled),
            (Self::Succeeded | Self::Failed | Self::Canceled, Transition::Expire) => Ok(Self::Expired),
            (from, transition) => Err(IllegalTransition { from, transition }),
        }
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| format!("unknown state `{text}`"))
    }
}

/// The machine's conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "passed")]
pub enum Verdict {
    Passed,
    Rejected,
}

impl Verdict {
    pub const fn from_passed(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Rejected }
    }
}

/// The newest version of [`Request`] that this build writes, and that its workers take.
pub const REQUEST_VERSION: u16 = 2;

/// The version of a request that workers of the first build understand too.
const FIRST_VERSION: u16 = 1;

/// What a worker needs to know to do the work. Stored as JSON with the row; fields are only ever added. One that older
/// workers must not overlook raises [`REQUEST_VERSION`], which only the requests that have it bear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    #[serde(default = "first_version")]
    pub version: u16,
    pub kind: Kind,
    pub priority: Priority,
    pub media: Vec<Media>,
    /// The digits to be spoken; set exactly when `kind` is [`Kind::Video`], unless the challenge that it names is
    /// unknown.
    pub challenge: Option<Digits>,
    /// The language they are spoken in; set exactly when `kind` is [`Kind::Video`].
    pub language: Option<Language>,
    /// The client's own, given back as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Who is told of its end, beside the tenant's endpoints. The stores' statements know it by this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<WebhookUrl>,
    /// The issued challenge that the digits are of. With any standing but [`Standing::Accepted`] it fails its check, and
    /// the version is 2: a worker that overlooks it would let it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_challenge: Option<NamedChallenge>,
}

const fn first_version() -> u16 {
    FIRST_VERSION
}

impl Request {
    /// The version of a request that names that challenge.
    pub const fn version_with(named: Option<NamedChallenge>) -> u16 {
        match named {
            None | Some(NamedChallenge { standing: Standing::Accepted, .. }) => FIRST_VERSION,
            Some(_) => REQUEST_VERSION,
        }
    }

    /// Says how the challenge that it names stands.
    pub fn challenge_stands(&mut self, standing: Standing) {
        self.named_challenge = self.named_challenge.map(|named| NamedChallenge { standing, ..named });
        self.version = Self::version_with(self.named_challenge);
    }

    /// The challenge that it would use up, were it open.
    pub fn challenge_to_use(&self) -> Option<ChallengeId> {
        self.named_challenge
            .filter(|named| matches!(named.standing, Standing::Accepted | Standing::Mismatch))
            .map(|named| named.id)
    }

    pub fn lane(&self) -> Lane {
        Lane::of(self.kind, self.priority)
    }

    pub fn media(&self, role: MediaRole) -> Option<&Media> {
        self.media.iter().find(|media| media.role == role)
    }
}

/// A verification about to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVerification {
    pub id: VerificationId,
    pub tenant: TenantId,
    /// The key that brought it, for the count of what was used.
    pub key: KeyId,
    pub request: Request,
    /// The W3C trace context of the request that brought it, to be continued by the worker.
    pub traceparent: Option<String>,
    /// The answer to be kept for the request's idempotency key, if it has one.
    pub completion: Option<Completion>,
}

/// A verification as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    pub id: VerificationId,
    pub tenant: TenantId,
    pub request: Request,
    pub state: State,
    /// How many times a worker has claimed it.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Set exactly when `state` is [`State::Succeeded`].
    pub report: Option<Report>,
    /// Set exactly when `state` is [`State::Failed`].
    pub error: Option<Failure>,
    /// The latest decision of a moderator.
    pub review: Option<Review>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRANSITIONS: [Transition; 6] = [
        Transition::Claim,
        Transition::Retry,
        Transition::Succeed,
        Transition::Fail,
        Transition::Cancel,
        Transition::Expire,
    ];

    proptest! {
        #[test]
        fn no_walk_leaves_a_final_state_but_by_expiry(steps in prop::collection::vec(0_usize..6, 0..40)) {
            let mut state = State::Queued;
            for step in steps {
                let Ok(next) = state.after(TRANSITIONS[step]) else { continue };
                prop_assert!(!state.is_final() || next == State::Expired);
                state = next;
            }
        }
    }

    #[test]
    fn names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
    }
}
