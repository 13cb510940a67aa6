select payee, count(*), max(occurred_on)
from entries
where book = ?1 and removed = 0 and payee > ?2
group by payee
order by payee
limit ?3
