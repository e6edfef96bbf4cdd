import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { getContainerRuntimeClient, ImageName, type ContainerRuntimeClient } from 'testcontainers';

/** A PostgreSQL in a container, or why there is none. */
export type Contained = { readonly url: string; stop(): Promise<void> } | { readonly leftOut: string };

/** Bounds: for an engine to answer, for an image to be pulled, for a server to come up. */
const engineMs = 5_000;
const pullMs = 60_000;
const startMs = 60_000;
/** A container whose tests were killed; no tests take so long. */
const orphanAgeS = 30 * 60;
const label = 'distilog.tests';

/**
 * Starts a PostgreSQL of a major version in a container of its own, where a Docker engine answers. The image is `postgres:MAJOR`, or what
 * DISTILOG_TEST_IMAGE_MAJOR names. Never waits for long: what cannot be had is left out.
 */
export async function startPostgres(major: string): Promise<Contained> {
  // The reaper is one more image to be pulled. Containers are stopped when their tests end; the next tests remove those that were killed.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const engine = await within(engineMs, getContainerRuntimeClient()).catch(() => null);
  if (!engine) return { leftOut: 'no Docker engine answers' };
  await within(engineMs, removeOrphans(engine)).catch(() => undefined);
  const image = process.env[`DISTILOG_TEST_IMAGE_${major}`] || `postgres:${major}`;
  const name = ImageName.fromString(image);
  if (!(await within(engineMs, engine.image.exists(name)).catch(() => false))) {
    const error = await within(
      pullMs,
      quietly(() => engine.image.pull(name)),
    ).then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason))),
    );
    if (error) return { leftOut: `the image ${image} is not here and cannot be pulled (${error.message.trim()})` };
  }
  const container = await new PostgreSqlContainer(image)
    .withLabels({ [label]: major })
    .withStartupTimeout(startMs)
    .start();
  return {
    url: container.getConnectionUri(),
    stop: async () => {
      await container.stop();
    },
  };
}

async function removeOrphans({ container }: ContainerRuntimeClient): Promise<void> {
  const before = Date.now() / 1_000 - orphanAgeS;
  for (const { Id, Labels, Created } of await container.list()) {
    if (label in Labels && Created < before) await container.remove(container.getById(Id), { removeVolumes: true });
  }
}

/** The library tells of a failed pull on its own, too. */
async function quietly(pull: () => Promise<void>): Promise<void> {
  const { error } = console;
  console.error = () => undefined;
  try {
    await pull();
  } finally {
    console.error = error;
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1_000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
