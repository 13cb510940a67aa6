select days from account_months where book = ?1 and month = ?2 and account = ?3 and currency = ?4
