import { isWindows } from './processes.ts';

/**
 * The server's settings. Small: it serves one folder's processes. Durable: fsync, full pages and synchronous commit stay on. Without shared memory of
 * its own in /dev/shm, which containers often lack.
 */
export const serverSettings = `# Written by distilog at each start. Change settings with ALTER SYSTEM.
max_connections = 60
shared_buffers = 32MB
huge_pages = off
dynamic_shared_memory_type = ${isWindows ? 'windows' : 'mmap'}
io_method = sync
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
max_worker_processes = 2
max_logical_replication_workers = 0
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
min_wal_size = 32MB
checkpoint_timeout = 15min
autovacuum_max_workers = 1
client_connection_check_interval = ${isWindows ? 0 : '2s'}
scram_iterations = 1
shared_preload_libraries = 'plpgsql'
fsync = on
full_page_writes = on
synchronous_commit = on
jit = off
log_checkpoints = off
timezone = UTC
log_timezone = UTC
`;
