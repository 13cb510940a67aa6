delete from sessions
where coalesce(ended_at, expires_at) < ?1
