//! What became of every webhook: seen from the rows and from the receiver.

use std::collections::HashMap;

use super::finding::Finding;
use super::receiver::Heard;
use crate::cluster::installation::Installation;

const NOT_ONE_EACH: &str = "SELECT count(*) FROM verifications
    WHERE (SELECT count(*) FROM webhook_deliveries AS told WHERE told.verification = verifications.id) <> 1";
const ROWS: &str =
    "SELECT 'msg_' || replace(id::text, '-', ''), 'ver_' || replace(verification::text, '-', ''),
    event, state FROM webhook_deliveries";

struct Row {
    verification: String,
    event: String,
    state: String,
}

pub(super) fn findings(installation: &Installation, heard: &Heard) -> Vec<Finding> {
    let rows = rows(installation);
    let in_state = |state: &str| rows.values().filter(|row| row.state == state).count() as u64;
    let (delivered, pending) = (in_state("delivered"), in_state("pending"));

    let taken: HashMap<String, _> = heard.taken.iter().map(|(id, taken)| (id.to_string(), taken)).collect();
    let never_came =
        rows.iter().filter(|(id, row)| row.state == "delivered" && !taken.contains_key(*id)).count();
    let of_no_row = taken.iter().filter(|(id, taken)| {
        rows.get(*id).is_none_or(|row| (&row.verification, &row.event) != (&taken.verification, &taken.event))
    });
    let again: u64 = taken.values().map(|taken| taken.times - 1).sum();

    vec![
        Finding::noted("webhooks to be sent", rows.len() as u64),
        Finding::noted("  delivered", delivered),
        Finding::must("  pending", pending, 0),
        Finding::must("  given up, or in no known state", rows.len() as u64 - delivered - pending, 0),
        Finding::must("jobs that have not one webhook", installation.rows.number(NOT_ONE_EACH), 0),
        Finding::must("delivered, and the receiver has none of it", never_came as u64, 0),
        Finding::must("received, and no row says the same", of_no_row.count() as u64, 0),
        Finding::must("received without a signature that is right", heard.strange.len() as u64, 0)
            .because(format!("{:?}", heard.strange)),
        Finding::noted("answered 500 by the receiver", heard.refused),
        Finding::noted("received more than once", again),
    ]
}

/// Every delivery by its identifier.
fn rows(installation: &Installation) -> HashMap<String, Row> {
    let columns = installation.rows.all(ROWS).into_iter();
    columns
        .map(|columns| {
            let [id, verification, event, state] = <[String; 4]>::try_from(columns).expect("four columns");
            (id, Row { verification, event, state })
        })
        .collect()
}
