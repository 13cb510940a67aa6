select invitation, email, role, expires_at
from invitations
where book = ?1
order by expires_at, invitation
