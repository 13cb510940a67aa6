update categories set archived = ?3 where book = ?1 and category = ?2
