delete from refresh_tokens
where retired_at < ?1
