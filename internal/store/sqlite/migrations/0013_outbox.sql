-- Mails that sekisho itself sends, and what became of each.
CREATE TABLE outbox (
	row          INTEGER PRIMARY KEY,
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL,
	key          TEXT NOT NULL, -- the same again is the same mail
	kind         TEXT NOT NULL,
	state        TEXT NOT NULL,
	recipient    TEXT NOT NULL,
	subject      TEXT NOT NULL,
	about        TEXT NOT NULL, -- the mail that a reply is about, '' for none
	verdict      TEXT NOT NULL,
	made         INTEGER NOT NULL,
	added        INTEGER NOT NULL, -- when it was kept, which limits count by
	due          INTEGER NOT NULL, -- when it is tried; while it is tried, when others may
	attempts     INTEGER NOT NULL,
	answer       TEXT NOT NULL,
	settled      INTEGER NOT NULL, -- 0 for not yet
	raw          BLOB NOT NULL,
	UNIQUE (organisation, id),
	UNIQUE (organisation, key)
) STRICT;
CREATE INDEX outbox_by_due ON outbox (organisation, state, due);
CREATE INDEX outbox_by_kind ON outbox (organisation, kind, added);

-- How far something was done, by name.
CREATE TABLE outbox_mark (
	organisation TEXT NOT NULL,
	name         TEXT NOT NULL,
	number       INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	PRIMARY KEY (organisation, name)
) STRICT;
