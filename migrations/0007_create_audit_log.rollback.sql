-- The one table that is meant to outlive what it tells about: think twice.

DROP TABLE audit_log;

DROP TYPE audit_action;
