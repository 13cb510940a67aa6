insert into commits (book, version, recorded_at, actor, command, events, hash) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
