insert into books
    (book, version, hash, name, currency, decimals, time_zone, week_starts_on, month_starts_on, created_at)
values (?1, 0, x'', ?2, ?3, ?4, ?5, ?6, ?7, ?8)
