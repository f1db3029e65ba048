import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Model } from 'modernbert-webgpu/node';
import { type Command, type Invocation, UsageError } from '../command';
import { statOf } from '../files';
import { MODEL_OPTIONS, modelLoader } from '../model';
import { indexSize } from '../passages/documents';
import { embedWaiting, indexModelOf, storeDocument } from '../passages/fill';
import { openIndex } from '../passages/schema';
import { connect, type Server } from '../postgres';
import { withProgress } from '../progress';
import { enqueueWaiting, workQueue } from '../queue';

/** Seconds after which an unfinished share goes to another worker. */
const LEASE = 300;

export const indexFiles: Command = {
  summary: 'Fill a search index in PostgreSQL with pgvector, on one machine or many.',
  args: ['MODEL'],
  rest: 'FILES',
  details: `Stores text files (UTF-8) as documents and passages in the schema 'passages', which the demo's search tab exports too.
Files already in the index are skipped; files that changed are replaced. Without --enqueue or --work, all passages
without an embedding are embedded here. Needs the package pg, and for the queue pg-boss@10.`,
  options: {
    database: { value: 'URL', help: 'postgres://user:password@host/database (DATABASE_URL)' },
    enqueue: { help: 'store the files and queue their passages for workers' },
    work: { help: 'embed queued passages until none are left; run it on any number of machines' },
    lease: { value: 'SECONDS', help: `with --enqueue: time limit of a worker for 32 passages (${LEASE})` },
    ...MODEL_OPTIONS,
  },
  async run({ args: [source], rest, values, signal }: Invocation) {
    const url = values.text('database') ?? process.env.DATABASE_URL;
    const [enqueue, work] = [values.flag('enqueue'), values.flag('work')];
    if (!url) throw new UsageError('--database or DATABASE_URL is required.');
    if (enqueue && work) throw new UsageError('--enqueue and --work cannot be combined.');
    if (work && rest.length > 0)
      throw new UsageError('--work takes no files: --enqueue has stored them in the database.');
    const lease = values.count('lease') ?? LEASE;
    checkFiles(rest);
    const load = modelLoader(source, values);

    const server = await connect(url);
    try {
      const model = await load(signal);
      try {
        await server.transaction((sql) => openIndex(sql, indexModelOf(nameOf(source), model)));
        await storeFiles(server, model, rest, signal);
        if (work) await workHere(server, model, signal);
        else if (enqueue) console.error(`${await enqueueWaiting(server, lease)} shares queued`);
        else await embedHere(server, model, signal);
        const { documents, chunks, waiting } = await indexSize(server);
        console.error(`Index: ${documents} documents, ${chunks} passages, ${waiting} of them without a vector`);
      } finally {
        await model.dispose();
      }
    } finally {
      await server.close();
    }
  },
};

/** Before a model is loaded for them. */
function checkFiles(files: string[]): void {
  for (const name of files) {
    const stats = statOf(name);
    if (!stats) throw new UsageError(`There is no file ${name}.`);
    if (stats.isDirectory())
      throw new UsageError(`${name} is a folder: name its files, such as ${join(name, '*.md')}.`);
  }
}

/** The model's name as the demo has it: the Hub id, or the name of the folder. */
const nameOf = (source: string): string =>
  /^[\w-][\w.-]*\/[\w.-]+$/.test(source) ? source : basename(source.replace(/\/+$/, ''));

const storeFiles = (server: Server, model: Model, files: string[], signal: AbortSignal): Promise<void> =>
  withProgress('Reading', async (progress) => {
    for (const [i, name] of files.entries()) {
      signal.throwIfAborted();
      progress.show(i / files.length, name);
      await storeDocument(server, model, { name, text: await readText(name) }, signal);
    }
  });

async function readText(name: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(name));
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`${name} is not a UTF-8 text file.`);
    throw error;
  }
}

const embedHere = (server: Server, model: Model, signal: AbortSignal): Promise<void> =>
  withProgress('Embedding', (progress) =>
    embedWaiting(server, model, {
      signal,
      onProgress: (done, total) => progress.show(total && done / total, `${done} of ${total} passages`),
    }),
  );

const workHere = (server: Server, model: Model, signal: AbortSignal): Promise<void> =>
  withProgress('Working', async (progress) => {
    let done = 0;
    const text = () => `${done} passages embedded here`;
    await workQueue(server, model, {
      signal,
      onShare(chunks) {
        done += chunks;
        progress.show(undefined, text());
      },
    });
    progress.end(text());
  });
