import { Readable } from 'node:stream';
import type { Model } from 'modernbert-webgpu/node';
import { expect, it } from 'vitest';
import { readLines, textField } from './input';
import { type LineJob, type RunOptions, runLines } from './line-job';

/** Its model refuses texts with "bad" and breaks at "lost"; the result is the text's length. */
function fakeJob(refuse = (text: string) => text.includes('bad')) {
  const calls: string[][] = [];
  const job: LineJob<string> = {
    writes: ['length'],
    read: (row) => textField(row, 'text'),
    sample: () => 'sample',
    async run(_, texts) {
      calls.push(texts);
      if (texts.includes('lost')) throw new Error('The device was lost.');
      const bad = texts.findIndex(refuse);
      if (bad >= 0) throw new RangeError(`Text ${bad} is refused.`);
      return texts.map((text) => ({ length: text.length }));
    },
  };
  return { job, calls };
}

async function run(job: LineJob<string>, input: string, options: Partial<RunOptions> & { done?: number } = {}) {
  let text = '';
  const warnings: string[] = [];
  const { done = 0, ...rest } = options;
  const running = runLines(job, {
    load: async () => ({ dispose: async () => {} }) as Model,
    input: { name: 'in', size: undefined, id: undefined, lines: readLines(Readable.from([Buffer.from(input)])) },
    output: {
      done,
      write: async (lines) => {
        text += lines;
      },
      finish: async () => {},
      close: async () => undefined,
    },
    progress: { show() {}, end() {} },
    batch: 4,
    keep: ['id'],
    signal: new AbortController().signal,
    truncate: false,
    strict: false,
    warn: (warning) => void warnings.push(warning),
    ...rest,
  });
  const error = await running.then(
    () => undefined,
    (error: Error) => error.message,
  );
  return {
    error,
    text,
    lines: text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    warnings,
  };
}
const rows = (...texts: string[]) => texts.map((text, i) => `${JSON.stringify({ id: `r${i}`, text })}\n`).join('');

it('skips invalid lines: each has its line in the output, and the summary names them', async () => {
  const input = `${rows('one', '', 'bad')}{"id": 9007199254740993}\n\n{"id": 1.0, "text": 5}\nnonsense\n${rows('seven', '', 'x')}`;
  const { error, lines, text, warnings } = await run(fakeJob().job, input);
  expect(error).toBeUndefined();
  expect(lines.map(({ line, length, error }) => [line, length ?? error])).toEqual([
    [1, 3],
    [2, "field 'text' is empty."],
    [3, 'the text is refused.'],
    [4, "missing field 'text'; the fields are id."],
    [6, "field 'text' must be a string, got a number."],
    [7, expect.stringMatching(/^not valid JSON/)],
    [8, 5],
    [9, "field 'text' is empty."],
    [10, 1],
  ]);
  expect(text).toContain('{"line":4,"id":9007199254740993,"error":');
  expect(text).toContain('{"line":6,"id":1.0,"error":');
  expect(text).toContain('{"line":7,"error":');
  expect(warnings).toEqual([
    expect.stringMatching(
      /^6 lines skipped: 2, 9 \(field 'text' is empty\); 3 \(the text is refused\); 4 \(missing .*\)/,
    ),
  ]);
});

it('kept values come out as they are written', async () => {
  const values = ['12345678901234567890', '1.0', '1e400', '-0', '0.10', String.raw`"\u0041"`, '[1.0, 2]', '{"a":1.0}'];
  const input = values.map((value) => `{"id": ${value}, "text": "a", "id2": 1}\n`).join('');
  const { text } = await run(fakeJob().job, input);
  expect(text).toBe(values.map((value, i) => `{"line":${i + 1},"id":${value},"length":1}\n`).join(''));
});

it('a field of the input that is called line is not taken for the number of the line', async () => {
  const { text } = await run(fakeJob().job, '{"line": 700, "id": 1, "text": "a"}\n', { keep: ['id'] });
  expect(text).toBe('{"line":1,"id":1,"length":1}\n');
});

