delete from invitations where book = ?1 and invitation = ?2
