delete from category_days where book = ?1 and day = ?2 and category = ?3 and currency = ?4 and entries = 0
