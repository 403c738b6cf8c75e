//! The deliveries that a verification leaves behind when it becomes final, for the statement that makes it so.

/// What such a statement's update gives back, for [`told`].
macro_rules! final_columns {
    () => {
        "id, tenant, state, request->>'webhook_url' AS webhook_url"
    };
}
pub(super) use final_columns;

/// A fresh `UUIDv7`: a random one with the time in front and its version set. Asked for each row that is written, and
/// never where there are none.
macro_rules! fresh_id {
    () => {
        "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(
            int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
            'hex')::uuid"
    };
}
pub(super) use fresh_id;

/// The expression `told`: a delivery for each enabled endpoint of the tenant that wants to hear of it, and one for the
/// verification's own URL. `$changed` is the expression that has just made verifications final, and gives
/// [`final_columns`].
macro_rules! told {
    ($changed:literal) => {
        concat!(
            "told AS (
                INSERT INTO webhook_deliveries
                    (id, tenant, target, endpoint, url, event, verification, next_attempt_at, created_at)
                SELECT ",
            fresh_id!(),
            ", changed.tenant, endpoints.id, endpoints.id, NULL, 'verification.' || changed.state, changed.id,
                    now(), now()
                FROM ",
            $changed,
            " AS changed JOIN webhook_endpoints AS endpoints ON endpoints.tenant = changed.tenant
                WHERE endpoints.disabled_at IS NULL
                    AND (endpoints.events = '[]' OR endpoints.events ? ('verification.' || changed.state))
                UNION ALL
                SELECT ",
            fresh_id!(),
            ", tenant, tenant, NULL, webhook_url, 'verification.' || state, id, now(), now()
                FROM ",
            $changed,
            " WHERE webhook_url IS NOT NULL
                RETURNING id
            )"
        )
    };
}
pub(super) use told;
