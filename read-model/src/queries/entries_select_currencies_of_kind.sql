-- One look at the index for each currency there is.
with recursive there (currency) as (
    select min(currency) from entries where book = ?1 and removed = ?2 and kind = ?3 and currency >= ?4
    union all
    select (
        select min(e.currency)
        from entries e
        where e.book = ?1 and e.removed = ?2 and e.kind = ?3 and e.currency > there.currency)
    from there
    where there.currency is not null)
select currency from there where currency is not null
