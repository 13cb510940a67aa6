select category, name, kind, parent, archived, icon, colour
from categories
where book = ?1
