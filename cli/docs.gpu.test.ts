/** The commands of the documentation as they stand, in a shell, with small models at a mirror of the Hub in place of those that they name. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicModel } from '../src/model/fixtures/golden';
import { folderOf } from '../src/reference/calls';
import { withModel } from '../src/session/fixtures';
import { ROOT } from '../tools/bundle.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { programOf } from '../tools/doc-programs';
import { startHub } from '../tools/hub';
import { blockShell, builtCli, ended, jsonl, parse } from './fixtures';

const blocks = blocksFor('cli/docs.gpu.test.ts');
/** A table of tokens, which is loaded at once; 37 numbers. */
const EMBEDDER = folderOf('static-normalize');
/** Its labels are 3, 1 and 2. Of the reranker's shape, so that their kernels are compiled once. */
const CLASSIFIER = folderOf('classify-labels');
const MODELS = {
  'nomic-ai/modernbert-embed-base': EMBEDDER,
  'Alibaba-NLP/gte-reranker-modernbert-base': folderOf('cross-encoder'),
  'answerdotai/ModernBERT-base': publicModel('nano'),
};

const { command } = builtCli();
let hub: Awaited<ReturnType<typeof startHub>>;
let start: ReturnType<typeof blockShell>;
/** Of one test. */
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  hub = await startHub(MODELS);
  // lavapipe compiles for vectors of 4 in half the time.
  start = blockShell(command(), {
    HF_ENDPOINT: hub.url,
    LP_NATIVE_VECTOR_WIDTH: '128',
    XDG_CACHE_HOME: mkdtempSync(join(tmpdir(), 'cache-')),
  });
});
afterAll(() => hub.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
});

/** Runs a block, or a line of one, in the test's folder. */
async function run(code: string) {
  const result = await ended(start(code, folder));
  expect(result.code, `${code}\n${result.stderr}`).toBe(0);
  return result;
}

const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));
const linesOf = (name: string) => parse(readFileSync(at(name), 'utf8'));
/** What a block shows as output: its numbers may be others, and `…` stands for anything. */
const like = (shown: string) =>
  new RegExp(
    shown
      .trim()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\d+(?!\d*%)/g, '[\\d,]+')
      .replaceAll('…', '.*')
      .replace(/ +/g, ' +'),
  );

/** Starts a server by a block, on a free port, for `use`, and stops it. Returns what it said. */
async function serving(code: string, use: (url: string) => Promise<unknown>): Promise<string[]> {
  const child = start(`${code.trim()} --port 0`, folder);
  const closed = ended(child);
  const lines: string[] = [];
  try {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stderr).on('line', (line) => {
        lines.push(line);
        const [, found] = / at (http:\/\/\S+)$/.exec(line) ?? [];
        if (found) resolve(found);
      });
      child.once('exit', () => reject(new Error(lines.join('\n'))));
    });
    await use(url);
  } finally {
    process.kill(-child.pid!, 'SIGTERM');
  }
  expect((await closed).code).toBe(0);
  return lines;
}

const convertedAs = (name: string, dtype: string) =>
  withModel(at(name), {}, async (model) => {
    expect(model.info.dtype).toBe(dtype);
    expect(await model.fillMask('The capital of France is [MASK].')).toHaveLength(1);
  });

const beir = () => cpSync(join(ROOT, 'cli/evaluate/fixtures/beir'), at('scifact'), { recursive: true });
const table = (name: string, rows: (string | number)[][]) =>
  writeFileSync(at(name), rows.map((row) => `${row.join('\t')}\n`).join(''));
const SENTENCES = ['A ship at sea.', 'Bread and butter.', 'The captain saw a storm.', 'An old ship sails.'];
const copyModel = (model: string, name: string) => cpSync(model, at(name), { recursive: true });

