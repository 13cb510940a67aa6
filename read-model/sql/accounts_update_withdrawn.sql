update accounts set withdrawn = ?3 where book = ?1 and account = ?2
