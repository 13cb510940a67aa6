//! What accounts held at the end of days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::id::{AccountId, BookId};
use rusqlite::Connection;

use super::{rows, spending::month_of};
use crate::sheet;

/// By how much the balances of accounts moved in each step of a span that ends with `through`. The steps begin on these
/// days, in order; whatever was before the first belongs to it. Accounts and steps without entries are left out.
pub fn moves(
    conn: &Connection,
    book: BookId,
    first_days: &[NaiveDate],
    through: NaiveDate,
) -> rusqlite::Result<BTreeMap<AccountId, BTreeMap<usize, i64>>> {
    let mut moves: BTreeMap<AccountId, BTreeMap<usize, i64>> = BTreeMap::new();
    let mut statement = conn.prepare_cached(include_str!("account_months_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), month_of(NaiveDate::MIN), month_of(through)))?;
    while let Some(row) = found.next()? {
        let account = rows::id(row, 0)?;
        let year: i32 = rows::parsed(row, 2, "month", |text| text.get(..4)?.parse().ok())?;
        for (number, sum) in sheet::numbered(row.get_ref(3)?.as_blob()?) {
            let day = NaiveDate::from_yo_opt(year, u32::from(number));
            let Some(day) = day.filter(|day| *day <= through) else { continue };
            let step = first_days.partition_point(|first| *first <= day).saturating_sub(1);
            let moved = moves.entry(account).or_default().entry(step).or_default();
            *moved = moved.wrapping_add(sum.amount_minor);
        }
    }
    Ok(moves)
}
