-- A SQLite database at revision 0003 with one user, login, lead and submission, and two e-mails.
-- It was made by the three migrations that one migration has replaced, and dumped by sqlite3.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE erasures (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32), 
	request_id VARCHAR(64), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_erasures PRIMARY KEY (id), 
	CONSTRAINT fk_erasures_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	lead_id CHAR(32), 
	user_id CHAR(32), 
	kind VARCHAR(40) NOT NULL, 
	request_id VARCHAR(64), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_lead_id FOREIGN KEY(lead_id) REFERENCES leads (id) ON DELETE SET NULL, 
	CONSTRAINT fk_events_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "events" VALUES(1,'cccccccccccccccccccccccccccccccc',NULL,'submitted','11111111111111111111111111111111','2026-11-02 09:30:00.000000');
CREATE TABLE failed_sign_ins (
	who VARCHAR(64) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	times JSON NOT NULL, 
	last_at DATETIME NOT NULL, 
	CONSTRAINT pk_failed_sign_ins PRIMARY KEY (who, address)
);
CREATE TABLE leads (
	id CHAR(32) NOT NULL, 
	reference VARCHAR(12) NOT NULL, 
	first_name VARCHAR(100) NOT NULL, 
	last_name VARCHAR(100) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	email_key VARCHAR(254) NOT NULL, 
	first_name_key VARCHAR(400) NOT NULL, 
	last_name_key VARCHAR(400) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	submission_count INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	pending_since DATETIME NOT NULL, 
	reached_out_at DATETIME, 
	reached_out_by CHAR(32), 
	seen_at DATETIME, 
	erasure_asked_at DATETIME, 
	CONSTRAINT pk_leads PRIMARY KEY (id), 
	CONSTRAINT fk_leads_reached_out_by FOREIGN KEY(reached_out_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_leads_email_key UNIQUE (email_key)
);
INSERT INTO "leads" VALUES('cccccccccccccccccccccccccccccccc','LD-7K4M-92QX','José','Álvarez','Jose@example.com','jose@example.com','jose alvarez','alvarez jose','PENDING',1,'2026-11-02 09:30:00.000000','2026-11-02 09:30:00.000000','2026-11-02 09:30:00.000000',NULL,NULL,NULL,NULL);
CREATE TABLE "letters" (
	id CHAR(32) NOT NULL, 
	submission_id CHAR(32), 
	kind VARCHAR(20) NOT NULL, 
	recipient VARCHAR(254) NOT NULL, 
	created_at DATETIME NOT NULL, 
	next_at DATETIME, 
	sent_at DATETIME, 
	attempts INTEGER NOT NULL, 
	token CHAR(32), 
	reason VARCHAR(500), 
	CONSTRAINT pk_letters PRIMARY KEY (id), 
	CONSTRAINT fk_letters_submission_id FOREIGN KEY(submission_id) REFERENCES submissions (id) ON DELETE CASCADE
);
INSERT INTO "letters" VALUES('eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee','dddddddddddddddddddddddddddddddd','confirmation','Jose@example.com','2026-11-02 09:30:00.000000',NULL,'2026-11-02 09:30:02.000000',1,NULL,NULL);
INSERT INTO "letters" VALUES('ffffffffffffffffffffffffffffffff','dddddddddddddddddddddddddddddddd','notice','firm@example.com','2026-11-02 09:30:00.000000','2026-11-02 09:31:00.000000',NULL,1,NULL,'451 4.3.2 try again later');
CREATE TABLE logins (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_logins PRIMARY KEY (id), 
	CONSTRAINT fk_logins_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "logins" VALUES('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2126-11-02 09:30:00.000000');
CREATE TABLE submissions (
	id CHAR(32) NOT NULL, 
	lead_id CHAR(32) NOT NULL, 
	number INTEGER NOT NULL, 
	first_name VARCHAR(100) NOT NULL, 
	last_name VARCHAR(100) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	content_type VARCHAR(100) NOT NULL, 
	size INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	warnings JSON NOT NULL, 
	storage_key VARCHAR(64) NOT NULL, 
	once VARCHAR(200), 
	fingerprint VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_submissions PRIMARY KEY (id), 
	CONSTRAINT fk_submissions_lead_id FOREIGN KEY(lead_id) REFERENCES leads (id) ON DELETE CASCADE, 
	CONSTRAINT uq_submissions_lead_id_number UNIQUE (lead_id, number), 
	CONSTRAINT uq_submissions_once UNIQUE (once), 
	CONSTRAINT uq_submissions_storage_key UNIQUE (storage_key)
);
INSERT INTO "submissions" VALUES('dddddddddddddddddddddddddddddddd','cccccccccccccccccccccccccccccccc',1,'José','Álvarez','Jose@example.com','cv.pdf','application/pdf',8,'e16fa5d9b51928755db85b917f0297babaf22c7a47e97d9212adab56e61ba04e','[]','00000000000000000000000000000000.pdf','form.1111111111111111111111111111111111111111111111111111111111111111','1111111111111111111111111111111111111111111111111111111111111111','2026-11-02 09:30:00.000000');
CREATE TABLE tallies (
	status VARCHAR(16) NOT NULL, 
	leads INTEGER NOT NULL, 
	CONSTRAINT pk_tallies PRIMARY KEY (status)
);
INSERT INTO "tallies" VALUES('PENDING',1);
INSERT INTO "tallies" VALUES('REACHED_OUT',0);
CREATE TABLE users (
	id CHAR(32) NOT NULL, 
	username VARCHAR(50) NOT NULL, 
	username_key VARCHAR(50) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	email_key VARCHAR(254) NOT NULL, 
	hashed_password VARCHAR(60) NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, must_change_password BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_email_key UNIQUE (email_key), 
	CONSTRAINT uq_users_username_key UNIQUE (username_key)
);
INSERT INTO "users" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','Ana','ana','ana@example.com','ana@example.com','$2b$04$tbHBRW36EqiH.nXCPHDio.u4iYpoFEHeCwpLbnS1W9NpIFmBC2jBO',1,'2026-11-02 09:30:00.000000',0);
CREATE INDEX ix_leads_created_at ON leads (created_at, id);
CREATE INDEX ix_leads_first_name_key ON leads (first_name_key, id);
CREATE INDEX ix_leads_last_name_key ON leads (last_name_key, id);
CREATE INDEX ix_leads_pending_since ON leads (pending_since, id);
CREATE INDEX ix_leads_reference ON leads (reference);
CREATE INDEX ix_leads_status_created_at ON leads (status, created_at, id);
CREATE INDEX ix_leads_status_email_key ON leads (status, email_key, id);
CREATE INDEX ix_leads_status_first_name_key ON leads (status, first_name_key, id);
CREATE INDEX ix_leads_status_id ON leads (status, id);
CREATE INDEX ix_leads_status_last_name_key ON leads (status, last_name_key, id);
CREATE INDEX ix_leads_status_pending_since ON leads (status, pending_since, id);
CREATE INDEX ix_leads_status_reached_out_at ON leads (status, reached_out_at, id);
CREATE INDEX ix_leads_status_updated_at ON leads (status, updated_at, id);
CREATE INDEX ix_leads_updated_at ON leads (updated_at, id);
CREATE INDEX ix_logins_user_id ON logins (user_id);
CREATE INDEX ix_events_lead_id ON events (lead_id, id);
CREATE INDEX ix_leads_erasure_asked_at ON leads (erasure_asked_at);
CREATE INDEX ix_submissions_created_at ON submissions (created_at);
CREATE TRIGGER leads_added AFTER INSERT ON leads FOR EACH ROW BEGIN UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status; END;
CREATE TRIGGER leads_removed AFTER DELETE ON leads FOR EACH ROW BEGIN UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status; END;
CREATE TRIGGER leads_moved AFTER UPDATE OF status ON leads FOR EACH ROW WHEN (OLD.status <> NEW.status) BEGIN UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status;UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status; END;
CREATE INDEX ix_letters_sent_at ON letters (sent_at, next_at, created_at);
CREATE INDEX ix_letters_submission_id ON letters (submission_id);
CREATE INDEX ix_letters_next_at ON letters (next_at);
COMMIT;
