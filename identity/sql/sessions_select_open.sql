select id, user_id, created_at, last_used_at, expires_at, user_agent, in_cookie, ended_at
from sessions
where user_id = ?1 and ended_at is null and expires_at > ?2
order by last_used_at desc, id desc
