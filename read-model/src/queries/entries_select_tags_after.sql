select t.value, count(*), max(e.occurred_on)
from entries e, json_each(e.body, '$.tags') t
where e.book = ?1 and e.removed = 0 and t.value > ?2
group by t.value
order by t.value
limit ?3
