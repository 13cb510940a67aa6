update sessions
set ended_at = ?3
where user_id = ?1 and id <> ?2 and ended_at is null
