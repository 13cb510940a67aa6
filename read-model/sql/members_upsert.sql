insert into members (book, user, role) values (?1, ?2, ?3)
on conflict (book, user) do update set role = excluded.role
