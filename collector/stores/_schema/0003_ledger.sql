-- What is wrong with the data themselves. Columns are those of collector/tables.py (tested).

CREATE TABLE lake.ledger (
    "at" TIMESTAMP,
    "until" TIMESTAMP,
    "told_at" TIMESTAMP,
    "event_id" VARCHAR,
    "site" VARCHAR,
    "event_kind" VARCHAR,
    "subject" VARCHAR,
    "journey" VARCHAR,
    "layers" VARCHAR,
    "detail" VARCHAR,
    "amount" DOUBLE,
    "unit" VARCHAR,
    "withdrawn" BOOLEAN
);
ALTER TABLE lake.ledger SET PARTITIONED BY (year("at"), month("at"));
ALTER TABLE lake.ledger SET SORTED BY ("at" ASC, "event_id" ASC, "told_at" ASC);
