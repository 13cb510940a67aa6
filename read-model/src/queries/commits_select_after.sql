select version, recorded_at, actor, command, events, hash
from commits
where book = ?1 and version > ?2
order by version
limit ?3
