select id, email, name, locale, time_zone, created_at, password_hash
from users
where id = ?1
