select line, verdict, entry, code, detail
from import_lines
where book = ?1 and import = ?2 and line > ?3 and (?4 is null or verdict = ?4)
order by line
limit ?5
