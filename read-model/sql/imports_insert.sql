insert into imports
    (book, import, file_name, lines, judged, taken, duplicates, refused, finished, reverted, started_at, version)
values (?1, ?2, ?3, ?4, 0, 0, 0, 0, 0, 0, ?5, ?6)
