insert into entry_versions (book, entry, version) values (?1, ?2, ?3)
