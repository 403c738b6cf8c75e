//! The contract, and what only PostgreSQL can get wrong.

mod database;

use self::database::Database;

crate::store::contract::suite!(match Database::make().await {
    Some(database) => {
        let stores = database.stores().await;
        (database, stores)
    }
    None => return,
});
