//! The states and their transitions are decided in the domain; every store's statements must agree.

use std::time::Duration;

use super::{RETRY, accept, read, report};
use crate::domain::{Failure, NewVerification, ProblemCode, State, Transition};
use crate::store::{Claim, Lease, Outcome, Stores};

/// In steps that change something; after each of them, every step is tried.
const LONGEST_WALK: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    Retry,
    Succeed,
    Fail,
    Cancel,
}

impl Step {
    const ALL: [Self; 5] = [Self::Claim, Self::Retry, Self::Succeed, Self::Fail, Self::Cancel];

    /// The state after the step, if the domain allows it.
    fn after(self, state: State) -> Option<State> {
        let transition = match self {
            Self::Claim => Transition::Claim,
            Self::Retry => Transition::Retry,
            Self::Succeed => Transition::Succeed,
            // A worker fails only what it holds.
            Self::Fail if state == State::Queued => return None,
            Self::Fail => Transition::Fail,
            Self::Cancel => Transition::Cancel,
        };
        state.after(transition).ok()
    }

    /// Takes the step, with the lease of the last claim where it needs one; true when the store allowed it.
    async fn take(self, stores: &Stores, new: &NewVerification, lease: &mut Lease) -> bool {
        let store = &stores.verifications;
        let outcome = match self {
            Self::Claim => match store.claim(new.id, "worker", Duration::ZERO).await.expect("an answer") {
                Claim::Claimed(claimed, _) => {
                    *lease = claimed;
                    return true;
                }
                _ => return false,
            },
            Self::Cancel => return store.cancel(new.tenant, new.id).await.is_ok(),
            Self::Retry => RETRY,
            Self::Succeed => Outcome::Succeeded(Box::new(report())),
            Self::Fail => Outcome::Failed(Failure::new(ProblemCode::Internal, "told to")),
        };
        store.finish(lease, &outcome).await.is_ok()
    }
}

pub async fn the_store_allows_what_the_domain_allows(stores: &Stores) {
    let mut walks = vec![(Vec::new(), State::Queued)];
    while let Some((walk, state)) = walks.pop() {
        for step in Step::ALL {
            let new = accept(stores).await;
            let mut lease = Lease { id: new.id, tenant: new.tenant, owner: "nobody".to_owned(), attempt: 0 };
            for before in &walk {
                let before: &Step = before;
                assert!(before.take(stores, &new, &mut lease).await, "{before:?} of {walk:?}");
            }
            let after = step.after(state);
            let taken = step.take(stores, &new, &mut lease).await;
            assert_eq!(taken, after.is_some(), "{step:?} after {walk:?}");
            assert_eq!(read(stores, &new).await.state, after.unwrap_or(state), "{step:?} after {walk:?}");
            if let Some(after) = after
                && walk.len() + 1 < LONGEST_WALK
            {
                walks.push(([walk.as_slice(), &[step]].concat(), after));
            }
        }
    }
}
