update accounts set balance_minor = balance_minor + ?3 where book = ?1 and account = ?2
