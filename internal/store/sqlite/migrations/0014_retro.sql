-- By which rules a mail was judged (a digest; empty where nobody wrote it down),
-- and who handed it in, so that it can be judged again as it was the first time.
ALTER TABLE mail ADD COLUMN rules TEXT NOT NULL DEFAULT '';
ALTER TABLE mail ADD COLUMN handover TEXT NOT NULL DEFAULT ''; -- JSON, '' where it is read from the header
CREATE INDEX mail_by_rules ON mail (organisation, kept DESC, id, rules);

-- Runs in which mails were judged again. One that has not ended goes on.
CREATE TABLE retro_run (
	organisation TEXT NOT NULL,
	run          INTEGER NOT NULL,
	rules        TEXT NOT NULL,
	who          TEXT NOT NULL,
	started      INTEGER NOT NULL,
	ended        INTEGER NOT NULL, -- 0 while it goes on
	judged       INTEGER NOT NULL,
	failed       INTEGER NOT NULL,
	changed      INTEGER NOT NULL,
	worse        INTEGER NOT NULL,
	better       INTEGER NOT NULL,
	PRIMARY KEY (organisation, run)
) STRICT, WITHOUT ROWID;

-- What other rules made of a mail, with the verdict that it had before.
CREATE TABLE mail_change (
	row    INTEGER PRIMARY KEY,
	mail   INTEGER NOT NULL REFERENCES mail (row) ON DELETE CASCADE,
	run    INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	before TEXT NOT NULL,
	after  TEXT NOT NULL,
	worse  INTEGER NOT NULL, -- 1 worse, -1 better, 0 the same word
	change TEXT NOT NULL, -- JSON
	old    BLOB NOT NULL -- the verdict before: JSON, gzip
) STRICT;
CREATE INDEX mail_change_by_mail ON mail_change (mail);
CREATE INDEX mail_change_by_at ON mail_change (at DESC, row DESC);

-- By what mails are compared.
CREATE TABLE mail_facts (
	mail  INTEGER PRIMARY KEY REFERENCES mail (row) ON DELETE CASCADE,
	facts BLOB NOT NULL -- JSON
) STRICT;
CREATE TABLE mail_key (
	key  INTEGER NOT NULL, -- hash of a trait
	mail INTEGER NOT NULL REFERENCES mail (row) ON DELETE CASCADE,
	PRIMARY KEY (key, mail)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_key_by_mail ON mail_key (mail);
