select c.version, c.recorded_at, c.actor, c.command, c.events, c.hash
from thing_versions v
join commits c on c.book = v.book and c.version = v.version
where v.book = ?1 and v.thing = ?2 and v.version < ?3
order by v.version
