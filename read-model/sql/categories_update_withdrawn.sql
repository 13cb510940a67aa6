update categories set withdrawn = ?3 where book = ?1 and category = ?2
