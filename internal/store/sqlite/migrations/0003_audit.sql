-- Who did what. Each entry has the hash of the one before; nothing is updated.
CREATE TABLE audit (
	organisation TEXT NOT NULL,
	number       INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	who          TEXT NOT NULL,
	act          TEXT NOT NULL,
	object       TEXT NOT NULL,
	hash         BLOB NOT NULL,
	PRIMARY KEY (organisation, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is never changed'); END;
