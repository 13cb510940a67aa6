update imports set finished = 1, version = ?3 where book = ?1 and import = ?2
