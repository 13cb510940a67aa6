-- Nothing bounds the sum of a category as `decide` bounds balances. A sum beyond 64 bits wraps around, so that
-- it comes back when the entries go, and so that no book can hold up the projector for all others.
insert into category_days (book, day, category, currency, amount_minor, entries) values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (book, day, category, currency) do update set
    entries = entries + excluded.entries,
    amount_minor = case
        when typeof(amount_minor + excluded.amount_minor) = 'integer' then amount_minor + excluded.amount_minor
        when amount_minor > 0
            then (amount_minor + -9223372036854775808) + (excluded.amount_minor + -9223372036854775808)
        else (amount_minor - -9223372036854775808) + (excluded.amount_minor - -9223372036854775808)
    end
