-- Tokens with which programs ask, by the SHA-256 of the token. A revoked one
-- stays, so that the list says who could ask and until when.
CREATE TABLE api_token (
	organisation TEXT NOT NULL,
	hash         BLOB NOT NULL,
	name         TEXT NOT NULL,
	scopes       TEXT NOT NULL,    -- with a blank between them
	made         INTEGER NOT NULL,
	made_by      TEXT NOT NULL,    -- as in the audit log
	used         INTEGER NOT NULL, -- 0 for never
	expires      INTEGER NOT NULL, -- 0 for never
	revoked      INTEGER NOT NULL, -- 0 for not
	PRIMARY KEY (organisation, hash),
	UNIQUE (organisation, name)
) STRICT, WITHOUT ROWID;
