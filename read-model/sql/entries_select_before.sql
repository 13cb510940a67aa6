select body, recorded_at, removed from entries where book = ?1 and entry = ?2
