select currency, decimals from books where book = ?1
union
select currency, decimals from accounts where book = ?1
