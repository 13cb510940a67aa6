insert into category_months (book, month, category, currency, days) values (?1, ?2, ?3, ?4, ?5)
on conflict (book, month, category, currency) do update set days = excluded.days
