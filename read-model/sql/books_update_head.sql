update books set version = ?2, hash = ?3 where book = ?1
