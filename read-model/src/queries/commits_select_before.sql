select version, recorded_at, actor, command, events, hash
from commits
where book = ?1 and version < ?2 and version >= ?3
      and (?4 is null or actor = ?4) and (?5 is null or command = ?5)
order by version desc
limit ?6
