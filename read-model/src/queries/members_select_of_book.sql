select user, role
from members
where book = ?1
order by user
