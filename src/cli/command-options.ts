import { Option, type Command } from 'commander';

/** Adds a command that uses a store, and returns it. It has the options that all such commands share. */
export const addStoreCommand = (parent: Command, spec: string, description: string): Command =>
  parent
    .command(spec)
    .description(description)
    .exitOverride()
    .option('--store <url>', 'Use this PostgreSQL server')
    .option('--json', 'Print JSON');

/** Returns an option that may be repeated. Its value is the list of all values. */
export const repeatableOption = (flags: string, description: string): Option => new Option(flags, description).argParser(collect);

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Returns `--param`, for commands that plan a pipeline. */
export const paramOption = (): Option =>
  repeatableOption('--param <name=value>', 'Set a param of the pipeline; may be repeated').default([], 'none');

/** Returns `--concurrency`, for commands that drive a run. */
export const concurrencyOption = (): Option =>
  repeatableOption('--concurrency <step=n>', 'Limit the calls that a step has in flight; may be repeated').default([], 'none');

/** Adds the options that select a page of runs (`RunPageOptions`), and returns the command. */
export const addRunPageOptions = (command: Command): Command =>
  command
    .option('--limit <n>', 'List the newest n runs (default: 20)')
    .addOption(new Option('--all', 'List every run').conflicts('limit'))
    .option('--since <time>', 'List runs that started at this time or later: a time (2026-11-24T10:30) or an age (2h, 7d)')
    .option('--before <run>', 'List runs that are older than this run');
