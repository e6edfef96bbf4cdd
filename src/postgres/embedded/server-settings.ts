import { isWindows } from './processes.ts';

/**
 * The server's settings, by name. They are passed on its command line, where no file of the data directory can override them.
 *
 * Small: the server serves the processes of one folder. Durable: fsync, full pages and synchronous commit stay on. No shared memory in /dev/shm, which
 * containers often lack. Safe: a planted file can set no program, no library and no other server.
 */
export const serverSettings: Readonly<Record<string, string>> = {
  max_connections: '60',
  shared_buffers: '32MB',
  huge_pages: 'off',
  dynamic_shared_memory_type: isWindows ? 'windows' : 'mmap',
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_worker_processes: '2',
  max_logical_replication_workers: '0',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  checkpoint_timeout: '15min',
  autovacuum_max_workers: '1',
  client_connection_check_interval: isWindows ? '0' : '2s',
  scram_iterations: '1',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  synchronous_standby_names: '',
  jit: 'off',
  log_checkpoints: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Programs.
  archive_mode: 'off',
  archive_command: '',
  archive_cleanup_command: '',
  restore_command: '',
  recovery_end_command: '',
  ssl: 'off',
  ssl_passphrase_command: '',
  // Libraries.
  shared_preload_libraries: '',
  session_preload_libraries: '',
  local_preload_libraries: '',
  archive_library: '',
  oauth_validator_libraries: '',
  jit_provider: 'llvmjit',
  dynamic_library_path: '$libdir',
  extension_control_path: '$system',
  // Code in the database that a login or a migration would run.
  event_triggers: 'off',
  // Other servers, other files.
  primary_conninfo: '',
  primary_slot_name: '',
  external_pid_file: '',
  log_destination: 'stderr',
  logging_collector: 'off',
  unix_socket_permissions: '0700',
  // Refuses ALTER SYSTEM, because its settings would be removed at the next start.
  allow_alter_system: 'off',
};

/** Returns settings as arguments of the `postgres` program. */
export const settingArguments = (settings: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
