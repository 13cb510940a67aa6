select
    sessions.id, user_id, created_at, last_used_at, expires_at, user_agent, in_cookie, ended_at,
    refresh_tokens.retired_at
from refresh_tokens
join sessions on sessions.id = refresh_tokens.session_id
where refresh_tokens.token_hash = ?1
