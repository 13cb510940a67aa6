delete from entry_accounts where book = ?1 and account = ?2 and occurred_on = ?3 and entry = ?4 and position = ?5
