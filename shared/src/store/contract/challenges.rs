//! Digits that are issued and used up: what every store must do.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::{LEASE, is_conflict, is_not_found, new_verification, read};
use crate::domain::{
    Challenge, ChallengeId, ChallengeState, Completion, Digits, Fingerprint, Kind, NamedChallenge,
    NewVerification, Priority, REQUEST_VERSION, Request, Reservation, Standing, TenantId, Timestamp,
    VerificationId,
};
use crate::store::Stores;

const MOMENT: Duration = Duration::from_millis(1);

fn digits() -> Digits {
    "049281".parse().expect("six digits")
}

async fn issue(stores: &Stores, tenant: TenantId, lifetime: Duration) -> Challenge {
    stores.challenges.issue(tenant, digits(), lifetime).await.expect("issued")
}

/// A verification that names the challenge as a front end would that found it open.
fn naming(tenant: TenantId, id: ChallengeId) -> NewVerification {
    let new = new_verification(Kind::Video, Priority::Interactive);
    let named = NamedChallenge { id, standing: Standing::Accepted };
    let request = Request { named_challenge: Some(named), challenge: Some(digits()), ..new.request };
    NewVerification { tenant, request, ..new }
}

/// What the verification's request says of the challenge, with the request's version.
async fn standing(stores: &Stores, new: &NewVerification) -> (Standing, u16) {
    stores.verifications.accept(new).await.expect("accepted, whatever the challenge is");
    let request = read(stores, new).await.request;
    let named = request.named_challenge.expect("the challenge that was named");
    assert_eq!(Some(named.id), new.request.named_challenge.map(|named| named.id));
    assert_eq!((request.challenge, &request.media), (new.request.challenge, &new.request.media));
    (named.standing, request.version)
}

async fn state(stores: &Stores, challenge: &Challenge) -> ChallengeState {
    stores.challenges.challenge(challenge.tenant, challenge.id).await.expect("the challenge").state
}

pub async fn an_issued_challenge_is_open_until_it_expires(stores: &Stores) {
    let before = Timestamp::now();
    let tenant = TenantId::new();
    let issued = issue(stores, tenant, LEASE).await;
    assert_eq!((issued.tenant, issued.digits, issued.state), (tenant, digits(), ChallengeState::Open));
    assert!(issued.created_at >= before && issued.created_at <= Timestamp::now());
    assert_eq!(issued.expires_at, issued.created_at.after(LEASE));
    assert_eq!(stores.challenges.challenge(tenant, issued.id).await.expect("the challenge"), issued);
    let short = issue(stores, tenant, MOMENT).await;
    sleep(MOMENT * 5).await;
    assert_eq!(state(stores, &short).await, ChallengeState::Expired);
}

pub async fn another_tenants_challenge_is_unknown(stores: &Stores) {
    let issued = issue(stores, TenantId::new(), LEASE).await;
    let other = TenantId::new();
    assert!(is_not_found(&stores.challenges.challenge(other, issued.id).await));
    let stranger = naming(other, issued.id);
    assert_eq!(standing(stores, &stranger).await, (Standing::Unknown, REQUEST_VERSION));
    assert_eq!(state(stores, &issued).await, ChallengeState::Open);
    let nobodys = naming(other, ChallengeId::new());
    assert_eq!(standing(stores, &nobodys).await, (Standing::Unknown, REQUEST_VERSION));
}

pub async fn a_challenge_is_used_up_with_its_verification(stores: &Stores) {
    let issued = issue(stores, TenantId::new(), LEASE).await;
    let new = naming(issued.tenant, issued.id);
    assert_eq!(standing(stores, &new).await, (Standing::Accepted, Request::version_with(None)));
    assert_eq!(read(stores, &new).await.request, new.request);
    assert_eq!(state(stores, &issued).await, ChallengeState::Used);
}

pub async fn a_challenge_that_is_not_open_is_written_into_the_request(stores: &Stores) {
    let tenant = TenantId::new();
    let (used, expired) = (issue(stores, tenant, LEASE).await, issue(stores, tenant, MOMENT).await);
    standing(stores, &naming(tenant, used.id)).await;
    assert_eq!(standing(stores, &naming(tenant, used.id)).await, (Standing::Used, REQUEST_VERSION));
    sleep(MOMENT * 5).await;
    for _ in 0..2 {
        assert_eq!(standing(stores, &naming(tenant, expired.id)).await, (Standing::Expired, REQUEST_VERSION));
    }
    assert_eq!(state(stores, &expired).await, ChallengeState::Expired);
}

pub async fn a_challenge_with_other_digits_is_used_up_too(stores: &Stores) {
    let issued = issue(stores, TenantId::new(), LEASE).await;
    let mut wrong = naming(issued.tenant, issued.id);
    wrong.request.challenge_stands(Standing::Mismatch);
    assert_eq!(standing(stores, &wrong).await, (Standing::Mismatch, REQUEST_VERSION));
    assert_eq!(state(stores, &issued).await, ChallengeState::Used);
    let right = naming(issued.tenant, issued.id);
    assert_eq!(standing(stores, &right).await.0, Standing::Used);
    let mut wrong_again = naming(issued.tenant, issued.id);
    wrong_again.request.challenge_stands(Standing::Mismatch);
    assert_eq!(standing(stores, &wrong_again).await.0, Standing::Used);
}

pub async fn of_concurrent_uses_of_a_challenge_one_is_accepted(stores: &Stores) {
    let issued = issue(stores, TenantId::new(), LEASE).await;
    let all: Vec<NewVerification> = (0..20).map(|_| naming(issued.tenant, issued.id)).collect();
    let standings = join_all(all.iter().map(|new| standing(stores, new))).await;
    let count = |wanted| standings.iter().filter(|(standing, _)| *standing == wanted).count();
    assert_eq!((count(Standing::Accepted), count(Standing::Used)), (1, 19), "{standings:?}");
}

pub async fn a_request_that_accepts_nothing_uses_up_no_challenge(stores: &Stores) {
    let issued = issue(stores, TenantId::new(), LEASE).await;
    let reservation = Reservation::new(issued.tenant, &"a".parse().expect("a key"));
    // Nobody has reserved the key.
    let completion = Completion {
        reservation: reservation.clone(),
        fingerprint: Fingerprint::from_bytes([1; 32]),
        created_at: Timestamp::now(),
        answer: b"{}".to_vec(),
        keep: LEASE,
    };
    let new = NewVerification { completion: Some(completion), ..naming(issued.tenant, issued.id) };
    assert!(is_conflict(&stores.verifications.accept(&new).await));
    assert_eq!(state(stores, &issued).await, ChallengeState::Open);

    stores.idempotency.reserve(&reservation, LEASE).await.expect("reserved");
    assert_eq!(standing(stores, &new).await.0, Standing::Accepted);
    let again = NewVerification { id: VerificationId::new(), ..new };
    assert!(is_conflict(&stores.verifications.accept(&again).await));
}

pub async fn challenges_are_deleted_after_their_expiry(stores: &Stores) {
    let tenant = TenantId::new();
    for _ in 0..3 {
        let issued = issue(stores, tenant, MOMENT).await;
        stores.verifications.accept(&naming(tenant, issued.id)).await.expect("accepted");
    }
    let open = issue(stores, tenant, LEASE).await;
    sleep(MOMENT * 5).await;
    let sweep =
        async |limit| stores.upkeep.delete_challenges(Timestamp::now(), limit).await.expect("a count");
    assert_eq!((sweep(2).await, sweep(2).await, sweep(2).await), (2, 1, 0));
    assert_eq!(state(stores, &open).await, ChallengeState::Open);
}
