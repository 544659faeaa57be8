-- What the spans of a run's servers said of their time: parts per step and service, no span.
-- Partitioned by the day the collector received them.

CREATE TABLE lake.server_parts (
    "at" TIMESTAMP,
    "site" VARCHAR,
    "run_id" VARCHAR,
    "position" INTEGER,
    "service" VARCHAR,
    "nested" BOOLEAN,
    "whole" DOUBLE,
    "database" DOUBLE,
    "storage" DOUBLE,
    "external" DOUBLE,
    "spans" BIGINT
);
ALTER TABLE lake.server_parts SET PARTITIONED BY (year("at"), month("at"), day("at"));
ALTER TABLE lake.server_parts SET SORTED BY ("run_id" ASC, "position" ASC, "at" ASC);
