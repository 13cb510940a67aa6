update accounts set closed = ?3 where book = ?1 and account = ?2
