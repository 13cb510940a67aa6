select import, file_name, lines, judged, taken, duplicates, refused, finished, reverted, started_at, version
from imports
where book = ?1
order by started_at desc, import desc
