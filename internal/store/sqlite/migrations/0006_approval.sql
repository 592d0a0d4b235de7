-- What a person knew better when an advisory was written, whom it is for, and
-- who wrote it.
ALTER TABLE advisory ADD COLUMN corrections TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE advisory ADD COLUMN recipients TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE advisory ADD COLUMN author TEXT NOT NULL DEFAULT '';
CREATE TRIGGER advisory_no_update BEFORE UPDATE ON advisory BEGIN SELECT raise(ABORT, 'an advisory is never changed'); END;
CREATE TRIGGER advisory_no_delete BEFORE DELETE ON advisory BEGIN SELECT raise(ABORT, 'an advisory is never removed'); END;

-- What was done to advisories: one row for each step, numbered over all versions
-- of an advisory. Nothing is updated.
CREATE TABLE advisory_step (
	organisation TEXT NOT NULL,
	subject      TEXT NOT NULL,
	number       INTEGER NOT NULL,
	id           TEXT NOT NULL, -- of the version
	at           INTEGER NOT NULL,
	step         TEXT NOT NULL, -- JSON
	audit        INTEGER NOT NULL, -- number of its entry in the audit log
	PRIMARY KEY (organisation, subject, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER advisory_step_no_update BEFORE UPDATE ON advisory_step BEGIN SELECT raise(ABORT, 'a step is never changed'); END;
CREATE TRIGGER advisory_step_no_delete BEFORE DELETE ON advisory_step BEGIN SELECT raise(ABORT, 'a step is never removed'); END;
