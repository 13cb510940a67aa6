insert into account_months (book, month, account, currency, days) values (?1, ?2, ?3, ?4, ?5)
on conflict (book, month, account, currency) do update set days = excluded.days
