//! A list, page by page.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use super::invalid;
use crate::problem::Problem;

const USUAL: u32 = 20;
const MOST: u32 = 100;

/// Newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<Item> {
    data: Vec<Item>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// How many rows are wanted, and before which.
pub(super) struct Cut<Id> {
    limit: u32,
    pub(super) before: Option<Id>,
}

impl<Id: FromStr> Cut<Id> {
    pub(super) fn of(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(invalid(format!("`limit` must be from 1 to {MOST}")));
        }
        let before = cursor.map(str::parse).transpose();
        let before = before.map_err(|_| invalid("`cursor` must be the `next_cursor` of a page"))?;
        Ok(Self { limit, before })
    }

    /// One more than asked tells whether there is a next page.
    pub(super) const fn rows(&self) -> u32 {
        self.limit + 1
    }

    pub(super) fn page<Row, Item: From<Row>>(self, mut rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> Page<Item>
    where
        Id: Display,
    {
        let is_last = rows.len() <= self.limit as usize;
        rows.truncate(self.limit as usize);
        let next_cursor = if is_last { None } else { rows.last().map(|row| id(row).to_string()) };
        Page { data: rows.into_iter().map(Item::from).collect(), next_cursor }
    }
}
