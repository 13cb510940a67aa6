select b.version
from books b
where b.book = ?1
    and exists (select 1 from thing_versions t where t.book = b.book and t.thing = ?2)
    and not exists (select 1 from members m where m.book = b.book and m.user = ?2)
