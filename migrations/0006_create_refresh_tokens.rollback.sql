-- Everybody has to log in again afterwards.

DROP TABLE refresh_tokens;
