-- What the logs of machines say of the sessions on them and of themselves, beside what a probe saw of a session's end.

CREATE TABLE lake.host_events (
    "at" TIMESTAMP,
    "site" VARCHAR,
    "host" VARCHAR,
    "log" VARCHAR,
    "event_number" INTEGER,
    "said" VARCHAR,
    "cause" VARCHAR,
    "code" BIGINT,
    "session" BIGINT,
    "user" VARCHAR,
    "endpoint" VARCHAR,
    "program" VARCHAR
);
ALTER TABLE lake.host_events SET PARTITIONED BY (year("at"), month("at"), day("at"));
ALTER TABLE lake.host_events SET SORTED BY ("at" ASC, "host" ASC);
