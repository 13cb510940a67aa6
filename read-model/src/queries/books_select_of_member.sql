select b.book, b.version, m.role, b.name, b.currency, b.decimals, b.time_zone, b.week_starts_on, b.month_starts_on,
       b.created_at
from members m
join books b on b.book = m.book
where m.user = ?1
order by b.created_at, b.book
