import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { ROOT } from '../../tools/bundle.mjs';
import { blocksFor } from '../../tools/doc-blocks';
import { startHub } from '../../tools/hub';
import { blockShell, buildCli, ended } from '../fixtures';
import { addDocument, documentId, indexSize, storeEmbeddings, waitingChunks } from '../passages/documents';
import { clearIndex, openIndex } from '../passages/schema';
import { type SearchMode, search } from '../passages/search';
import { connect, type Server } from '../postgres';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server that the tests may write to, from tools/postgres.mjs. */
    databaseUrl: string;
  }
}

const url = inject('databaseUrl');
const GUIDE = 'docs/guide/search.md';
const blocks = blocksFor('cli/commands/index-files.postgres.test.ts');
const HUB_ID = 'nomic-ai/modernbert-embed-base';
const MODEL = join(ROOT, 'public/models/nano-embed');
/** Number of texts. Each is one passage, and so one share. */
const TEXTS = 24;
/** Number of the advisory lock that stops workers. */
const LOCK = 24_001;
let server: Server;
let folder: string;
let command: string;
/** Runs a block of the documentation in a folder, with the server and MODEL in place of those that it names. */
let runBlock: (code: string, cwd?: string) => ReturnType<typeof ended>;
let endHub: () => void;

beforeAll(async () => {
  server = await connect(url);
  folder = mkdtempSync(join(ROOT, 'node_modules/.postgres-test-')); // where the bundle finds pg and webgpu
  command = await buildCli(folder);
  const hub = await startHub({ [HUB_ID]: MODEL });
  endHub = hub.close;
  const variables = { HF_ENDPOINT: hub.url, XDG_CACHE_HOME: join(folder, 'cache'), URL: url };
  const start = blockShell(command, variables);
  runBlock = (code, cwd = folder) => ended(start(code, cwd));
});
beforeEach(async () => {
  await clearIndex(server);
  await server.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
});
afterAll(async () => {
  await server?.close();
  endHub?.();
  if (folder) rmSync(folder, { recursive: true });
});

const running: ChildProcess[] = [];
/** Runs the command line; `done` resolves to its exit code and stderr. */
function cli(...args: string[]): { child: ChildProcess; done: Promise<{ code: number | null; said: string }> } {
  const child = spawn(process.execPath, [command, 'index', MODEL, ...args, '--database', url], {
    stdio: ['ignore', 'inherit', 'pipe'],
    cwd: folder,
  });
  running.push(child);
  let said = '';
  child.stderr?.on('data', (data) => {
    said += data;
  });
  return { child, done: new Promise((resolve) => child.on('exit', (code) => resolve({ code, said }))) };
}
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const until = async (what: () => Promise<boolean>) => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
};

it('distributes an index over workers; one is killed half-way, and nothing is lost or done twice', async () => {
  const names = Array.from({ length: TEXTS }, (_, i) => `text-${i}.txt`);
  for (const [i, name] of names.entries()) {
    write(name, `Text number ${i}. ${'The ship sailed on, and the whale was not seen. '.repeat(7)}`);
  }
  const queued = await cli(...names, '--enqueue', '--lease', '4').done;
  expect(queued).toMatchObject({ code: 0, said: expect.stringContaining(`${TEXTS} shares queued`) });
  // The same files again add no document and no share.
  expect((await cli(...names, '--enqueue').done).said).toContain(
    `${TEXTS} documents, ${TEXTS} passages, ${TEXTS} of them`,
  );
  const jobs = async (state: string) =>
    (
      await server.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM pgboss.job WHERE name LIKE $1 AND state = $2',
        ['modernbert%', state],
      )
    ).rows[0].n;
  expect(await jobs('created')).toBe(TEXTS);

  // Workers stop at a lock of the test once half of the passages are left, however fast they are.
  await server.query(`CREATE FUNCTION passages.wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM passages.chunks WHERE embedding IS NULL) <= ${TEXTS / 2} THEN
      PERFORM pg_advisory_xact_lock_shared(${LOCK});
    END IF;
    RETURN NEW;
  END $$`);
  await server.query(
    'CREATE TRIGGER wait BEFORE UPDATE ON passages.chunks FOR EACH ROW EXECUTE FUNCTION passages.wait_for_test()',
  );
  const lock = new pg.Client({ connectionString: url });
  await lock.connect();
  await lock.query('SELECT pg_advisory_lock($1)', [LOCK]);
  const locked = async () =>
    (
      await server.query<{ n: number }>(
        "SELECT count(*)::integer AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
        [LOCK],
      )
    ).rows[0].n;

  const victim = cli('--work');
  await until(async () => (await locked()) === 1);
  victim.child.kill('SIGKILL');
  await victim.done;
  expect((await indexSize(server)).waiting).toBe(TEXTS / 2);
  expect(await jobs('active')).toBe(1); // the victim's

  const workers = [cli('--work'), cli('--work')];
  await until(async () => (await locked()) === 3); // the victim's session too: Postgres has not noticed its end
  await lock.end();
  const ends = await Promise.all(workers.map(({ done }) => done));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  const counts = ends.map(({ said }) => Number([...said.matchAll(/(\d+) passages embedded here/g)].at(-1)?.[1]));
  expect(counts[0] + counts[1]).toBe(TEXTS / 2); // each once
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(await indexSize(server)).toEqual({ documents: TEXTS, chunks: TEXTS, waiting: 0 });
  expect([await jobs('completed'), await jobs('created'), await jobs('active'), await jobs('failed')]).toEqual([
    TEXTS,
    0,
    0,
    0,
  ]);
  const { rows } = await server.query<{ norm: number }>('SELECT vector_norm(embedding) AS norm FROM passages.chunks');
  for (const { norm } of rows) expect(norm).toBeCloseTo(1, 3);
});

