insert into categories (book, category, name, kind, parent, archived, icon, colour)
values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)
