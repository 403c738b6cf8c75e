//! Keys of requests that are done once: what every store must do.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::{LEASE, is_conflict, is_not_found, new_verification, outbox, read};
use crate::domain::{
    Completion, Fingerprint, KeptAnswer, Kind, NewVerification, Priority, Reservation, TenantId, Timestamp,
    VerificationId,
};
use crate::store::{Reserved, Stores};

/// Over before the next look.
const MOMENT: Duration = Duration::from_millis(1);

const KEY: &str = "order-7";

fn reservation(tenant: TenantId) -> Reservation {
    Reservation::new(tenant, &KEY.parse().expect("a key"))
}

async fn reserve(stores: &Stores, reservation: &Reservation) -> Reserved {
    stores.idempotency.reserve(reservation, LEASE).await.expect("an answer")
}

/// Reserves a key, and gives the verification that would be accepted under it.
pub async fn reserved(stores: &Stores, keep: Duration) -> NewVerification {
    let new = new_verification(Kind::Photo, Priority::Interactive);
    let reservation = reservation(new.tenant);
    let Reserved::Held(created_at) = reserve(stores, &reservation).await else { panic!("not held") };
    let fingerprint = Fingerprint::from_bytes([7; 32]);
    let answer = b"{\"state\": \"queued\"}".to_vec();
    NewVerification {
        completion: Some(Completion { reservation, fingerprint, created_at, answer, keep }),
        ..new
    }
}

fn completion(new: &NewVerification) -> &Completion {
    new.completion.as_ref().expect("it has a key")
}

pub async fn a_reserved_key_is_taken_for_everyone_else(stores: &Stores) {
    let tenant = TenantId::new();
    let before = Timestamp::now();
    let held = reserve(stores, &reservation(tenant)).await;
    assert!(matches!(held, Reserved::Held(at) if at >= before && at <= Timestamp::now()), "{held:?}");
    assert_eq!(reserve(stores, &reservation(tenant)).await, Reserved::Taken);
    let other = Reservation::new(tenant, &"order-8".parse().expect("a key"));
    assert!(matches!(reserve(stores, &other).await, Reserved::Held(_)));
}

pub async fn a_tenants_key_is_its_own(stores: &Stores) {
    for _ in 0..2 {
        assert!(matches!(reserve(stores, &reservation(TenantId::new())).await, Reserved::Held(_)));
    }
}

pub async fn a_key_is_free_when_its_reservation_ends_or_is_released(stores: &Stores) {
    let tenant = TenantId::new();
    let killed = reservation(tenant);
    let held = stores.idempotency.reserve(&killed, MOMENT).await.expect("an answer");
    assert!(matches!(held, Reserved::Held(_)));
    sleep(MOMENT * 5).await;
    let next = reservation(tenant);
    assert!(matches!(reserve(stores, &next).await, Reserved::Held(_)));
    stores.idempotency.release(&killed).await.expect("nothing of its own to release");
    assert_eq!(reserve(stores, &reservation(tenant)).await, Reserved::Taken);
    stores.idempotency.release(&next).await.expect("released");
    assert!(matches!(reserve(stores, &reservation(tenant)).await, Reserved::Held(_)));
}

pub async fn a_reservation_is_extended_by_its_owner_alone(stores: &Stores) {
    let tenant = TenantId::new();
    let owner = reservation(tenant);
    let short = stores.idempotency.reserve(&owner, Duration::from_millis(300)).await.expect("an answer");
    assert!(matches!(short, Reserved::Held(_)));
    assert_eq!(reserve(stores, &reservation(tenant)).await, Reserved::Taken);
    assert!(matches!(reserve(stores, &owner).await, Reserved::Held(_)));
    sleep(Duration::from_millis(400)).await;
    assert_eq!(reserve(stores, &reservation(tenant)).await, Reserved::Taken);
}

pub async fn of_concurrent_reservations_one_is_held(stores: &Stores) {
    let tenant = TenantId::new();
    let all: Vec<Reservation> = (0..20).map(|_| reservation(tenant)).collect();
    let results = join_all(all.iter().map(|reservation| reserve(stores, reservation))).await;
    let held = results.iter().filter(|result| matches!(result, Reserved::Held(_))).count();
    let taken = results.iter().filter(|result| **result == Reserved::Taken).count();
    assert_eq!((held, taken), (1, 19));
}

