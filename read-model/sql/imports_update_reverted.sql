update imports set reverted = ?4, version = ?3 where book = ?1 and import = ?2
