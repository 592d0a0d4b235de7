-- Mails that were accepted, until they are judged. What is done stays for a
-- while, so that the same delivery is known again.
CREATE TABLE queue (
	row          INTEGER PRIMARY KEY,
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL, -- of the mail
	key          TEXT,          -- of the delivery; NULL where it has none
	state        INTEGER NOT NULL, -- 0 waiting or held, 1 done, 2 dead
	due          INTEGER NOT NULL, -- when it is to be tried; when a hold ends; when it was done or died
	token        INTEGER NOT NULL, -- counts leases: 0 before the first
	attempts     INTEGER NOT NULL,
	held         INTEGER NOT NULL, -- somebody works on it
	received     INTEGER NOT NULL,
	blob         TEXT NOT NULL, -- SHA-256 of the bytes; '' once it is done
	entry        TEXT NOT NULL, -- JSON; '' once it is done
	reason       TEXT NOT NULL, -- of the last failure
	UNIQUE (organisation, id)
) STRICT;
CREATE INDEX queue_by_due ON queue (organisation, state, due);
CREATE INDEX queue_by_blob ON queue (blob);
CREATE UNIQUE INDEX queue_by_key ON queue (organisation, key) WHERE key IS NOT NULL;
