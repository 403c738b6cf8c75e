//! Which of PostgreSQL's errors pass by themselves.

/// Connection exceptions, transaction rollbacks (serialization, deadlock), insufficient resources, system errors.
const PASSING_CLASSES: [&str; 4] = ["08", "40", "53", "58"];

const PASSING: [&str; 8] = [
    // What was the primary is a standby now; its successor takes writes.
    "25006", // read_only_sql_transaction
    "25P03", // idle_in_transaction_session_timeout
    "55P03", // lock_not_available
    "57014", // query_canceled, as by statement_timeout
    "57P01", // admin_shutdown
    "57P02", // crash_shutdown
    "57P03", // cannot_connect_now
    "57P05", // idle_session_timeout
];

pub(in crate::store) fn passes(code: &str) -> bool {
    PASSING.contains(&code) || PASSING_CLASSES.iter().any(|class| code.starts_with(class))
}
