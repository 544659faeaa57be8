-- The facts, their batches and the roll-up. Columns are those of collector/tables.py (tested).
-- Partitioned by day of their own time, so that old days are never touched and a period reads few files.

CALL lake.set_option('parquet_compression', 'zstd');

CREATE TABLE lake.runs (
    "run_id" VARCHAR,
    "slot" TIMESTAMP,
    "started_at" TIMESTAMP,
    "site" VARCHAR,
    "endpoint" VARCHAR,
    "link" VARCHAR,
    "presentation" VARCHAR,
    "journey" VARCHAR,
    "journey_hash" VARCHAR,
    "environment" VARCHAR,
    "mixed" BOOLEAN,
    "driver" VARCHAR,
    "outcome" VARCHAR,
    "seconds" DOUBLE,
    "attempt" INTEGER,
    "synthetic" BOOLEAN,
    "link_source" VARCHAR,
    "presentation_source" VARCHAR,
    "confidence" DOUBLE,
    "skew_seconds" DOUBLE,
    "facts" VARCHAR
);
ALTER TABLE lake.runs SET PARTITIONED BY (year("slot"), month("slot"), day("slot"));
ALTER TABLE lake.runs SET SORTED BY ("slot" ASC, "run_id" ASC);

CREATE TABLE lake.steps (
    "run_id" VARCHAR,
    "slot" TIMESTAMP,
    "started_at" TIMESTAMP,
    "site" VARCHAR,
    "endpoint" VARCHAR,
    "link" VARCHAR,
    "presentation" VARCHAR,
    "journey" VARCHAR,
    "journey_hash" VARCHAR,
    "environment" VARCHAR,
    "mixed" BOOLEAN,
    "step" VARCHAR,
    "position" INTEGER,
    "outcome" VARCHAR,
    "seconds" DOUBLE,
    "uncertainty_seconds" DOUBLE,
    "censored" BOOLEAN,
    "target_seconds" DOUBLE,
    "resolve" DOUBLE,
    "connect" DOUBLE,
    "tls" DOUBLE,
    "processing" DOUBLE,
    "transfer" DOUBLE,
    "render" DOUBLE,
    "launch" DOUBLE,
    "pixels" DOUBLE,
    "ready" DOUBLE,
    "display" DOUBLE,
    "identity" DOUBLE,
    "spool" DOUBLE,
    "server_app" DOUBLE,
    "server_db" DOUBLE,
    "server_storage" DOUBLE,
    "server_external" DOUBLE,
    "requests" INTEGER,
    "connection" VARCHAR,
    "http_status" INTEGER,
    "bytes_received" BIGINT,
    "error_kind" VARCHAR,
    "error" VARCHAR,
    "release" VARCHAR
);
ALTER TABLE lake.steps SET PARTITIONED BY (year("slot"), month("slot"), day("slot"));
ALTER TABLE lake.steps SET SORTED BY ("slot" ASC, "run_id" ASC, "position" ASC);

CREATE TABLE lake.samples (
    "at" TIMESTAMP,
    "site" VARCHAR,
    "component" VARCHAR,
    "layer" VARCHAR,
    "metric" VARCHAR,
    "value" DOUBLE,
    "period_seconds" DOUBLE,
    "labels" VARCHAR
);
ALTER TABLE lake.samples SET PARTITIONED BY (year("at"), month("at"), day("at"));
ALTER TABLE lake.samples SET SORTED BY (date_trunc('hour', "at") ASC, "metric" ASC, "component" ASC, "at" ASC);

CREATE TABLE lake.sessions (
    "at" TIMESTAMP,
    "session_id" VARCHAR,
    "site" VARCHAR,
    "endpoint" VARCHAR,
    "link" VARCHAR,
    "presentation" VARCHAR,
    "journey" VARCHAR,
    "environment" VARCHAR,
    "kind" VARCHAR,
    "open_seconds" DOUBLE,
    "cause" VARCHAR,
    "detail" VARCHAR,
    "saved_work" VARCHAR,
    "unsaved_work" VARCHAR,
    "at_risk_seconds" DOUBLE
);
ALTER TABLE lake.sessions SET PARTITIONED BY (year("at"), month("at"), day("at"));
ALTER TABLE lake.sessions SET SORTED BY ("session_id" ASC, "at" ASC);

-- What was stored, so that a batch sent twice is kept once. sequence is its place in the spool.
CREATE TABLE lake.batches (
    "batch_id" VARCHAR,
    "sender" VARCHAR,
    "sequence" BIGINT,
    "rows" BIGINT,
    "stored_at" TIMESTAMP
);
ALTER TABLE lake.batches SET PARTITIONED BY (year("stored_at"), month("stored_at"), day("stored_at"));

-- Closed hours of steps, summarised. An hour leaves this table in the commit that brings it late rows.
CREATE TABLE lake.hourly (
    "hour" TIMESTAMP,
    "site" VARCHAR,
    "journey" VARCHAR,
    "step" VARCHAR,
    "link" VARCHAR,
    "presentation" VARCHAR,
    "environment" VARCHAR,
    "runs" BIGINT,
    "measured" BIGINT,
    "timeouts" BIGINT,
    "failures" BIGINT,
    "q10" DOUBLE,
    "q25" DOUBLE,
    "q50" DOUBLE,
    "q75" DOUBLE,
    "q90" DOUBLE,
    "target_seconds" DOUBLE,
    "resolve_q50" DOUBLE,
    "connect_q50" DOUBLE,
    "tls_q50" DOUBLE,
    "processing_q50" DOUBLE,
    "transfer_q50" DOUBLE,
    "render_q50" DOUBLE,
    "launch_q50" DOUBLE,
    "pixels_q50" DOUBLE,
    "ready_q50" DOUBLE,
    "display_q50" DOUBLE,
    "identity_q50" DOUBLE,
    "spool_q50" DOUBLE,
    "server_app_q50" DOUBLE,
    "server_db_q50" DOUBLE,
    "server_storage_q50" DOUBLE,
    "server_external_q50" DOUBLE
);
ALTER TABLE lake.hourly SET PARTITIONED BY (year("hour"), month("hour"), day("hour"));
