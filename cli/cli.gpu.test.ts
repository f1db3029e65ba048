/** The command line as users run it: built, in its own process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { maxDifference, publicModel } from '../src/model/fixtures/golden';
import { twinFolder } from '../src/model/fixtures/twin';
import { importIndex } from '../src/search';
import { withModel } from '../src/session/fixtures';
import { labelsOf, tinyModel } from '../src/tasks/fixtures';
import { builtCli, jsonl, parse } from './fixtures';

const NANO = publicModel('nano');
const NANO_EMBED = publicModel('nano-embed');

const { folder, command, at, start, run } = builtCli();

describe('bad arguments', () => {
  it.each([
    [[], 0, /^modernbert-webgpu COMMAND/],
    [['embed', '--help'], 0, /--text-field NAME/],
    [['--version'], 0, /^\d+\.\d+\.\d+$/m],
    [['embeds'], 2, /Unknown command 'embeds'\. The commands are embed, /],
    [['embed', NANO, '--colour'], 2, /Unknown option '--colour'/],
    [['embed'], 2, /Missing argument: MODEL\./],
    [['embed', NANO, NANO_EMBED], 2, /Unexpected argument/],
    [['embed', NANO, '--dtype', 'q5'], 2, /--dtype must be one of auto, f32, fp32, .*, but is 'q5'/],
    [['embed', NANO, '--batch', '0'], 2, /--batch must be a positive integer, but is '0'/],
    [['embed', NANO, '--input', 'nowhere.jsonl'], 2, /no such file: nowhere\.jsonl/],
    [['embed', NANO, '--resume'], 2, /--resume needs an output file/],
    [['embed', NANO, '--keep', 'id,line'], 2, /--keep line: the output has a field of that name itself, the number/],
    [['embed', NANO, '--keep', 'embedding'], 2, /--keep embedding: the output has a field of that name itself\. Keep/],
    [['classify-tokens', NANO, '--keep', 'entities'], 2, /--keep entities: /],
    [['zero-shot', NANO, '--labels', 'a', '--keep', 'error'], 2, /--keep error: /],
    [['zero-shot', NANO], 2, /--labels is required/],
    [['search', NANO], 2, /--index is required/],
    [['search', NANO, '--index', 'nowhere.safetensors'], 2, /There is no file nowhere\.safetensors/],
    [
      ['search', NANO, '--index', '.', '--mode', 'text'],
      2,
      /--mode must be one of hybrid, vectors, words, but is 'text'/,
    ],
    [
      ['index', NANO, 'docs', '--database', 'postgres://nowhere'],
      2,
      /docs is a folder: name its files, such as docs\/\*\.md/,
    ],
    [['index', NANO, 'no.md', '--database', 'postgres://nowhere'], 2, /There is no file no\.md/],
    [['convert', NANO, 'out'], 2, /--dtype is required/],
    [['convert', NANO, 'src', '--dtype', 'q8'], 2, /src is not empty/],
    [['convert', './nowhere', 'out', '--dtype', 'q8'], 1, /There is no folder \.\/nowhere/],
  ])('%j', async (args, code, message) => {
    const result = await run(args);
    expect({ ...result, code: result.code }).toMatchObject({ code });
    expect(code === 0 ? result.stdout : result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('tasks over JSON lines', () => {
  it('embed: in order, with ids and line numbers, equal to the library', async () => {
    const texts = ['The capital of France.', 'A ship at sea.', 'Bread and butter.'];
    const input = `${jsonl([{ id: 7, text: texts[0] }])}\n${jsonl([{ text: texts[1] }, { id: 'c', text: texts[2], n: 1 }])}`;
    const { code, lines, stderr } = await run(['embed', NANO_EMBED, '--batch', '2', '--keep', 'id,n'], input);
    expect(code, stderr).toBe(0);
    expect(lines.map(({ embedding, ...rest }) => rest)).toEqual([
      { line: 1, id: 7 },
      { line: 3 },
      { line: 4, id: 'c', n: 1 },
    ]);
    await withModel(NANO_EMBED, {}, async (model) => {
      const { row } = await model.embed(texts);
      for (const [i, { embedding }] of lines.entries()) {
        expect(maxDifference(Float32Array.from(embedding as number[]), row(i))).toBeLessThan(1e-5);
      }
    });
    expect(stderr).toMatch(/f16 weights on .*\n.*stdin: 3 lines/s);
  });

  it('embed: dimensions and precision', async () => {
    const { lines, stderr } = await run(
      ['embed', NANO_EMBED, '--dimensions', '64', '--precision', 'int8'],
      jsonl([{ text: 'A' }]),
    );
    const { embedding } = lines[0] as { embedding: number[] };
    expect(embedding, stderr).toHaveLength(64);
    expect(Math.max(...embedding.map(Math.abs))).toBe(127);
  });

  it('embed-multi-vector: tokens and their vectors, equal to the library', async () => {
    const colbert = twinFolder('colbert');
    const text = 'A ship at sea.';
    const { lines, stderr } = await run(['embed-multi-vector', colbert, '--kind', 'query'], jsonl([{ id: 'q', text }]));
    await withModel(colbert, {}, async (model) => {
      const { ids, rows, row } = await model.embedMultiVector(text, { kind: 'query' });
      expect(lines, stderr).toMatchObject([{ line: 1, id: 'q', tokens: [...ids] }]);
      const { embeddings } = lines[0] as { embeddings: number[][] };
      expect(embeddings).toHaveLength(rows);
      for (const [i, embedding] of embeddings.entries()) {
        expect(maxDifference(Float32Array.from(embedding), row(i))).toBeLessThan(1e-5);
      }
    });
  });

  it('fill-mask', async () => {
    const { lines } = await run(
      ['fill-mask', NANO, '--top-k', '1'],
      jsonl([{ text: 'The capital of France is [MASK].' }]),
    );
    expect(lines).toEqual([
      {
        line: 1,
        masks: [{ index: 6, start: 25, end: 31, candidates: [expect.objectContaining({ token: ' Paris' })] }],
      },
    ]);
  });

  it('search finds in an exported index, as the library does', async () => {
    const index = fileURLToPath(new URL('../public/samples/moby-dick.safetensors', import.meta.url));
    const texts = ['sleeping in one bed with a cannibal', 'a coffin becomes a life buoy'];
    const source = publicModel('nano-embed-q4');
    const { lines, stderr } = await run(
      ['search', source, '--index', index, '--top-k', '3'],
      jsonl(texts.map((text, id) => ({ id, text }))),
    );
    const expected = await withModel(source, {}, async (model) => {
      const opened = await importIndex(model, new Blob([await readFile(index)]));
      return Promise.all(texts.map((text) => opened.search(text, { topK: 3 })));
    });
    expect(lines, stderr).toEqual(
      expected.map((hits, i) => ({
        line: i + 1,
        id: i,
        hits: hits.map(({ id, metadata, text, passage }) => ({
          id,
          score: expect.any(Number),
          similarity: expect.any(Number),
          metadata,
          passage: text.slice(passage?.start, passage?.end),
        })),
      })),
    );
  });

  it('classify, rerank, zero-shot, classify-tokens and answer read the fields named', async () => {
    const seqcls = tinyModel('seqcls', labelsOf(['contradiction', 'entailment']));
    const tokcls = tinyModel('tokcls', labelsOf(['O', 'B-X']));
    const classify = await run(
      ['classify', seqcls, '--text-field', 'a', '--pair-field', 'b', '--top-k', '1'],
      jsonl([{ a: 'x', b: 'y' }]),
    );
    const rerank = await run(
      ['rerank', seqcls, '--return-documents'],
      jsonl([{ query: 'q', documents: ['one', 'two'] }]),
    );
    const zeroShot = await run(['zero-shot', seqcls, '--labels', 'sea,land'], jsonl([{ text: 'A ship.' }]));
    const tokens = await run(
      ['classify-tokens', tokcls, '--aggregation', 'none', '--decode', 'viterbi'],
      jsonl([{ text: 'A ship' }]),
    );
    const answer = await run(
      ['answer', tinyModel('qa'), '--context-field', 'text', '--top-k', '2', '--truncate'],
      jsonl([{ question: 'Which?', text: 'A ship sails.' }]),
    );
    const label = expect.any(String);
    const score = expect.any(Number);
    expect(classify.lines, classify.stderr).toEqual([{ line: 1, labels: [{ label, score }] }]);
    const { results } = rerank.lines[0] as { results: { document: string }[] };
    expect(results.map(({ document }) => document).sort()).toEqual(['one', 'two']);
    const { labels } = zeroShot.lines[0] as { labels: { label: string }[] };
    expect(labels.map(({ label }) => label).sort()).toEqual(['land', 'sea']);
    expect(tokens.lines, tokens.stderr).toEqual([
      { line: 1, tokens: ['A', 'Ġship'].map((token) => expect.objectContaining({ token, label, score })) },
    ]);
    const { answers } = answer.lines[0] as { answers: { answer: string; start: number; end: number }[] };
    expect(answers, answer.stderr).toHaveLength(2);
    for (const found of answers) expect(found.answer).toBe('A ship sails.'.slice(found.start, found.end));
  });

  it.each([
    ['{"text": "one"}\n{"text": ', /stdin, line 2: not valid JSON/],
    ['{"text": "one"}\n["two"]\n', /stdin, line 2: expected an object such as .*, got an array/],
    ['{"text": "one"}\n{"txt": "two"}\n', /stdin, line 2: missing field 'text'; the fields are txt/],
    [
      `{"text": "one"}\n{"text": "${'two '.repeat(9000)}"}\n{"text": "three"}\n`,
      /stdin, line 2: .* has \d+ tokens, .* 8192/,
    ],
  ])(
    'skips an invalid line, and names it; with --strict stops there, after the lines before (%#)',
    async (input, message) => {
      const strict = await run(['embed', NANO_EMBED, '--strict'], input);
      expect({ code: strict.code, lines: strict.lines.map(({ line }) => line) }, strict.stderr).toEqual({
        code: 1,
        lines: [1],
      });
      expect(strict.stderr).toMatch(message);
      const { code, lines, stderr } = await run(['embed', NANO_EMBED], input);
      expect(code, stderr).toBe(0);
      expect(lines.map(({ line }) => line)).toEqual(
        input
          .trim()
          .split('\n')
          .map((_, i) => i + 1),
      );
      expect(lines.map((line) => Object.keys(line)[1])).toEqual(lines.map((_, i) => (i === 1 ? 'error' : 'embedding')));
      expect(stderr).toMatch(/^1 line skipped: 2 \(.*\)\. In the output they have "error" in place of a result\.$/m);
    },
  );

  it('a fault of the options stops the job at once', async () => {
    const wide = await run(['embed', NANO_EMBED, '--dimensions', '99999'], jsonl([{ text: 'A' }, { text: 'B' }]));
    expect([wide.code, wide.stdout]).toEqual([1, '']);
    expect(wide.stderr).toMatch(/dimensions must be/);
    const masks = await run(['fill-mask', NANO, '--top-k', '1'], jsonl([{ text: 'none' }, { text: 'Yes [MASK]' }]));
    expect(masks.lines, masks.stderr).toEqual([
      { line: 1, error: expect.stringMatching(/^the text has no \[MASK\]/) },
      { line: 2, masks: [expect.anything()] },
    ]);
  });
});

it('a stopped job resumes where it ended', async () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({ id: `row ${i}`, text: `The number ${i}` }));
  await writeFile(at('in.jsonl'), jsonl(rows));
  const files = ['--input', at('in.jsonl'), '--output', at('out.jsonl'), '--batch', '2'];
  const written = () => readFile(at('out.jsonl'), 'utf8').catch(() => '');

  const stopped = start('embed', NANO_EMBED, '--output', at('out.jsonl'), '--batch', '2');
  const closed = once(stopped, 'close');
  const messages = text(stopped.stderr);
  stopped.stdin.write(jsonl(rows.slice(0, 7))); // and no end
  while (!(await written())) await setTimeout(20);
  const second = await run(['embed', NANO_EMBED, '--output', at('out.jsonl'), '--resume'], jsonl(rows));
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/is being written by process \d+ on /)]);
  stopped.kill('SIGINT');
  expect((await closed)[0], await messages).toBe(130);
  const first = await written();
  expect(first.endsWith('\n')).toBe(true);
  expect(parse(first).map(({ line }) => line)).toEqual(parse(first).map((_, i) => i + 1));

  expect((await run(['embed', NANO_EMBED, ...files])).stderr).toMatch(/already exists\. --resume continues/);
  await writeFile(at('out.jsonl'), `${first}{"line":${parse(first).length + 1},"id":"ro`); // as left by a kill or a full disk
  expect(await run(['embed', NANO_EMBED, ...files, '--resume'])).toMatchObject({ code: 0 });
  const all = await written();
  expect(all.startsWith(first)).toBe(true);
  expect(parse(all).map(({ line, id }) => [line, id])).toEqual(rows.map(({ id }, i) => [i + 1, id]));

  expect(await run(['embed', NANO_EMBED, ...files, '--resume'])).toMatchObject({ code: 0 });
  expect(await written()).toBe(all);
  await writeFile(at('out.jsonl'), 'Dear diary');
  expect((await run(['embed', NANO_EMBED, ...files, '--resume'])).code).toBe(2);
  expect(await written()).toBe('Dear diary');

  // The old file stays while its successor is incomplete.
  const bad = await run(
    ['embed', NANO_EMBED, '--output', at('out.jsonl'), '--overwrite', '--strict'],
    '{"text":"a"}\n{}\n',
  );
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain(
    `${at('out.jsonl')} is unchanged. The lines so far are in ${at('out.jsonl')}.part: --resume`,
  );
  expect(await written()).toBe('Dear diary');
  const resumed = await run(
    ['embed', NANO_EMBED, '--output', at('out.jsonl'), '--resume'],
    '{"text":"a"}\n{"text":"b"}\n',
  );
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(parse(await written()).map(({ line }) => line)).toEqual([1, 2]);
});

it('a killed job resumes, and does not lock its output for good', async () => {
  const files = ['--output', at('killed.jsonl'), '--batch', '1'];
  const killed = start('embed', NANO_EMBED, ...files);
  killed.stdin.write(jsonl([{ text: 'one' }, { text: 'two' }, { text: 'three' }])); // and no end
  while (!(await readFile(at('killed.jsonl'), 'utf8').catch(() => ''))) await setTimeout(20);
  killed.kill('SIGKILL');
  await once(killed, 'close');
  expect(await readdir(folder())).toContain('killed.jsonl.lock');
  const { code, stderr } = await run(
    ['embed', NANO_EMBED, ...files, '--resume'],
    jsonl([1, 2, 3].map((text) => ({ text: `${text}` }))),
  );
  expect(code, stderr).toBe(0);
  expect(parse(await readFile(at('killed.jsonl'), 'utf8')).map(({ line }) => line)).toEqual([1, 2, 3]);
  expect(await readdir(folder())).not.toContain('killed.jsonl.lock');
});

it.skipIf(process.platform === 'win32')('never writes over its input, however it is named', async () => {
  const input = jsonl([{ text: 'A ship at sea.' }]);
  await writeFile(at('same.jsonl'), input);
  await symlink('same.jsonl', at('link.jsonl'));
  const node = `"${execPath}" "${command()}" embed "${NANO_EMBED}"`;
  const shell = async (line: string) => {
    const child = spawn('sh', ['-c', line], { cwd: folder(), stdio: ['ignore', 'ignore', 'pipe'] });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    return { code, stderr };
  };
  for (const line of [
    `${node} --input same.jsonl --output ./same.jsonl --overwrite`,
    `${node} --input same.jsonl --output link.jsonl --overwrite`,
    `${node} --output link.jsonl --overwrite < same.jsonl`,
    `${node} --input same.jsonl >> same.jsonl`,
  ]) {
    const { code, stderr } = await shell(line);
    expect([code, stderr], line).toEqual([2, expect.stringMatching(/is the input itself\. Write to another file/)]);
    expect(await readFile(at('same.jsonl'), 'utf8'), line).toBe(input);
  }
});

it('a model from a URL is cached, listed and deleted', async () => {
  const server = createServer(async (request, response) => {
    const bytes = await readFile(join(NANO_EMBED, decodeURIComponent(request.url ?? ''))).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, { 'content-length': bytes?.length ?? 0 }).end(bytes);
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const cache = ['--cache-folder', at('cache')];

  expect((await run(['embed', source, ...cache], jsonl([{ text: 'A' }]))).lines).toHaveLength(1);
  expect((await run(['cache', 'list', ...cache])).lines).toEqual([expect.objectContaining({ source, dtype: 'f16' })]);
  expect((await run(['cache', 'delete', source, ...cache])).stderr).toMatch(/^1\d\.\d MB freed/);
  expect((await run(['cache', 'delete', source, ...cache])).code).toBe(1);
  expect((await run(['cache', 'list', ...cache])).stdout).toBe('');
});
