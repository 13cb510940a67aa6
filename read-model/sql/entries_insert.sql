insert into entries
    (book, entry, occurred_on, kind, account, amount_minor, currency, payee, words,
     version, recorded_at, corrected_at, removed, body)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
