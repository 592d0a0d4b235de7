-- The account of the administrator: one for each organisation.
CREATE TABLE account (
	organisation   TEXT PRIMARY KEY,
	password       TEXT NOT NULL,    -- PHC string
	secret         BLOB NOT NULL,    -- of one-time codes, sealed
	step           INTEGER NOT NULL, -- of the last code
	made           INTEGER NOT NULL,
	invite_hash    BLOB NOT NULL,
	invite_secret  BLOB NOT NULL, -- sealed; empty without a link
	invite_expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is signed in, by the SHA-256 of the token.
CREATE TABLE session (
	organisation TEXT NOT NULL,
	hash         BLOB NOT NULL,
	made         INTEGER NOT NULL,
	seen         INTEGER NOT NULL,
	address      TEXT NOT NULL,
	agent        TEXT NOT NULL,
	PRIMARY KEY (organisation, hash)
) STRICT, WITHOUT ROWID;
