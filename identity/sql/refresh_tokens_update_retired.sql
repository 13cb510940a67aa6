update refresh_tokens
set retired_at = ?2
where session_id = ?1 and retired_at is null
