select body, version, recorded_at, corrected_at, removed
from entries
where book = ?1 and removed = ?2 and (occurred_on, entry) > (?3, ?4) and occurred_on <= ?5
order by occurred_on, entry
limit ?6
