import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { LINE_LIMIT, type Line, LineError, parseRow, readLines, textField, textListField } from './input';

async function linesOf(chunks: (string | Buffer)[], limit?: number): Promise<Line[]> {
  const lines: Line[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const line of readLines(stream, limit)) lines.push(line);
  return lines;
}
const shown = (lines: Line[]) => lines.map(({ number, bytes, end }) => [number, bytes?.toString(), end]);

it('reads lines across chunks, with CRLF, blank lines and without a last newline', async () => {
  const text = '{"a":1}\r\n\n \t\r\n{"b":"\u2028"}\n{"c":3}';
  const lines = [
    [1, '{"a":1}\r', 9],
    [4, '{"b":"\u2028"}', 26],
    [5, '{"c":3}', 33],
  ];
  expect(shown(await linesOf([text]))).toEqual(lines);
  const bytes = [...Buffer.from(text)].map((byte) => Buffer.of(byte));
  expect(shown(await linesOf(bytes))).toEqual(lines);
  expect(parseRow((await linesOf([text]))[0], 'in').value).toEqual({ a: 1 });
});

it('accepts a byte order mark at the start', async () => {
  const lines = await linesOf(['\uFEFF{"a":1}\n', '\uFEFF{"a":2}\n']);
  expect(lines.map((line) => parseRow(line, 'in').json)).toEqual(['{"a":1}', '{"a":2}']);
  expect(await linesOf(['\uFEFF\n{"a":1}'])).toMatchObject([{ number: 2 }]);
});

it('holds no more of a line than the limit, and goes on after it', async () => {
  const lines = await linesOf(['{"a":', '1}\n', 'x'.repeat(12), 'y\n', '{"b":2}\n', 'z'.repeat(11)], 10);
  expect(shown(lines)).toEqual([
    [1, '{"a":1}', 8],
    [2, undefined, 22],
    [3, '{"b":2}', 30],
    [4, undefined, 41],
  ]);
  expect(() => parseRow(lines[1], 'in')).toThrow(/^in, line 2: longer than 64 MiB, the limit of a line\./);
});

it('a file without newlines takes no memory beyond the limit', async () => {
  const chunk = Buffer.alloc(1 << 20, 'x');
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  const stream = Readable.from(
    (function* () {
      for (let i = 0; i < 400; i++) {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        yield Buffer.from(chunk);
      }
    })(),
  );
  const lines: Line[] = [];
  for await (const line of readLines(stream)) lines.push(line);
  expect(lines).toEqual([{ number: 1, bytes: undefined, end: 400 << 20 }]);
  // Chunks that are dropped may wait for the collector.
  expect(most).toBeLessThan(3 * LINE_LIMIT);
});

it.each([
  [Buffer.from([0x7b, 0xff, 0x7d]), 'not valid UTF-8.'],
  ['{"text": ', /^not valid JSON \(.+\)\.$/],
  ['[1]', 'expected an object such as {"text": "…"}, got an array.'],
  ['null', /got null\.$/],
  ['{"a":1}', "missing field 'text'; the fields are a."],
  ['{}', "missing field 'text'; the fields are none."],
  [JSON.stringify({ ['x'.repeat(9999)]: 1 }), /^missing field 'text'; the fields are x{100}\.$/],
  ['{"text":3}', "field 'text' must be a string, got a number."],
  ['{"text":""}', "field 'text' is empty."],
])('names what is wrong with a line (%#)', (line, reason) => {
  const read = () => textField(parseRow({ number: 7, bytes: Buffer.from(line), end: 0 }, 'in'), 'text');
  expect(read).toThrow(LineError);
  expect(read).toThrow(expect.objectContaining({ line: 7, reason: expect.stringMatching(reason) }));
  expect(read).toThrow(/^in, line 7: /);
});

it("fields are a line's own", () => {
  const row = parseRow({ number: 1, bytes: Buffer.from('{"list":["a",1]}'), end: 0 }, 'in');
  expect(() => textField(row, 'constructor')).toThrow("missing field 'constructor'");
  expect(() => textListField(row, 'toString')).toThrow("missing field 'toString'");
  expect(() => textListField(row, 'list')).toThrow("field 'list' must be an array of strings");
});
