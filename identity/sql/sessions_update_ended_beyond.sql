update sessions
set ended_at = ?3
where ended_at is null and id in (
    select id
    from sessions
    where user_id = ?1 and ended_at is null
    order by last_used_at desc, id desc
    limit -1 offset ?2
)
