update entries set version = ?3, removed = ?4 where book = ?1 and entry = ?2
