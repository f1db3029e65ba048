/** Files, rankings and the job's folder, without a model. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from './beir';
import type { Search } from './first-stage';
import { type JobOptions, openJob } from './job';
import { rank } from './rank';
import { bytesOf, fuse, ranking, rankings, rankingsOf } from './rankings';
import { metricsTable } from './report';
import { openTable, type TableOptions } from './table';

const root = mkdtempSync(join(tmpdir(), 'evaluate-'));
afterAll(() => rmSync(root, { recursive: true }));
const { signal } = new AbortController();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('a folder', () => {
  const CORPUS =
    '{"_id":"a","title":"Sea","text":"A ship."}\n\n{"_id":"e","text":""}\n{"_id":"ü","text":"Öl und Salz "}\n';
  const QUERIES = '{"_id":"1","text":"ship"}\n{"_id":"2","text":"salt"}\n{"_id":3,"text":"none"}\n';
  const HEADER = 'query-id\tcorpus-id\tscore\n';
  const make = (files: { corpus?: string; queries?: string; qrels?: string }) => {
    mkdirSync(join(folder, 'qrels'), { recursive: true });
    write('corpus.jsonl', files.corpus ?? CORPUS);
    write('queries.jsonl', files.queries ?? QUERIES);
    write('qrels/test.tsv', files.qrels ?? `${HEADER}1\ta\t2\r\n2\te\t1\n`);
  };
  const open = (allowMissing = false) => openFolder(folder, { split: 'test', allowMissing, signal });

  it('has the judged queries, and the documents with a text in their order, also one by one', async () => {
    make({});
    const { queries, judged, corpus } = await open();
    expect(queries).toEqual([
      { id: '1', text: 'ship' },
      { id: '2', text: 'salt' },
    ]);
    expect([...judged.values()].map((grades) => [...grades])).toEqual([[['a', 2]], [['e', 1]]]);
    expect([corpus.ids, corpus.empty]).toEqual([['a', 'ü'], 1]);
    const texts = async (from: number) => {
      const all: string[] = [];
      for await (const text of corpus.texts(from, signal)) all.push(text);
      return all;
    };
    expect(await texts(0)).toEqual(['Sea A ship.', 'Öl und Salz']);
    expect(await texts(1)).toEqual(['Öl und Salz']);
    expect([await corpus.text(1), await corpus.text(0)]).toEqual(['Öl und Salz', 'Sea A ship.']);
    await corpus.close();
  });

  it.each([
    [
      { qrels: `${HEADER}1\tgone\t1\n1\ta\t1\n` },
      /names 1 of 2 documents that .*corpus\.jsonl lacks, such as 'gone'\. --allow-missing counts/,
    ],
    [
      { qrels: `${HEADER}9\ta\t1\n1\ta\t1\n` },
      /names 1 of 2 queries that .*queries\.jsonl lacks, such as '9'\. --allow-missing leaves/,
    ],
    [{ qrels: `${HEADER}9\ta\t1\n` }, /names only queries that .* lacks, such as '9'\. Do these files belong together/],
    [
      { qrels: `${HEADER}1\tx\t1\n` },
      /names only documents that .* lacks, such as 'x'\. Do these files belong together/,
    ],
    [{ qrels: '1\ta\t1\n' }, /test\.tsv, line 1: must be the header query-id<TAB>corpus-id<TAB>score, it is '1 a 1'/],
    [{ qrels: `${HEADER}1 0 a 1\n` }, /test\.tsv, line 2: has 1 columns; the three of BEIR/],
    [{ qrels: `${HEADER}1\ta\tyes\n` }, /line 2: the grade must be an integer, it is 'yes'/],
    [{ qrels: HEADER }, /test\.tsv has no judgements/],
    [
      { corpus: '{"id":"a","text":"x"}\n' },
      /corpus\.jsonl, line 1: field '_id' must be a string; the fields are id, text/,
    ],
    [{ corpus: '{"_id":"a","body":"x"}\n' }, /line 1: field 'text' must be a string; the fields are _id, body/],
    [{ corpus: `${CORPUS}{"_id":"a","text":"x"}\n` }, /line 5: a second document with the _id 'a'/],
    [{ corpus: '{"_id":"a","text":""}\n' }, /has no document with a text/],
    [{ queries: '{"_id":"1","text":" "}\n' }, /queries\.jsonl, line 1: field 'text' of query '1' is empty/],
    [{ queries: `${QUERIES}{"_id":"1","text":"x"}\n` }, /line 4: a second query with the _id '1'/],
  ])('%j is refused', async (files, message) => {
    make(files);
    await expect(open()).rejects.toThrow(message);
  });

  it('--allow-missing counts what is not there', async () => {
    make({ qrels: `${HEADER}1\tgone\t1\n1\ta\t1\n9\ta\t1\n` });
    const { missing, judged, corpus } = await open(true);
    await corpus.close();
    expect(missing).toEqual({ queries: 1, documents: 1 });
    expect([...judged].map(([query, grades]) => [query, grades.size])).toEqual([['1', 2]]);
  });
});

describe('rankings', () => {
  const ids = Array.from({ length: 50 }, (_, i) => `d${String(i).padStart(2, '0')}`);

  it('keep the best documents as sorting all would, without the one of the own name', () => {
    const scores = ids.map((_, i) => [(i * 7) % 5, (i * 13) % 50]);
    const found = rankings([{ id: 'q' }, { id: 'd03' }], ids, 6);
    for (const row of scores) found.offer(row, false);
    for (const q of [0, 1]) {
      const all = ids.map((id, i) => ({ id, i, score: scores[i][q] })).filter(({ id }) => q === 0 || id !== 'd03');
      const wanted = all.sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1)).slice(0, 6);
      expect([...found.best(q).documents]).toEqual(wanted.map(({ i }) => i));
      expect([...found.best(q).scores]).toEqual(wanted.map(({ score }) => score));
    }
  });

  it('leave out scores of 0 where nothing is shared', () => {
    const found = rankings([{ id: 'q' }], ids, 6);
    for (const score of [0, 2, 0, 1]) found.offer([score], true);
    expect([...found.best(0).documents]).toEqual([1, 3]);
  });

  it('are the same after their bytes, which may not be cut', () => {
    const all = [ranking([{ document: 3, score: 0.5 }]), ranking([]), ranking([{ document: 70_000, score: -1 }])];
    const bytes = Buffer.concat([Buffer.from('x'), ...bytesOf(all)]).subarray(1); // not aligned
    expect(rankingsOf(bytes, 3)).toEqual(all);
    expect(() => rankingsOf(bytes.subarray(0, -4), 3)).toThrow(RangeError);
  });

  it('are fused by 1 / (60 + rank)', () => {
    const [a, b] = [
      ranking([2, 0, 1].map((document) => ({ document, score: 1 }))),
      ranking([{ document: 1, score: 9 }]),
    ];
    const { documents, scores } = fuse(a, b, ids);
    expect([...documents]).toEqual([1, 2, 0]);
    expect(scores[0]).toBeCloseTo(1 / 63 + 1 / 61, 7);
  });
});

describe('a search', () => {
  const queries = [{ id: 'q', text: 'q' }];
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const data = {
    queries,
    judged: new Map(),
    missing: { queries: 0, documents: 0 },
    corpus: {
      ids,
      empty: 0,
      async *texts(from: number) {
        yield* ids.slice(from);
      },
      text: async (i: number) => ids[i],
      close: async () => {},
    },
  };
  const model = { source: 'm', dtype: 'f32', arithmetic: 'f32', compute: 'float', maxTokens: 9, device: 'here' };
  /** Scores a letter by its code; fails at `stop`. */
  const searchFor =
    (read: string[], stop?: string, more = {}) =>
    async (): Promise<Search> => ({
      model: { ...model, ...more },
      positive: false,
      async *scores(texts) {
        for await (const text of texts) {
          if (text === stop) throw new Error('stopped');
          read.push(text);
          yield [text.charCodeAt(0) % 3];
        }
      },
      close: async () => {},
    });
  const progress = { show: () => {}, end: () => {} };
  const json = () => join(folder, 'r.json');
  const begin = (more: Partial<JobOptions> = {}) =>
    openJob({ json: json(), resume: false, overwrite: false, identity: { of: 1 }, ...more });

  it('that stops is resumed after the documents that it has scored', async () => {
    const options = { name: 'dense', data, depth: 10, batch: 1, signal, progress };
    const read: string[] = [];
    const job = await begin();
    await expect(rank(searchFor(read, 'd'), { ...options, job })).rejects.toThrow('stopped');
    expect(await job.close()).toMatch(/What is done so far is in .*r\.json\.part: --resume continues there/);
    const again = await begin({ resume: true });
    await expect(rank(searchFor(read, undefined, { dtype: 'q8' }), { ...options, job: again })).rejects.toThrow(
      /The job was begun with m of another dtype \("f32", now "q8"\)/,
    );
    const { rankings: found, resumed } = await rank(searchFor(read), { ...options, job: again });
    expect([read, resumed]).toEqual([ids, 3]);
    expect([...found[0].documents].map((i) => ids[i])).toEqual(['e', 'b', 'd', 'a', 'c']);
    // Nothing is left to do, so that no model is loaded.
    const none = () => Promise.reject(new Error('loaded'));
    expect((await rank(none, { ...options, job: again })).rankings).toEqual(found);
    await again.finish({ x: 1 });
    expect(await again.close()).toBeUndefined();
    expect(JSON.parse(readFileSync(json(), 'utf8'))).toEqual({ x: 1 });
    expect(existsSync(`${json()}.part`)).toBe(false);
  });

  it('is not begun over another one', async () => {
    await (await begin()).close();
    await expect(begin()).rejects.toThrow(/unfinished evaluation\. --resume continues it, --overwrite begins anew/);
    await expect(begin({ resume: true, identity: { of: 2 } })).rejects.toThrow(/begun with another of \(1, now 2\)/);
    await expect(begin({ resume: true, overwrite: true })).rejects.toThrow(/cannot be combined/);
    const job = await begin({ overwrite: true, identity: { of: 2 } });
    await expect(begin({ resume: true })).rejects.toThrow(/is being written by process/);
    await job.finish({});
    await job.close();
    await expect(begin()).rejects.toThrow(/r\.json already exists\. --overwrite replaces it/);
    mkdirSync(`${json()}.part`);
    await expect(begin({ overwrite: true })).rejects.toThrow(/is in the way, which is not the folder of an evaluation/);
    await expect(begin({ json: folder })).rejects.toThrow(/is a folder/);
    await expect(begin({ json: join(folder, 'no/r.json') })).rejects.toThrow(/cannot write/);
    await expect(begin({ json: undefined, resume: true })).rejects.toThrow(/--resume needs the file of the result/);
  });
});

