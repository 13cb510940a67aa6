select e.body
from (
    select distinct entry
    from entry_categories
    where book = ?1 and occurred_on between ?2 and ?3 and position >= 2
) s
cross join entries e on e.book = ?1 and e.entry = s.entry
where e.removed = 0
