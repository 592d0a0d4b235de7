-- The newsletter: one row for each version of an issue. Nothing is updated.
CREATE TABLE digest (
	organisation TEXT NOT NULL,
	number       INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	at           INTEGER NOT NULL, -- when it was kept
	hash         TEXT NOT NULL, -- of all forms
	issue        TEXT NOT NULL, -- JSON
	PRIMARY KEY (organisation, number, version)
) STRICT, WITHOUT ROWID;

-- What was rendered of a version, and would go out.
CREATE TABLE digest_form (
	organisation TEXT NOT NULL,
	number       INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	name         TEXT NOT NULL, -- "digest.ja.html"
	body         BLOB NOT NULL, -- gzip
	PRIMARY KEY (organisation, number, version, name),
	FOREIGN KEY (organisation, number, version) REFERENCES digest (organisation, number, version)
) STRICT;
CREATE TRIGGER digest_no_update BEFORE UPDATE ON digest BEGIN SELECT raise(ABORT, 'an issue that was kept is never changed'); END;
CREATE TRIGGER digest_form_no_update BEFORE UPDATE ON digest_form BEGIN SELECT raise(ABORT, 'an issue that was kept is never changed'); END;