it('indexes on one machine, replaces changed files, and rejects another dtype', async () => {
  write('a.txt', 'The whale rose.');
  write('b.txt', 'Bread and salt.');
  expect((await cli('a.txt', 'b.txt').done).said).toContain('2 documents, 2 passages, 0 of them without a vector');
  write('b.txt', 'Bread, salt and butter.');
  expect((await cli('a.txt', 'b.txt').done).code).toBe(0);
  const { rows } = await server.query<{ text: string }>('SELECT text FROM passages.documents ORDER BY name');
  expect(rows.map(({ text }) => text)).toEqual(['The whale rose.', 'Bread, salt and butter.']);
  const other = await cli('a.txt', '--dtype', 'q8').done;
  expect(other).toMatchObject({
    code: 1,
    said: expect.stringMatching(/made with nano-embed \(f16, 256 dimensions\); vectors of nano-embed \(q8/),
  });
});

it('returns the same top 10 as Postgres in WebAssembly, also through an HNSW index', async () => {
  const [chunks, dim] = [2000, 64];
  const words = ['whale', 'ship', 'sea', 'mast', 'captain', 'harpoon', 'island', 'storm', 'sail', 'coin'];
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const local = await PGlite.create({ extensions: { vector } });
  const texts = Array.from(
    { length: chunks },
    (_, i) => `Passage ${i}: ${[1, 2, 3, 4].map(() => words[Math.floor(random() * words.length)]).join(' ')}.`,
  );
  const document = { name: "it's\\a\ttest.txt", text: texts.join('\n') };
  const id = await documentId(document);
  let at = 0;
  const parts = texts.map((text) => {
    const start = at;
    at += text.length + 1;
    return { text, start, end: start + text.length, tokens: 8 };
  });
  const vectors = texts.map(() => Float32Array.from({ length: dim }, () => random() - 0.5));
  for (const database of [local, server]) {
    await database.transaction((sql) => openIndex(sql, { name: 'test', dtype: 'f32', dim }));
    await database.transaction((sql) => addDocument(sql, id, document, parts));
    await storeEmbeddings(database, await waitingChunks(database, chunks), (i) => vectors[i]);
  }
  expect(await indexSize(server)).toEqual({ documents: 1, chunks, waiting: 0 });
  const ask = (mode: SearchMode, i: number) => ({
    text: `${words[i]} ${words[i + 1]}`,
    mode,
    limit: 10,
    embedding: vectors[7 * i],
  });
  for (const mode of ['semantic', 'hybrid', 'words'] as const) {
    for (const i of [0, 3, 6]) {
      const [here, there] = [await search(local, ask(mode, i)), await search(server, ask(mode, i))];
      expect(here).toHaveLength(10);
      expect(there.map(({ position }) => position)).toEqual(here.map(({ position }) => position));
      there.forEach((passage, k) => {
        expect(passage.pieces).toEqual(here[k].pieces);
        expect(passage.cosine ?? 0).toBeCloseTo(here[k].cosine ?? 0, 6);
      });
    }
  }
  await local.close();

  const exact = await search(server, ask('semantic', 2));
  await server.query(blocks.take(GUIDE, 'CREATE INDEX'));
  await server.query('ANALYZE passages.chunks');
  const near = await search(server, ask('semantic', 2));
  expect(near[0]).toEqual(exact[0]);
  const same = near.filter(({ position }) => exact.some((other) => other.position === position));
  expect(same.length).toBeGreaterThanOrEqual(7);
});

it("the documentation's commands", async () => {
  for (const [path, text] of Object.entries({
    'docs/a.md': 'The whale rose.',
    'docs/b.md': 'Bread.',
    'texts/c.txt': 'Salt.',
  })) {
    mkdirSync(join(folder, path.split('/')[0]), { recursive: true });
    write(path, text);
  }
  const documents = async () =>
    (await server.query<{ name: string }>('SELECT name FROM passages.documents ORDER BY name')).rows.map(
      ({ name }) => name,
    );
  const expectIndexed = async (block: string, names: string[]) => {
    const { code, stderr } = await runBlock(block);
    expect(code, stderr).toBe(0);
    expect(await documents()).toEqual(names);
    expect((await indexSize(server)).waiting).toBe(0);
    await clearIndex(server);
    await server.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
  };
  const one = blocks.take(GUIDE, 'npm install modernbert-webgpu-cli pg');
  await expectIndexed(one.replace('postgres://me@localhost/mydb', '"$URL"'), ['docs/a.md', 'docs/b.md']);
  await expectIndexed(blocks.take(GUIDE, 'pg-boss').replaceAll('MODEL', HUB_ID), ['docs/a.md', 'docs/b.md']);
  const readme = blocks.take('README.md', '--enqueue');
  await expectIndexed(readme.replaceAll('postgres://…', '"$URL"'), ['texts/c.txt']);
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
