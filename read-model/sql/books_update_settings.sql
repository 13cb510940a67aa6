update books
set name = ?2, currency = ?3, decimals = ?4, time_zone = ?5, week_starts_on = ?6, month_starts_on = ?7
where book = ?1
