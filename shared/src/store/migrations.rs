//! Bringing the tables up to date: forward only, and so that the build before still works with them. A database that is
//! ahead of this build is therefore fine.

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};

use super::StoreError;

/// Where both databases note what was applied.
pub(super) const TABLE: &str = "_sqlx_migrations";

/// What was done to the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Number and name of each migration that was applied, in order; none when the tables were up to date.
    pub applied: Vec<String>,
}

/// The tables can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TablesError {
    /// That many migrations are missing, and it was not allowed to apply them.
    #[error("the tables are {0} migrations behind")]
    Behind(usize),
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for TablesError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MigrateError> for TablesError {
    fn from(error: MigrateError) -> Self {
        Self::Failed(match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            error => StoreError::Other(Box::new(error)),
        })
    }
}

/// Those that the database lacks. An error when one was changed after it was applied.
pub(super) fn missing<'migrator>(
    migrator: &'migrator Migrator,
    applied: &[AppliedMigration],
) -> Result<Vec<&'migrator Migration>, MigrateError> {
    let mut missing = Vec::new();
    for migration in migrator.iter() {
        match applied.iter().find(|applied| applied.version == migration.version) {
            Some(applied) if applied.checksum != migration.checksum => {
                return Err(MigrateError::VersionMismatch(migration.version));
            }
            Some(_) => {}
            None => missing.push(migration),
        }
    }
    Ok(missing)
}

/// Applies what the database lacks, each migration in a transaction of its own. The caller keeps others from doing the
/// same meanwhile.
pub(super) async fn apply<C: Migrate>(
    migrator: &Migrator,
    connection: &mut C,
) -> Result<Migrated, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    let mut migrated = Migrated::default();
    for migration in missing(migrator, &applied)? {
        connection.apply(TABLE, migration).await?;
        migrated.applied.push(format!("{:04} {}", migration.version, migration.description));
    }
    Ok(migrated)
}