describe.skipIf(process.platform === 'win32')('in a shell', () => {
  it('README.md', async () => {
    writeFileSync(at('texts.jsonl'), jsonl(SENTENCES.map((text) => ({ text }))));
    await run(blocks.take('README.md', 'embed nomic-ai'));
    const vectors = linesOf('vectors.jsonl');
    expect(vectors).toHaveLength(4);
    await withModel(EMBEDDER, {}, async (model) => {
      const { row } = await model.embed(SENTENCES, { kind: 'document' });
      const [own] = vectors.map(({ embedding }) => embedding as number[]);
      expect(Math.max(...own.map((x, i) => Math.abs(x - row(0)[i])))).toBeLessThan(1e-5);
    });
    await convertedAs('base-q8', 'q8');
  });

  it('cli/README.md', async () => {
    const [help, commands] = blocks.takeRest('cli/README.md');
    expect((await run(help)).stdout).toMatch(/^modernbert-webgpu COMMAND/);
    writeFileSync(at('texts.jsonl'), jsonl([{ text: 'A ship.' }]));
    beir();
    const [embed, evaluate, serve, convert, ...more] = commands.trim().split('\n');
    expect(more).toEqual([]);
    await run(embed);
    expect(linesOf('vectors.jsonl')).toEqual([{ line: 1, embedding: expect.any(Array) }]);
    await run(evaluate);
    expect(json('scifact.json').stages).toHaveLength(3);
    await serving(serve, async (url) => expect((await fetch(`${url}/health`)).status).toBe(200));
    await run(convert);
    await convertedAs('base-q8', 'q8');
  });

  it('docs/guide/cli.md', async () => {
    const page = 'docs/guide/cli.md';
    expect((await run(blocks.take(page, '--help'))).stdout).toMatch(/^modernbert-webgpu COMMAND/);

    const input = blocks.take(page, '{"id": "a1"');
    writeFileSync(at('passages.jsonl'), input);
    await run(blocks.take(page, '--input passages.jsonl'));
    const [found] = linesOf('vectors.jsonl');
    const shown = JSON.parse(blocks.take(page, '{"line":1').replace(',…]', ']'));
    expect(found).toEqual({ ...shown, embedding: expect.any(Array) });
    expect(Object.keys(found)).toEqual(Object.keys(shown));
    expect(found.embedding).toHaveLength(37);

    beir();
    copyModel(CLASSIFIER, 'my-model');
    table('dev.tsv', [['sentence', 'label'], ...SENTENCES.map((text, i) => [text, (i % 3) + 1])]);
    const scores = await run(blocks.take(page, './scifact'));
    expect(scores.stdout).toMatch(/hybrid +0\.\d{4}[\s\S]*accuracy/);
    expect(Object.keys(json('scifact.json').metrics)).toContain('ndcg@10');

    await serving(blocks.take(page, 'serve nomic-ai'), async (url) =>
      expect((await fetch(`${url}/health`)).status).toBe(200),
    );
    await run(blocks.take(page, 'convert'));
    await convertedAs('public/models/modernbert-base-q8', 'q8');
  });

  it('docs/guide/dtypes.md', async () => {
    await run(blocks.take('docs/guide/dtypes.md'));
    await convertedAs('modernbert-base-q8', 'q8');
  });

  it('docs/guide/evaluate.md', async () => {
    const page = 'docs/guide/evaluate.md';
    beir();
    const retrieval = blocks.take(page, './scifact --json');
    const dense = await run(retrieval);
    expect(json('scifact.json').stages.map(({ name }: { name: string }) => name)).toEqual(['dense']);
    expect(dense.stdout).not.toContain('bm25');
    const reranked = '--mode hybrid --reranker Alibaba-NLP/gte-reranker-modernbert-base --overwrite';
    expect((await run(`${retrieval.trim()} ${reranked}`)).stdout).toMatch(like(blocks.take(page, 'reranked')));

    const [, cola, stsb, ...more] = blocks.take(page, 'CoLA').trim().split('\n');
    expect(more).toEqual([]);
    copyModel(CLASSIFIER, 'my-cola-model');
    table(
      'dev.tsv',
      SENTENCES.map((text, i) => ['gj04', (i % 3) + 1, '', text]),
    );
    expect((await run(cola)).stdout).toMatch(/MCC/);
    copyModel(EMBEDDER, 'my-stsb-model');
    const rows = SENTENCES.map((text, i) => [text, SENTENCES[(i + 1) % 4], i]);
    table('dev.tsv', [['sentence1', 'sentence2', 'score'], ...rows]);
    expect((await run(stsb)).stdout).toMatch(/Pearson +Spearman/);
  });

  it('docs/guide/serve.md', async () => {
    const page = 'docs/guide/serve.md';
    const address = 'http://127.0.0.1:8080';
    const requests = blocks.take(page, 'curl');
    const client = blocks.take(page, 'import OpenAI');
    let port = '';
    const lines = await serving(blocks.take(page, 'serve small='), async (url) => {
      [port] = /\d+$/.exec(url)!;
      const [embeddings, ranks] = await Promise.all(
        requests.split(/^(?=curl)/m).map(async (line) => JSON.parse((await run(line.replace(address, url))).stdout)),
      );
      expect(embeddings).toMatchObject({ object: 'list', model: 'small', data: [{ index: 0 }] });
      expect(embeddings.data[0].embedding).toHaveLength(37);
      expect(ranks.map(({ index }: { index: number }) => index).sort()).toEqual([0, 1]);

      expect(client).toContain(`'${address}/v1', apiKey: 'none'`);
      const printed: unknown[] = [];
      const program = await programOf([client.replace(address, url)]);
      const importing = async (name: string) => (name === 'openai' ? { default: OpenAI } : {});
      await new Function('console', `return ${program}`)({ log: (text: unknown) => printed.push(text) })(importing);
      expect(printed).toEqual([37]);
    });
    expect(lines).toContain(blocks.take(page, 'Serving small').trim().replace('8080', port));

    writeFileSync(at('key.txt'), 'sesame\n');
    await serving(blocks.take(page, 'key.txt'), async (url) => {
      const ask = (headers: Record<string, string>) =>
        fetch(`${url.replace('0.0.0.0', '127.0.0.1')}/embed`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: 'https://example.org', ...headers },
          body: '{"inputs": "A ship."}',
        });
      expect((await ask({})).status).toBe(401);
      const allowed = await ask({ authorization: 'Bearer sesame' });
      expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
        200,
        'https://example.org',
      ]);
    });
  });

  it('every block that is its own', () => expect(blocks.left()).toEqual([]));
});
