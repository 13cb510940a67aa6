update users
set name = ?2, locale = ?3, time_zone = ?4
where id = ?1
