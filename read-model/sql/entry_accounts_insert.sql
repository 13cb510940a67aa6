insert into entry_accounts (book, account, occurred_on, entry, position, amount_minor, currency)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
