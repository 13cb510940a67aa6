select body, version, recorded_at, corrected_at, removed
from entries
where book = ?1 and entry = ?2
