delete from entry_categories where book = ?1 and category = ?2 and occurred_on = ?3 and entry = ?4 and position = ?5
