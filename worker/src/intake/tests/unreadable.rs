//! A row that this build can't read, as after a downgrade.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_shared::domain::{
    Lane, NewVerification, ProblemCode, State, TenantId, Timestamp, Verification, VerificationId,
};
use countersign_shared::store::contract::report;
use countersign_shared::store::{Backlog, Claim, Lease, Outcome, StoreError, VerificationStore};

use super::house::{House, step};
use crate::intake::Handled;

/// A store whose rows can be claimed but not read.
struct FakeUnreadable(Arc<dyn VerificationStore>);

#[async_trait]
impl VerificationStore for FakeUnreadable {
    async fn accept(&self, new: &NewVerification) -> Result<Timestamp, StoreError> {
        self.0.accept(new).await
    }

    async fn verification(&self, tenant: TenantId, id: VerificationId) -> Result<Verification, StoreError> {
        self.0.verification(tenant, id).await
    }

    async fn cancel(&self, tenant: TenantId, id: VerificationId) -> Result<(), StoreError> {
        self.0.cancel(tenant, id).await
    }

    async fn claim(&self, id: VerificationId, owner: &str, lease: Duration) -> Result<Claim, StoreError> {
        Ok(match self.0.claim(id, owner, lease).await? {
            Claim::Claimed(lease, _) => {
                Claim::Unreadable(lease, Box::new(StoreError::Other("an unknown field".into())))
            }
            other => other,
        })
    }

    async fn renew(&self, held: &Lease, lease: Duration) -> Result<(), StoreError> {
        self.0.renew(held, lease).await
    }

    async fn finish(&self, held: &Lease, outcome: &Outcome) -> Result<(), StoreError> {
        self.0.finish(held, outcome).await
    }

    async fn backlog(&self, lane: Lane, tenant: TenantId, limit: u64) -> Result<Backlog, StoreError> {
        self.0.backlog(lane, tenant, limit).await
    }
}

#[tokio::test]
async fn a_row_that_can_not_be_read_fails_visibly_when_its_attempts_are_used() {
    let mut house = House::new().await;
    house.adapters.stores.verifications =
        Arc::new(FakeUnreadable(house.adapters.stores.verifications.clone()));
    let new = house.accept().await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Failed));
    assert_eq!(house.row(&new).await.error.map(|error| error.code), Some(ProblemCode::Internal));
    assert_eq!(pipeline.runs(), 0);
}
