import { hasCode, messageOf } from '../../kit/fault.ts';
import { canonicalJson, type Json, type JsonObject } from '../../kit/json.ts';
import { resolveAsOf, runLogId, ignoreSnapshots, type AsOf, type Store } from '../../log/index.ts';
import { createDistiset, type Distiset } from '../create-distiset.ts';
import { libraryOf, metadataOf, type FileOptions } from '../describe-distiset.ts';
import { datasetCard, frontMatter } from '../writers/dataset-card.ts';
import { hashedFiles } from '../writers/file-sink.ts';
import { shardBytesDefault, writeConfig, type WrittenConfig } from '../writers/write-config.ts';
import { checkCard } from './check-card.ts';
import { checkFiles, folderFinder } from './check-files.ts';
import { addedFiles } from './file-facts.ts';
import { jsonDifferences } from './json-differences.ts';
import { readExport } from './read-export.ts';
import { recordedExports } from './recorded-exports.ts';
import { inferOptions } from './unsaid-options.ts';

/** The result of verifying a written dataset. */
export interface VerifiedDistiset {
  /** Whether everything that can be computed from the log matches it. */
  readonly ok: boolean;
  readonly runId: string;
  readonly position: number;
  /** Number of files and rows that were compared. */
  readonly files: number;
  readonly rows: number;
  /** Whether the run's side log records an export of these files at this position. This is no proof, because any writer can append there. */
  readonly isRecorded: boolean;
  /** All differences from the log, in words: a file, a row, a leaf of `distilog.json` or of the card. */
  readonly differences: readonly string[];
  /** Statements of the folder or the side log that the log cannot prove, in words. */
  readonly unproven: readonly string[];
}

/** Options of `verifyDistiset`. */
export interface VerifyDistisetOptions {
  /** Called after each block of rows with its length: UTF-16 code units of the rows as canonical JSON. */
  readonly onRead?: ((length: number) => void) | undefined;
}

/** Maximum number of listed differences. The rest are only counted. */
const differencesMax = 100;

/**
 * Compares a written dataset with the log that it came from. It computes the export again from the log, with the options in `distilog.json` and without
 * snapshots, but writes nothing. Files are compared by their bytes, or row by row if another version wrote them. `distilog.json` and the part of the card that
 * `load_dataset` reads are compared leaf by leaf. It trusts the log; use `verify` to check that the log is as it was appended. Rows are streamed.
 *
 * Differences are returned, not thrown. Throws `Fault('not-a-distiset')`, `Fault('unknown-run')`, and the store's `Fault`s.
 */
export async function verifyDistiset(store: Store, directory: string, { onRead }: VerifyDistisetOptions = {}): Promise<VerifiedDistiset> {
  const written = readExport(directory);
  const { said } = written;
  const runId = said.run.id;
  const { position } = said.asOf;
  const nothing = { ok: false, runId, position, files: 0, rows: 0, isRecorded: false, unproven: [] };

  let asOf: AsOf;
  let distiset: Distiset;
  const unsaid = await inferOptions(store, said);
  try {
    asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'position', position });
    const { include, steps } = unsaid?.options ?? { include: said.options?.include, steps: said.options?.steps ?? undefined };
    distiset = await createDistiset(ignoreSnapshots(store), runId, { asOf, include, steps });
  } catch (error) {
    if (!['as-of-beyond-head', 'as-of-before-start', 'unknown-step'].some((code) => hasCode(error, code))) throw error;
    return { ...nothing, differences: [`distilog.json does not match the run: ${messageOf(error)}`] };
  }

  const { format, library, node } = said.writer;
  const options: FileOptions = {
    format,
    compression: said.writer.compression ?? 'zstd',
    csvEscapeFormulas: said.options?.csvEscapeFormulas ?? false,
    shardBytesMax: said.options?.shardBytesMax ?? shardBytesDefault,
  };
  // The same library with the same compressor writes the same bytes. Text formats are not compressed, so there the Node.js version does not matter.
  const isOurs = !unsaid && library === libraryOf(format) && (format !== 'parquet' || node === process.versions.node);
  const differences: string[] = [];
  const unproven: string[] = [...(unsaid?.unproven ?? [])];

  const sink = hashedFiles(unsaid ? folderFinder(said) : undefined);
  const configs: WrittenConfig[] = [];
  let files = 0;
  for (const config of distiset.configs) {
    const expected = await writeConfig(sink, config, { ...options, onWritten: onRead });
    const checked = await checkFiles({ directory, config, expected, said, isOurs, options });
    configs.push({ ...expected, files: checked.files });
    files += checked.compared;
    differences.push(...checked.differences);
    unproven.push(...checked.unproven);
  }
  const metadata = metadataOf(distiset, configs, options, said.distilog);
  const expected = { ...metadata, writer: { ...metadata.writer, library, node } };
  differences.push(...metadataDifferences(written, expected as unknown as Json, unsaid !== null));
  const card = checkCard(directory, datasetCard(expected, configs), frontMatter(expected, configs) as JsonObject);
  differences.push(...card.differences);
  differences.push(
    ...addedFiles(
      directory,
      configs.flatMap((config) => config.files.map((file) => file.path)),
    ).map((file) => `${file} was not written by the export`),
  );

  unproven.push(...card.unproven, `written by distilog ${said.distilog} with ${library} on Node.js ${node}`);
  const recorded = await recordedExports(store, said);
  unproven.push(...recorded);
  return {
    ok: differences.length === 0,
    runId,
    position,
    files,
    rows: configs.reduce((sum, { rows }) => sum + rows, 0),
    isRecorded: recorded.length > 0,
    differences: bounded(differences),
    unproven,
  };
}

/** Compares `distilog.json` with the one that an export writes. `isUnsaid` says that it lacks the members that 0.1.0 did not write. */
function metadataDifferences({ text, value, said }: ReturnType<typeof readExport>, expected: Json, isUnsaid: boolean): readonly string[] {
  const { options, definitions, ...others } = expected as { readonly [key: string]: Json };
  const wanted = isUnsaid ? others : { ...others, options: options ?? null, definitions: definitions ?? null };
  const differences = jsonDifferences(value, wanted).map((difference) => `distilog.json: ${difference}`);
  const canonical = `${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`;
  if (differences.length > 0 || text === canonical) return differences;
  return [`distilog.json of run ${said.run.id} is not formatted as distilog writes it, so it may have a key twice`];
}

const bounded = (differences: readonly string[]): readonly string[] =>
  differences.length <= differencesMax
    ? differences
    : [...differences.slice(0, differencesMax), `${differences.length - differencesMax} more differences`];
