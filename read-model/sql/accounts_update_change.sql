update accounts set name = ?3, kind = ?4 where book = ?1 and account = ?2
