update categories set archived = ?3, merged_into = ?4 where book = ?1 and category = ?2
