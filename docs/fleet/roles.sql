-- Rights on a journal in PostgreSQL. Run it as the owner of the schemas opscom and river, who also may
-- create roles (or let an administrator run it), after each "opscom-import migrate":
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file docs/fleet/roles.sql "postgres://postgres@db.example.edu/opscom"
--
-- or, on the machine of the database:
--
--     sudo -iu postgres psql --single-transaction --set ON_ERROR_STOP=1 opscom < docs/fleet/roles.sql
--
-- It can be run again, also while everything works: what it does not grant is revoked.
--
-- The roles cannot log in. Make an account for each kind of process, and give it what it does:
--
--     push, watch, web, approve   CREATE ROLE opscom_push    LOGIN IN ROLE opscom_planner, opscom_worker;
--     submit, runs stop|forget    CREATE ROLE opscom_submit  LOGIN IN ROLE opscom_planner;
--     worker                      CREATE ROLE opscom_pusher  LOGIN IN ROLE opscom_worker;
--     runs, workers, Grafana      CREATE ROLE opscom_reader  LOGIN IN ROLE opscom_viewer;
--
-- and a password (\password opscom_push), a client certificate, or a line of pg_hba.conf. Only who migrates
-- owns tables. Whom a right on encrypted columns is given still needs the keys to read them.

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['opscom_planner', 'opscom_worker', 'opscom_viewer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES    IN SCHEMA opscom, river FROM PUBLIC, opscom_planner, opscom_worker, opscom_viewer;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA opscom, river FROM PUBLIC, opscom_planner, opscom_worker, opscom_viewer;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA opscom        FROM PUBLIC, opscom_planner, opscom_worker, opscom_viewer;
REVOKE ALL ON SCHEMA opscom, river FROM PUBLIC, opscom_planner, opscom_worker, opscom_viewer;

-- Everybody sees which runs there are, how far they are and who works on them: no personal data, but the names of
-- files and clients. Chunks and events are encrypted; the results are made of them.
GRANT USAGE ON SCHEMA opscom, river TO opscom_planner, opscom_worker, opscom_viewer;
GRANT SELECT ON opscom.schema_version, opscom.journal, opscom.target, opscom.run, opscom.chunk, opscom.event, opscom.chunk_state,
    opscom.lane, opscom.worker, opscom.job_run, river.river_migration, river.river_job, river.river_queue, river.river_leader
    TO opscom_planner, opscom_worker, opscom_viewer;
GRANT EXECUTE ON FUNCTION opscom.timeline TO opscom_planner, opscom_worker, opscom_viewer;
-- A check compares a file with what was accepted and who was in the file before: digests, and what is encrypted.
GRANT SELECT ON opscom.acceptance, opscom.roster TO opscom_planner, opscom_viewer;

-- The planner plans, approves, stops and forgets runs, and keeps what was accepted and who was in a file.
GRANT INSERT                 ON opscom.journal TO opscom_planner, opscom_worker; -- the first process to come
GRANT UPDATE (salt)          ON opscom.journal TO opscom_planner; -- when the key changes
GRANT INSERT, UPDATE         ON opscom.target TO opscom_planner;
GRANT INSERT, UPDATE, DELETE ON opscom.run, opscom.chunk, opscom.event, opscom.chunk_state, opscom.lane, opscom.job_run TO opscom_planner;
GRANT SELECT, INSERT, UPDATE, DELETE ON opscom.payload TO opscom_planner;
GRANT INSERT, UPDATE, DELETE ON opscom.acceptance, opscom.roster TO opscom_planner;
GRANT USAGE                  ON SEQUENCE opscom.event_id TO opscom_planner;
GRANT EXECUTE ON FUNCTION opscom.ensure_night, opscom.drop_payloads, opscom.drop_night TO opscom_planner;
-- It enqueues the lanes.
GRANT INSERT, UPDATE ON river.river_job, river.river_queue TO opscom_planner;
GRANT USAGE ON SEQUENCE river.river_job_id_seq TO opscom_planner;

-- The worker leases chunks, sends what is planned in them, and records what became of it. It can neither plan nor forget, nor
-- change what was planned.
GRANT SELECT         ON opscom.payload TO opscom_worker;
GRANT INSERT         ON opscom.event TO opscom_worker;
GRANT USAGE          ON SEQUENCE opscom.event_id TO opscom_worker;
GRANT UPDATE         ON opscom.chunk_state TO opscom_worker;
GRANT UPDATE (state, reason, stopping, failing, failures, has_pushed, rows, held, reports, finished_at, timeline, payload_key, folded) ON opscom.run TO opscom_worker;
GRANT UPDATE (paused_until, user_types, user_types_at) ON opscom.target TO opscom_worker;
GRANT UPDATE         ON opscom.lane TO opscom_worker;
GRANT INSERT, UPDATE, DELETE ON opscom.worker TO opscom_worker;
GRANT EXECUTE ON FUNCTION opscom.drop_payloads TO opscom_worker;
-- Both store that another timeline has begun.
GRANT EXECUTE ON FUNCTION opscom.follow_timeline TO opscom_planner, opscom_worker;
-- Turns are reserved by those who send. The planner asks the Controller for its user types.
GRANT SELECT, INSERT, UPDATE ON opscom.pace TO opscom_planner, opscom_worker;
GRANT EXECUTE ON FUNCTION opscom.reserve TO opscom_planner, opscom_worker;
-- River's clients elect a leader, who keeps the queue in order.
GRANT INSERT, UPDATE, DELETE ON river.river_job, river.river_queue, river.river_leader TO opscom_worker;
GRANT SELECT, INSERT, DELETE ON river.river_notification TO opscom_worker;
GRANT USAGE ON SEQUENCE river.river_job_id_seq, river.river_notification_id_seq TO opscom_worker;
