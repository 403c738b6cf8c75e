//! The port to many verifications at once: those that are waited for, and a tenant's own, page by page.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::domain::{Kind, State, TenantId, Timestamp, Verification, VerificationId};

/// How many rows a page looks at where no index knows which of them are asked for: the time that it takes is bounded,
/// and the next page goes on behind them.
pub const SCANNED: u32 = 1000;

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub id: VerificationId,
    pub state: State,
    pub attempts: u32,
}

/// Which verifications are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    pub state: Option<State>,
    pub kind: Option<Kind>,
    /// Those whose identifiers were made then or later, which is when their upload began.
    pub from: Option<Timestamp>,
    /// Those whose identifiers were made before.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Before which identifier, and from which on.
    pub(super) fn bounds(&self, before: Option<VerificationId>) -> (Uuid, Uuid) {
        let first_at = |time: Timestamp| *VerificationId::first_at(time).as_uuid();
        let before = before.map_or(Uuid::max(), |id| *id.as_uuid());
        let until = self.until.map_or(Uuid::max(), first_at);
        (before.min(until), self.from.map_or(Uuid::nil(), first_at))
    }

    /// Whether rows have to be looked at that are not asked for.
    pub(super) fn is_searched(&self) -> bool {
        self.kind.is_some() || self.state == Some(State::Succeeded)
    }
}

/// One row of a list.
#[derive(Debug)]
pub enum Listed {
    Readable(Box<Verification>),
    /// A newer build wrote it.
    Unreadable(VerificationId),
}

impl Listed {
    pub const fn id(&self) -> VerificationId {
        match self {
            Self::Readable(verification) => verification.id,
            Self::Unreadable(id) => *id,
        }
    }

    pub(super) fn of(id: VerificationId, decoded: Result<Verification, StoreError>) -> Self {
        decoded.map_or(Self::Unreadable(id), |verification| Self::Readable(Box::new(verification)))
    }
}

/// Some of a list, newest first.
#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Listed>,
    /// The next page has those before this one; `None` when there are no more.
    pub next: Option<VerificationId>,
}

impl Page {
    /// From one row more than were asked for, which tells whether there are more. Where the search ended at `searched`,
    /// there may be others behind it.
    pub(super) fn of(mut rows: Vec<Listed>, limit: u32, searched: Option<VerificationId>) -> Self {
        let limit = limit as usize;
        if rows.len() <= limit {
            return Self { rows, next: searched };
        }
        rows.truncate(limit);
        let next = rows.last().map(Listed::id);
        Self { rows, next }
    }
}

/// Many verifications at once.
#[async_trait]
pub trait Overview: Send + Sync {
    /// How far these have come, whoever's they are: for those who already know of them. At most a few thousand at a
    /// time; those that have no row are left out.
    async fn progress(&self, ids: &[VerificationId]) -> Result<Vec<Progress>, StoreError>;
    /// The tenant's verifications, newest first: those before `before`, at most `limit`. Where the filter makes it look
    /// at more than [`SCANNED`] rows, the page may be short or empty and still not be the last.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &Filter,
        before: Option<VerificationId>,
        limit: u32,
    ) -> Result<Page, StoreError>;
}