it.each([
  [rows('one', 'two', 'bad', 'four', 'five', 'six'), /^in, line 3: the text is refused/],
  [rows('one', 'two', '', 'four'), "in, line 3: field 'text' is empty."],
  [`${rows('one', 'two')}nonsense`, /^in, line 3: not valid JSON/],
])('a strict job stops at the first invalid line, after those before it', async (input, message) => {
  const { job, calls } = fakeJob();
  const { error, lines, warnings } = await run(job, input, { strict: true });
  expect(error).toMatch(message);
  expect(lines).toEqual([
    { line: 1, id: 'r0', length: 3 },
    { line: 2, id: 'r1', length: 3 },
  ]);
  expect(warnings).toEqual([]);
  expect(calls.filter((texts) => texts.includes('four') && !texts.includes('bad'))).toEqual([]);
});

it('resumes after a line that was skipped', async () => {
  const input = rows('one', 'bad', 'three', '', 'five');
  const whole = await run(fakeJob().job, input);
  for (let done = 0; done <= 5; done++) {
    const { error, text } = await run(fakeJob().job, input, { done });
    expect(error).toBeUndefined();
    expect(text).toBe(whole.text.split('\n').slice(done).join('\n'));
  }
});

it('finds the refused lines of a batch in few calls', async () => {
  const { job, calls } = fakeJob();
  const texts = Array.from({ length: 64 }, (_, i) => (i === 37 ? 'bad' : `text ${i}`));
  const { lines } = await run(job, rows(...texts), { batch: 64 });
  expect(lines.filter(({ error }) => error)).toEqual([{ line: 38, id: 'r37', error: 'the text is refused.' }]);
  expect(calls.length).toBeLessThanOrEqual(13);
});

it('goes on after a text whose numbers overflow', async () => {
  const { job } = fakeJob(() => false);
  const usual = job.run;
  job.run = async (model, texts, options) => {
    if (texts.includes('huge')) throw Object.assign(new Error('Text 0 has no answer.'), { name: 'NumericError' });
    return usual(model, texts, options);
  };
  const { lines } = await run(job, rows('one', 'huge', 'three'));
  expect(lines.map((line) => line.error ?? line.length)).toEqual([3, 'the text has no answer.', 5]);
});

it('stops at a fault of the model or the options, which is not the fault of a line', async () => {
  expect(await run(fakeJob().job, rows('one', 'two', 'three', 'four', 'bad', 'lost'))).toMatchObject({
    error: 'The device was lost.',
    lines: [1, 2, 3, 4].map((line) => ({ line })),
  });
  const { error, lines } = await run(fakeJob(() => true).job, rows('one', 'two')); // such as too many dimensions
  expect([error, lines]).toEqual(['Text 0 is refused.', []]);
  const only = await run(fakeJob((text) => text !== 'sample' && text !== 'good').job, rows('one', 'good'));
  expect(only.lines.map((line) => line.error ?? line.length)).toEqual(['the text is refused.', 4]);
});

it('fails if no line is valid, such as with the wrong field', async () => {
  const { error, lines, warnings } = await run(fakeJob().job, '{"body":"a"}\n'.repeat(2000));
  expect(error).toBe('No line of the input is valid.');
  expect(lines).toHaveLength(2000);
  expect(warnings[0]).toMatch(/^2,000 lines skipped: 1, 2, .*, 20 \(missing field .*\); and 1,980 more\./);
  expect((await run(fakeJob().job, '')).error).toBeUndefined();
});

it('a batch of long lines has fewer of them', async () => {
  const { job, calls } = fakeJob();
  await run(job, `{"text":"a"${' '.repeat(33 << 20)}}\n`.repeat(3), { batch: 3 });
  expect(calls).toEqual([['a', 'a'], ['a']]);
});
