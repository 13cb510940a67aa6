insert into thing_versions (book, thing, version) values (?1, ?2, ?3)
