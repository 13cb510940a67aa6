delete from category_months where book = ?1 and month = ?2 and category = ?3 and currency = ?4
