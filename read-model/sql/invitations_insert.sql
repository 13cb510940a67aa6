insert into invitations (book, invitation, email, role, expires_at) values (?1, ?2, ?3, ?4, ?5)
