insert into users (id, email, email_lookup, name, locale, time_zone, password_hash, created_at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict do nothing
