insert into categories (book, category, name, kind, parent, archived, merged_into, withdrawn, icon, colour)
values (?1, ?2, ?3, ?4, ?5, 0, null, 0, ?6, ?7)
