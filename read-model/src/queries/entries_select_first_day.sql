select occurred_on
from entries
where book = ?1 and removed = 0
order by occurred_on
limit 1
