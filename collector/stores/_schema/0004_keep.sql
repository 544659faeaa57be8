-- Days, summarised so that days merge to weeks, months and years (collector/stores/_sketch.py), and since when rows
-- themselves are kept. A day leaves its table in the commit that brings it late rows.

CREATE TABLE lake.daily_steps (
    "day" TIMESTAMP,
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
    "target_seconds" DOUBLE,
    "minimum" DOUBLE,
    "maximum" DOUBLE,
    "total" DOUBLE,
    "buckets" INTEGER[],
    "counts" BIGINT[]
);
ALTER TABLE lake.daily_steps SET PARTITIONED BY (year("day"), month("day"));

CREATE TABLE lake.daily_samples (
    "day" TIMESTAMP,
    "site" VARCHAR,
    "component" VARCHAR,
    "layer" VARCHAR,
    "metric" VARCHAR,
    "measured" BIGINT,
    "minimum" DOUBLE,
    "maximum" DOUBLE,
    "total" DOUBLE,
    "buckets" INTEGER[],
    "counts" BIGINT[]
);
ALTER TABLE lake.daily_samples SET PARTITIONED BY (year("day"), month("day"));

-- Rows before the latest of these were removed, when they had been kept for as long as collector.keep says.
CREATE TABLE lake.kept ("since" TIMESTAMP);

-- A sixth fewer bytes per step row than with level 3, for a twelfth more time to write; files that are there stay.
CALL lake.set_option('parquet_compression_level', '6');
