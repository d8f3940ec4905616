-- title: refresh tokens that expired more than 30 days ago and are not revoked
-- severity: warning
-- table: refresh_tokens
-- advice: the statement revokes them
-- fix: UPDATE public.refresh_tokens SET revoked = true WHERE NOT revoked AND expires_at < now() - interval '30 days' AND unseeded(id);
SELECT id FROM refresh_tokens WHERE NOT revoked AND expires_at < %(now)s - interval '30 days' AND unseeded(id)
