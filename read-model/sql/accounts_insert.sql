insert into accounts (book, account, name, kind, currency, decimals, opened_on, closed, withdrawn, balance_minor)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0)
