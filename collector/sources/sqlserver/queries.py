"""What SQL Server is asked: its dynamic management views, as Microsoft documents them for 2016 to 2022. Reads only."""

MAY_LOOK = "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')"

# statements running, of these waiting for a lock, for a page from a disk; milliseconds of the oldest
NOW = """
SELECT COUNT(*),
       SUM(CASE WHEN r.wait_type LIKE 'LCK[_]%' THEN 1 ELSE 0 END),
       SUM(CASE WHEN r.wait_type LIKE 'PAGEIOLATCH[_]%' THEN 1 ELSE 0 END),
       MAX(r.total_elapsed_time)
FROM sys.dm_exec_requests AS r JOIN sys.dm_exec_sessions AS s ON s.session_id = r.session_id
WHERE s.is_user_process = 1 AND r.session_id <> @@SPID
  AND COALESCE(r.wait_type, '') NOT IN ('WAITFOR', 'BROKER_RECEIVE_WAITFOR')
"""
# wait type, milliseconds since the server started
WAITS = "SELECT wait_type, wait_time_ms FROM sys.dm_os_wait_stats WHERE wait_time_ms > 0"
# database, ROWS or LOG, reads, milliseconds of reads, writes, milliseconds of writes
FILES = """
SELECT DB_NAME(f.database_id), f.type_desc,
       SUM(v.num_of_reads), SUM(v.io_stall_read_ms), SUM(v.num_of_writes), SUM(v.io_stall_write_ms)
FROM sys.dm_io_virtual_file_stats(NULL, NULL) AS v
JOIN sys.master_files AS f ON f.database_id = v.database_id AND f.file_id = v.file_id
GROUP BY f.database_id, f.type_desc
"""
# counter, value
COUNTERS = """
SELECT RTRIM(counter_name), cntr_value FROM sys.dm_os_performance_counters
WHERE (counter_name = 'Page life expectancy' AND object_name LIKE '%Buffer Manager%')
   OR (counter_name = 'Memory Grants Pending' AND object_name LIKE '%Memory Manager%')
   OR (counter_name = 'Number of Deadlocks/sec' AND instance_name = '_Total')
"""
# three that name a statement in a plan, how often it ran, microseconds; those that ran in the last so many seconds
STATEMENTS = """
SELECT sql_handle, plan_handle, statement_start_offset, execution_count, total_elapsed_time
FROM sys.dm_exec_query_stats WHERE last_execution_time >= DATEADD(second, -%d, SYSDATETIME())
"""
# the text of one of them; offsets are of bytes, two to a character, and -1 is the end
TEXT = """
SELECT TOP (1) SUBSTRING(t.text, q.statement_start_offset / 2 + 1,
       (CASE q.statement_end_offset WHEN -1 THEN DATALENGTH(t.text) ELSE q.statement_end_offset END
        - q.statement_start_offset) / 2 + 1)
FROM sys.dm_exec_query_stats AS q CROSS APPLY sys.dm_exec_sql_text(q.sql_handle) AS t
WHERE q.sql_handle = %s AND q.statement_start_offset = %s
"""
