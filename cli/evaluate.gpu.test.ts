/** The command evaluate as users run it, against what sentence-transformers' models score: tools/evaluation/make_models.py. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { folderOf } from '../src/reference/calls';
import { ROOT } from '../tools/bundle.mjs';
import expected from './evaluate/fixtures/models.json';
import { builtCli, jsonl } from './fixtures';

const FIXTURES = join(ROOT, 'cli/evaluate/fixtures');
const BEIR = join(FIXTURES, 'beir');
const [LABELS, PAIRS] = [join(FIXTURES, 'labels.csv'), join(FIXTURES, 'pairs.tsv')];
const DENSE = folderOf('st-dense-prompts');
const RANKS = ['--depth', String(expected.depth), '--recall', '5,20'];
const RERANK = ['--reranker', folderOf('cross-encoder'), '--rerank-top-k', String(expected.rerankTopK)];

const { at, start, run } = builtCli();

type Metrics = Record<string, number>;
interface Result {
  metrics: Metrics;
  stages: { name: string; metrics: Metrics; model?: Record<string, unknown>; tokens: number; resumedAfter?: number }[];
  [more: string]: unknown;
}
const readResult = async (file: string): Promise<Result> => JSON.parse(await readFile(file, 'utf8'));

let results = 0;
async function evaluate(...args: string[]): Promise<Result & { stdout: string; stderr: string }> {
  const file = at(`result-${++results}.json`);
  const { code, stdout, stderr } = await run(['evaluate', ...args, '--json', file]);
  expect(code, stderr).toBe(0);
  expect(existsSync(`${file}.part`)).toBe(false);
  return { ...(await readResult(file)), stdout, stderr };
}

function expectMetrics(found: Metrics, wanted: object, digits = 9): void {
  expect(Object.keys(found)).toEqual(Object.keys(wanted));
  for (const [name, value] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(value, digits);
}

describe('a folder', () => {
  it('dense, BM25, their fusion, and a reranker', async () => {
    const runFile = at('run.txt');
    const { stages, metrics, stdout, ...result } = await evaluate(
      DENSE,
      BEIR,
      ...['--mode', 'hybrid', ...RANKS, '--run', runFile, '--batch', '7'],
    );
    expect(stages.map(({ name }) => name)).toEqual(['dense', 'bm25', 'hybrid']);
    for (const stage of stages) {
      expectMetrics(stage.metrics, expected.retrieval[stage.name as 'dense']);
      expect(stdout).toContain(stage.metrics['ndcg@10'].toFixed(4));
    }
    expect(metrics).toEqual(stages[2].metrics);
    expect(stages[0].tokens).toBeGreaterThan(39 * 5);
    expect(stages[0].model).toMatchObject({
      source: DENSE,
      dtype: 'f32',
      similarity: 'cosine',
      prompts: { query: 'search_query: ', document: 'search_document: ' },
    });
    expect(result.data).toMatchObject({ split: 'test', documents: 39, emptyDocuments: 1, queries: 8 });
    const rows = (await readFile(runFile, 'utf8')).trimEnd().split('\n');
    expect(rows).toHaveLength(8 * expected.depth);
    expect(rows[0]).toMatch(/^q0 Q0 d\d+ 1 0\.0\d+ modernbert-webgpu$/);
    expect(rows.filter((row) => row.startsWith('q3 Q0 q3 '))).toEqual([]);

    const { stages: read } = await evaluate(DENSE, BEIR, ...RANKS, ...RERANK);
    expect(read.map(({ name }) => name)).toEqual(['dense', 'reranked']);
    expectMetrics(read[1].metrics, expected.retrieval.reranked);
  });

  it.each([
    ['sparse', [folderOf('splade-max'), BEIR, '--mode', 'sparse']],
    ['multi-vector', [folderOf('mv-colbert'), BEIR, '--mode', 'multi-vector']],
    ['hybrid, sparse', [DENSE, BEIR, '--mode', 'hybrid', '--sparse-model', folderOf('splade-max')]],
  ] as const)('%s', async (name, args) => {
    expectMetrics((await evaluate(...args, ...RANKS)).metrics, expected.retrieval[name]);
  });

  it('prompts and dimensions of your own change the result, which names them', async () => {
    const own = await evaluate(DENSE, BEIR, ...RANKS, '--query-prompt', '', '--dimensions', '4').catch(() => undefined);
    expect(own).toBeUndefined(); // an empty option is refused
    const { metrics, stages, options } = await evaluate(
      DENSE,
      BEIR,
      ...RANKS,
      '--query-prompt',
      'q: ',
      '--dimensions',
      '4',
    );
    expect(metrics).not.toEqual(expected.retrieval.dense);
    expect(stages[0].model).toMatchObject({
      embeddingSize: 4,
      prompts: { query: 'q: ', document: 'search_document: ' },
    });
    expect(options).toMatchObject({ 'query-prompt': 'q: ', dimensions: '4', depth: expected.depth });
  });
});

describe('a table', () => {
  it('labels: of single texts by their names, of pairs by their indices', async () => {
    const { positive: one, ...named } = expected.tables['labels.csv'];
    const { positive: two, ...indexed } = expected.tables['pairs.tsv'];
    const single = ['--text-field', 'sentence', '--label-field', 'class', '--positive', one];
    const { metrics, data, stdout } = await evaluate(folderOf('classify-labels'), LABELS, ...single);
    expectMetrics(metrics, named);
    expect(data).toMatchObject({ rows: 40, skipped: 0 });
    expect(stdout).toMatch(/accuracy +F1 +macro F1 +MCC/);
    const pairs = [
      '--text-field',
      'premise',
      '--pair-field',
      'hypothesis',
      '--label-field',
      'label',
      '--positive',
      two,
    ];
    expectMetrics((await evaluate(folderOf('cross-encoder-nli'), PAIRS, ...pairs)).metrics, indexed);
  });

  it('scores: a regression head, a cross-encoder, and cosines', async () => {
    const score = ['--text-field', 'premise', '--score-field', 'score'];
    const pair = [...score, '--pair-field', 'hypothesis'];
    const cases = [
      ['regression', folderOf('classify-regression'), score],
      ['cross-encoder', folderOf('cross-encoder'), pair],
      ['cosine', folderOf('st-mean'), pair],
    ] as const;
    for (const [name, model, columns] of cases) {
      const { metrics, stages } = await evaluate(model, PAIRS, ...columns);
      expectMetrics(metrics, expected.tables[name], 3);
      expect(stages.map((stage) => stage.name)).toEqual([name]);
    }
  });

  it('JSON lines, names of labels, columns without a header, and rows that are left out', async () => {
    const rows = [
      { text: 'A ship.', label: 'eins' },
      { text: '', label: 'zwei' },
      { text: 'Bread and salt.', label: 'vier' },
      { text: 'The river.', label: 'drei' },
    ];
    await writeFile(at('rows.jsonl'), jsonl(rows));
    const table = [
      folderOf('classify-labels'),
      at('rows.jsonl'),
      '--label-field',
      'label',
      '--labels',
      'eins,zwei,drei',
    ];
    const strict = await run(['evaluate', ...table]);
    expect([strict.code, strict.stderr]).toEqual([
      1,
      expect.stringMatching(/rows\.jsonl, line 2: field 'text' is empty/),
    ]);
    const { data, stderr } = await evaluate(...table, '--skip-invalid');
    expect(data).toMatchObject({ rows: 2, skipped: 2 });
    expect(stderr).toMatch(
      /2 lines skipped: 2 \(field 'text' is empty\); 3 \(the model has no label 'vier'; it has eins/,
    );

    await writeFile(at('rows.tsv'), 'x\t3\tA ship\nx\t1\tBread\textra\n');
    const plain = ['--no-header', '--text-field', '3', '--label-field', '2'];
    expect((await evaluate(folderOf('classify-labels'), at('rows.tsv'), ...plain)).data).toMatchObject({ rows: 2 });
  });
});

describe('an interrupted job', () => {
  it('goes on where it stopped, and ends with the same result', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'beir-'));
    await cp(BEIR, folder, { recursive: true });
    const corpus = await readFile(join(BEIR, 'corpus.jsonl'), 'utf8');
    const more = Array.from({ length: 1000 }, (_, i) => ({
      _id: `more${i}`,
      text: `The river ${i} and ${i % 7} ships.`,
    }));
    await writeFile(join(folder, 'corpus.jsonl'), corpus + jsonl(more));
    const file = at('interrupted.json');
    const args = ['evaluate', DENSE, folder, ...RANKS, ...RERANK, '--batch', '2', '--json', file];

    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGKILL', null],
    ] as const) {
      const child = start(...args, ...(signal === 'SIGINT' ? [] : ['--resume']));
      const closed = once(child, 'close');
      const saved = () => readFile(`${file}.part/dense.ranking`).catch(() => undefined);
      const before = await saved();
      // The first save of a run is after its first document.
      while (child.exitCode === null && ((await saved())?.equals(before ?? Buffer.of()) ?? true)) await setTimeout(10);
      child.kill(signal);
      expect((await closed)[0]).toBe(code);
      expect(existsSync(file)).toBe(false);
    }
    const again = await run(args);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(/unfinished evaluation\. --resume continues it/),
    ]);
    const other = await run([...args, '--resume', '--query-prompt', 'x']);
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/begun with another options \(.*Use the same/),
    ]);

    const { code, stderr } = await run([...args, '--resume']);
    expect(code, stderr).toBe(0);
    const resumed = await readResult(file);
    expect(resumed.stages[0].resumedAfter).toBeGreaterThan(0);
    expect(resumed.stages[0].resumedAfter).toBeLessThan(1039);
    const whole = await evaluate(DENSE, folder, ...RANKS, ...RERANK);
    expect(resumed.stages.map(({ metrics }) => metrics)).toEqual(whole.stages.map(({ metrics }) => metrics));
    expect((await run([...args, '--resume'])).stderr).toMatch(
      /already exists, and is complete\. --overwrite replaces it/,
    );
  });

  it('reads no row and no pair twice', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({ text: `The ship ${i} at sea.`, label: i % 3 }));
    await writeFile(at('many.jsonl'), jsonl(rows));
    const jobs = [
      [
        'predictions.jsonl',
        folderOf('classify-labels'),
        at('many.jsonl'),
        '--label-field',
        'label',
        '--labels',
        '0,1,2',
      ],
      ['reranked.jsonl', DENSE, BEIR, ...RANKS, ...RERANK, '--rerank-top-k', '30'],
    ];
    for (const [lines, ...args] of jobs) {
      const file = at(`${lines}.json`);
      const child = start('evaluate', ...args, '--batch', '1', '--json', file);
      const closed = once(child, 'close');
      const written = () => readFile(`${file}.part/${lines}`, 'utf8').catch(() => '');
      while (child.exitCode === null && !(await written())) await setTimeout(5);
      child.kill('SIGKILL');
      expect((await closed)[0]).toBeNull();
      const before = (await written()).split('\n').length - 1;
      const { code, stderr } = await run(['evaluate', ...args, '--batch', '1', '--json', file, '--resume']);
      expect(code, stderr).toBe(0);
      const { stages, metrics } = await readResult(file);
      expect(stages.at(-1)?.resumedAfter).toBe(before);
      expect(metrics).toEqual((await evaluate(...args, '--batch', '1')).metrics);
    }
  });
});

describe('bad input', () => {
  const classify = folderOf('classify-labels');
  it.each([
    [[DENSE, 'nowhere'], 2, /There is no file or folder nowhere/],
    [[DENSE, FIXTURES], 1, /There is no file .*corpus\.jsonl\. A folder in BEIR's layout has/],
    [[DENSE, BEIR, '--split', 'dev'], 1, /There is no file .*dev\.tsv\..* The splits there are: test; choose one with/],
    [[DENSE, BEIR, '--mode', 'sparce'], 2, /--mode must be one of dense, multi-vector, sparse, hybrid/],
    [[DENSE, BEIR, '--label-field', 'x'], 2, /--label-field is for tables, and DATA is a folder/],
    [[DENSE, BEIR, '--depth', '10', '--recall', '20'], 2, /--recall 20 is beyond --depth, the 10 documents/],
    [[DENSE, BEIR, '--rerank-top-k', '5'], 2, /--rerank-top-k needs --reranker/],
    [[DENSE, BEIR, '--sparse-model', DENSE], 2, /--sparse-model needs --mode hybrid/],
    [[DENSE, BEIR, '--resume'], 2, /--resume needs the file of the result: set --json/],
    [[DENSE, BEIR, '--mode', 'sparse'], 1, /embedSparse needs a sparse .*Choose another --mode/],
    [[DENSE, PAIRS, '--mode', 'dense'], 2, /--mode is for folders, and DATA is a table/],
    [[DENSE, PAIRS], 2, /A table needs --label-field or --score-field, one of them/],
    [
      [DENSE, PAIRS, '--text-field', 'premise', '--label-field', 'label'],
      1,
      /Labels need a sequence classifier .* is of task encoder/,
    ],
    [[DENSE, PAIRS, '--text-field', 'premise', '--score-field', 'score'], 1, /name the second text with --pair-field/],
    [
      [classify, PAIRS, '--text-field', 'premise', '--label-field', 'kind'],
      1,
      /line 2: missing field 'kind'; the fields are premise, hypothesis, label, score/,
    ],
    [
      [classify, PAIRS, '--text-field', 'premise', '--label-field', 'score'],
      1,
      /line \d+: the model has no label '\d\.\d'; it has 3, 1, 2\. Name them/,
    ],
    [
      [classify, PAIRS, '--text-field', 'premise', '--label-field', 'label', '--labels', 'a,b'],
      1,
      /--labels has 2 names, the model 3 labels: 3, 1, 2/,
    ],
    [
      [classify, PAIRS, '--text-field', 'premise', '--score-field', 'score'],
      1,
      /Scores need a model with one label, .* this one has 3/,
    ],
    [
      [classify, PAIRS, '--text-field', 'premise', '--label-field', 'label', '--prompt', 'x'],
      1,
      /--prompt is for embeddings/,
    ],
  ] as [string[], number, RegExp][])('%j', async (args, code, message) => {
    const result = await run(['evaluate', ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});
