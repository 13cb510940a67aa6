insert into sessions (id, user_id, created_at, last_used_at, expires_at, user_agent, in_cookie)
values (?1, ?2, ?3, ?3, ?4, ?5, ?6)
