select distinct currency
from category_months
where book = ?1