pub async fn an_answer_is_kept_with_its_verification(stores: &Stores) {
    let new = reserved(stores, LEASE).await;
    let created_at = stores.verifications.accept(&new).await.expect("accepted");
    let row = read(stores, &new).await;
    let completion = completion(&new);
    assert_eq!(row.request, new.request);
    assert_eq!([row.created_at, created_at], [completion.created_at; 2]);
    assert_eq!(outbox(stores).await.len(), 1);
    let kept = KeptAnswer {
        fingerprint: completion.fingerprint,
        verification: new.id,
        body: Some(completion.answer.clone()),
    };
    for _ in 0..2 {
        let again = reserve(stores, &reservation(new.tenant)).await;
        assert!(matches!(&again, Reserved::Answered(answer) if *answer == kept), "{again:?}");
    }
    let other = reserve(stores, &reservation(TenantId::new())).await;
    assert!(matches!(other, Reserved::Held(_)), "{other:?}");
}

pub async fn an_answer_is_neither_released_nor_taken_over(stores: &Stores) {
    let new = reserved(stores, LEASE).await;
    stores.verifications.accept(&new).await.expect("accepted");
    let owner = completion(&new).reservation.clone();
    stores.idempotency.release(&owner).await.expect("nothing to release");
    assert!(matches!(reserve(stores, &owner).await, Reserved::Answered(_)));
    let second = NewVerification { id: VerificationId::new(), ..new.clone() };
    assert!(is_conflict(&stores.verifications.accept(&second).await), "the key has its answer");
    assert!(is_not_found(&stores.verifications.verification(second.tenant, second.id).await));
}

pub async fn whoever_lost_its_reservation_accepts_nothing(stores: &Stores) {
    let slow = reserved(stores, LEASE).await;
    stores.idempotency.reserve(&completion(&slow).reservation, MOMENT).await.expect("an answer");
    sleep(MOMENT * 5).await;
    let quick = reservation(slow.tenant);
    assert!(matches!(reserve(stores, &quick).await, Reserved::Held(_)));
    assert!(is_conflict(&stores.verifications.accept(&slow).await));
    assert!(is_not_found(&stores.verifications.verification(slow.tenant, slow.id).await));
    assert_eq!(outbox(stores).await, []);
    let completion = Completion { reservation: quick, ..completion(&slow).clone() };
    let taken_over = NewVerification { completion: Some(completion), ..slow };
    stores.verifications.accept(&taken_over).await.expect("accepted");
}

pub async fn a_verification_that_is_not_accepted_keeps_no_answer(stores: &Stores) {
    let new = reserved(stores, LEASE).await;
    let same_id = NewVerification { completion: None, ..new.clone() };
    stores.verifications.accept(&same_id).await.expect("accepted");
    assert!(is_conflict(&stores.verifications.accept(&new).await));
    assert_eq!(reserve(stores, &reservation(new.tenant)).await, Reserved::Taken);
}

pub async fn an_answer_is_forgotten_after_its_time(stores: &Stores) {
    let new = reserved(stores, MOMENT).await;
    stores.verifications.accept(&new).await.expect("accepted");
    sleep(MOMENT * 5).await;
    assert!(matches!(reserve(stores, &reservation(new.tenant)).await, Reserved::Held(_)));

    for _ in 0..3 {
        let new = reserved(stores, MOMENT).await;
        stores.verifications.accept(&new).await.expect("accepted");
    }
    let kept = reserved(stores, LEASE).await;
    stores.verifications.accept(&kept).await.expect("accepted");
    sleep(MOMENT * 5).await;
    let sweep = async |limit| stores.upkeep.delete_answers(Timestamp::now(), limit).await.expect("a count");
    assert_eq!((sweep(2).await, sweep(2).await, sweep(2).await), (2, 1, 0));
    assert!(matches!(reserve(stores, &reservation(kept.tenant)).await, Reserved::Answered(_)));
    assert_eq!(read(stores, &new).await.id, new.id);
}

pub async fn a_live_reservation_is_not_swept(stores: &Stores) {
    let tenant = TenantId::new();
    reserve(stores, &reservation(tenant)).await;
    // As by a reaper whose clock is wrong.
    let tomorrow = Timestamp::now().after(Duration::from_hours(24));
    assert_eq!(stores.upkeep.delete_answers(tomorrow, 10).await.expect("a count"), 0);
    assert_eq!(reserve(stores, &reservation(tenant)).await, Reserved::Taken);
}
