insert into import_lines (book, import, line, verdict, entry, code, detail) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
