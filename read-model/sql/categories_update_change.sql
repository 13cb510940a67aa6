update categories set name = ?3, parent = ?4, icon = ?5, colour = ?6 where book = ?1 and category = ?2
