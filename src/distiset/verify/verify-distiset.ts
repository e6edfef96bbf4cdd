import { hasCode, messageOf } from '../../kit/fault.ts';
import { canonicalJson, type Json, type JsonObject } from '../../kit/json.ts';
import { resolveAsOf, runLogId, ignoreSnapshots, type AsOf, type Store } from '../../log/index.ts';
import { createDistiset, type Distiset } from '../create-distiset.ts';
import { libraryOf, metadataOf, type FileOptions } from '../describe-distiset.ts';
import { datasetCard, frontMatter } from '../writers/dataset-card.ts';
import { hashedFiles } from '../writers/file-sink.ts';
import { shardBytesDefault, writeConfig, type WrittenConfig } from '../writers/write-config.ts';
import { checkCard } from './check-card.ts';
import { checkFiles, folderIn } from './check-files.ts';
import { addedFiles } from './file-facts.ts';
import { jsonDifferences } from './json-differences.ts';
import { readExport } from './read-export.ts';
import { recordedExports } from './recorded-exports.ts';
import { unsaidOptions } from './unsaid-options.ts';

/** What a check of a written dataset found. */
export interface VerifiedDistiset {
  /** Whether everything that can be computed from the log again is as the log gives it. */
  readonly ok: boolean;
  readonly runId: string;
  readonly position: number;
  /** Files and rows that were compared. */
  readonly files: number;
  readonly rows: number;
  /** Whether the run's side log has an export of these files at this position. It proves nothing: any writer may append there. */
  readonly isRecorded: boolean;
  /** Everything that is not as the log gives it, in words: a file, a row, a leaf of `distilog.json` or of the card. */
  readonly differences: readonly string[];
  /** What the folder or the side log says and the log cannot prove, in words. */
  readonly unproven: readonly string[];
}

export interface VerifyDistisetOptions {
  /** Called after each block of rows with its length: UTF-16 code units of the rows as canonical JSON. */
  readonly onRead?: ((length: number) => void) | undefined;
}

/** Differences that are listed; the number of the others is. */
const differencesMax = 100;

/**
 * Compares a written dataset with the log that it came from. The export is computed again, with the options that stand in `distilog.json` and without
 * snapshots, and written to nowhere: files are compared by their bytes, and row by row where another version wrote them; `distilog.json` and what
 * `load_dataset` reads of the card leaf by leaf. It trusts the log: `verify` says whether that is as it was appended. Streams.
 *
 * What it finds is its result. It throws `Fault('not-a-distiset')`, `Fault('unknown-run')`, and the store's `Fault`s.
 */
export async function verifyDistiset(store: Store, directory: string, { onRead }: VerifyDistisetOptions = {}): Promise<VerifiedDistiset> {
  const written = readExport(directory);
  const { said } = written;
  const runId = said.run.id;
  const { position } = said.asOf;
  const nothing = { ok: false, runId, position, files: 0, rows: 0, isRecorded: false, unproven: [] };

  let asOf: AsOf;
  let distiset: Distiset;
  const unsaid = await unsaidOptions(store, said);
  try {
    asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'position', position });
    const { include, steps } = unsaid?.options ?? { include: said.options?.include, steps: said.options?.steps ?? undefined };
    distiset = await createDistiset(ignoreSnapshots(store), runId, { asOf, include, steps });
  } catch (error) {
    if (!['as-of-beyond-head', 'as-of-before-start', 'unknown-step'].some((code) => hasCode(error, code))) throw error;
    return { ...nothing, differences: [`distilog.json speaks of another run: ${messageOf(error)}`] };
  }

  const { format, library, node } = said.writer;
  const options: FileOptions = {
    format,
    compression: said.writer.compression ?? 'zstd',
    csvEscapeFormulas: said.options?.csvEscapeFormulas ?? false,
    shardBytesMax: said.options?.shardBytesMax ?? shardBytesDefault,
  };
  // What the same library writes with the same compressor has the same bytes; text formats are compressed by nothing.
  const isOurs = !unsaid && library === libraryOf(format) && (format !== 'parquet' || node === process.versions.node);
  const differences: string[] = [];
  const unproven: string[] = [...(unsaid?.unproven ?? [])];

  const sink = hashedFiles(unsaid ? folderIn(said) : undefined);
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
    ).map((file) => `${file} is none of the files that were written`),
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

/** Compares `distilog.json` with the one that an export writes. `isUnsaid`: it lacks what 0.1.0 did not write. */
function metadataDifferences({ text, value, said }: ReturnType<typeof readExport>, expected: Json, isUnsaid: boolean): readonly string[] {
  const { options, definitions, ...others } = expected as { readonly [key: string]: Json };
  const wanted = isUnsaid ? others : { ...others, options: options ?? null, definitions: definitions ?? null };
  const differences = jsonDifferences(value, wanted).map((difference) => `distilog.json: ${difference}`);
  const canonical = `${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`;
  if (differences.length > 0 || text === canonical) return differences;
  return [`distilog.json of run ${said.run.id} is not written as distilog writes it: it may say something twice`];
}

const bounded = (differences: readonly string[]): readonly string[] =>
  differences.length <= differencesMax
    ? differences
    : [...differences.slice(0, differencesMax), `${differences.length - differencesMax} more differences`];
