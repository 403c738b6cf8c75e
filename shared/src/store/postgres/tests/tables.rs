//! Migrations: by several processes at once, not allowed, ahead.

use futures::future::join_all;

use super::database::{Database, database};
use crate::config::Store;
use crate::store::{OpenError, Stores};

#[tokio::test]
async fn processes_that_migrate_at_once_do_it_once() {
    let database = database!();
    let settings = database.settings();
    let data = Database::data();
    let migrations = join_all((0..6).map(|_| Stores::migrate(&settings, &data))).await;
    let applied: Vec<Vec<String>> =
        migrations.into_iter().map(|migrated| migrated.expect("migrated").applied).collect();
    assert_eq!(applied.iter().filter(|applied| !applied.is_empty()).count(), 1, "{applied:?}");
    assert!(applied.iter().flatten().any(|name| name == "0001 start"), "{applied:?}");
}

#[tokio::test]
async fn tables_that_are_behind_are_refused_where_they_may_not_be_changed() {
    let database = database!();
    let settings = Store { migrate: false, ..database.settings() };
    let data = Database::data();
    let refused = Stores::open(&settings, &data).await.err();
    assert!(matches!(refused, Some(OpenError::Behind { count: 1.., .. })), "{refused:?}");
    assert!(refused.is_some_and(|error| error.to_string().ends_with("run `countersign migrate`")));
    Stores::migrate(&settings, &data).await.expect("migrated");
    Stores::open(&settings, &data).await.map(drop).expect("it opens");
}

/// A newer build migrates first, and the older ones go on until they are replaced.
#[tokio::test]
async fn tables_that_are_ahead_are_fine() {
    let database = database!();
    drop(database.stores().await);
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'of a newer build', true, '', 0)",
        )
        .await;
    for migrate in [true, false] {
        let settings = Store { migrate, ..database.settings() };
        Stores::open(&settings, &Database::data()).await.map(drop).expect("it opens");
    }
}

#[tokio::test]
async fn a_migration_that_was_changed_afterwards_is_refused() {
    let database = database!();
    drop(database.stores().await);
    database.execute("UPDATE _sqlx_migrations SET checksum = 'another'").await;
    let refused = Stores::open(&database.settings(), &Database::data()).await.err();
    assert!(matches!(refused, Some(OpenError::Database { .. })), "{refused:?}");
}
