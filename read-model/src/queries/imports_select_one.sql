select import, file_name, lines, judged, taken, duplicates, refused, finished, reverted, started_at, version
from imports
where book = ?1 and import = ?2