describe('a table', () => {
  const rowsOf = async (path: string, options: Partial<TableOptions> = {}) => {
    const rows: unknown[] = [];
    const { lines } = openTable(path, { format: undefined, hasHeader: true, signal, ...options });
    for await (const { number, bytes } of lines) rows.push([number, JSON.parse(String(bytes))]);
    return rows;
  };

  it('CSV has quotes, TSV has none', async () => {
    const csv = write('t.CSV', '\uFEFFtext,n\r\n"a, ""b""\nc",1\r\n\r\nÖl,2\r\n');
    expect(await rowsOf(csv)).toEqual([
      [2, { text: 'a, "b"\nc', n: '1' }],
      [3, { text: 'Öl', n: '2' }],
    ]);
    const tsv = write('t.tsv', 'text\tn\r\n"a\t1\n\nb"c\t2\n');
    expect(await rowsOf(tsv)).toEqual([
      [2, { text: '"a', n: '1' }],
      [4, { text: 'b"c', n: '2' }],
    ]);
    expect(await rowsOf(tsv, { hasHeader: false })).toContainEqual([2, { 1: '"a', 2: '1' }]);
    expect(await rowsOf(write('t.txt', '{"a":1}\n'), { format: 'jsonl' })).toEqual([[1, { a: 1 }]]);
  });

  it('a long one is read to its end', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `text ${i},"${i}"\n`);
    const found = await rowsOf(write('many.csv', `text,n\n${rows.join('')}`));
    expect(found).toHaveLength(60_000);
    expect(found.at(-1)).toEqual([60_001, { text: 'text 59999', n: '59999' }]);
  });

  it('characters at the ends of blocks stay whole', async () => {
    const text = 'ö€🚢'.repeat(70_000);
    expect(await rowsOf(write('long.csv', `text\n${text}\n`))).toEqual([[2, { text }]]);
  });

  it('is refused if it is none', async () => {
    expect(() => openTable('nowhere.csv', { format: undefined, hasHeader: true, signal })).toThrow(
      'There is no file nowhere.csv.',
    );
    await expect(rowsOf(write('t.txt', 'a'))).rejects.toThrow(
      /ends in none of \.csv, \.tsv, \.jsonl\. Say what it is with --format/,
    );
    await expect(rowsOf(write('a.csv', 'x,y\n1\n'))).rejects.toThrow(
      /a\.csv, line 2: has 1 columns, the header 2 \(x, y\)/,
    );
    await expect(rowsOf(write('b.csv', 'x,y\n1,"2\n3,4\n'))).rejects.toThrow(
      /b\.csv has a broken quote after row \d+: Quoted field unterminated/,
    );
    await expect(rowsOf(write('c.tsv', 'x\tx\n1\t2\n'))).rejects.toThrow(/the header has two columns 'x'/);
    for (const name of ['d.tsv', 'd.csv']) {
      writeFileSync(join(folder, name), Buffer.from([0x61, 10, 0xff, 10]));
      await expect(rowsOf(join(folder, name))).rejects.toThrow(/not valid UTF-8/);
    }
  });
});

it('the table of metrics has four digits, and a dash for what is not defined', () => {
  const rows = [
    { name: 'dense', metrics: { 'ndcg@10': 0.5, pearson: NaN }, tokensPerSecond: 12_345 },
    { name: 'hybrid', metrics: { 'ndcg@10': 0.62345, pearson: 1 }, tokensPerSecond: null },
  ];
  expect(metricsTable(rows).split('\n')).toEqual([
    '        nDCG@10  Pearson  tokens/s',
    'dense    0.5000        –    12,345',
    'hybrid   0.6234   1.0000         –',
  ]);
});
