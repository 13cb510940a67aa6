delete from split_years where book = ?1 and year = ?2 and categories = ?3 and currency = ?4
