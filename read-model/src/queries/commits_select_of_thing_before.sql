select c.version, c.recorded_at, c.actor, c.command, c.events, c.hash
from thing_versions v
join commits c on c.book = v.book and c.version = v.version
where v.book = ?1 and v.thing = ?7 and v.version < ?2 and v.version >= ?3
      and (?4 is null or c.actor = ?4) and (?5 is null or c.command = ?5)
order by v.version desc
limit ?6
