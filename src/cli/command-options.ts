import { Option, type Command } from 'commander';

/** Adds a command that works on a store, and returns it: it has the options that all of them have. */
export const addStoreCommand = (parent: Command, spec: string, description: string): Command =>
  parent
    .command(spec)
    .description(description)
    .exitOverride()
    .option('--store <url>', 'the PostgreSQL server to use')
    .option('--json', 'for machines');

/** Returns an option that may be given several times; its value is the list of all. */
export const repeatableOption = (flags: string, description: string): Option => new Option(flags, description).argParser(collect);

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Returns `--param`, for commands that plan a pipeline. */
export const paramOption = (): Option =>
  repeatableOption('--param <name=value>', 'a param of the pipeline; may be repeated').default([], 'none');

/** Returns `--concurrency`, for commands that drive a run. */
export const concurrencyOption = (): Option =>
  repeatableOption('--concurrency <step=n>', 'calls of a step in flight; may be repeated').default([], 'none');

/** Adds the options that choose a page of runs (`RunPageOptions`), and returns the command. */
export const addRunPageOptions = (command: Command): Command =>
  command
    .option('--limit <n>', 'the newest n (default: 20)')
    .addOption(new Option('--all', 'every run').conflicts('limit'))
    .option('--since <time>', 'those that started then or later: a time (2026-11-24T10:30) or an age (2h, 7d)')
    .option('--before <run>', 'those older than this run');
