delete from members where book = ?1 and user = ?2
