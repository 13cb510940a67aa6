select category, name, kind, parent, archived, icon, colour, merged_into
from categories
where book = ?1 and withdrawn = 0
