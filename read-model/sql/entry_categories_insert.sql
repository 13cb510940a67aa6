insert into entry_categories (book, category, occurred_on, entry, position, amount_minor, currency)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
