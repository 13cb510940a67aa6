update imports set reverted = 1, version = ?3 where book = ?1 and import = ?2
