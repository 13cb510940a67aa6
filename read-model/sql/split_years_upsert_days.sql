insert into split_years (book, year, categories, currency, days) values (?1, ?2, ?3, ?4, ?5)
on conflict (book, year, categories, currency) do update set days = excluded.days
