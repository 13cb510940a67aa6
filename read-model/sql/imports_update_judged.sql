update imports
set judged = judged + ?3 + ?4 + ?5, taken = taken + ?3, duplicates = duplicates + ?4, refused = refused + ?5,
    version = ?6
where book = ?1 and import = ?2
