/** The command convert, in its own process. */
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { publicModel } from '../src/model/fixtures/golden';
import type { Model } from '../src/node';
import { withModel } from '../src/session/fixtures';
import { tinyModel } from '../src/tasks/fixtures';
import { ROOT } from '../tools/bundle.mjs';
import { builtCli, jsonl } from './fixtures';

const NANO_EMBED = publicModel('nano-embed');

const { at, start, run } = builtCli();

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

it("merges an adapter of the Hub into its base, a pull request's revision; a dtype has several names", async () => {
  const fixtures = join(ROOT, 'src/reference/fixtures/st-lora');
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    const [, part, name] = /^\/org\/(base|adapter)\/resolve\/[^/]+\/(.+)$/.exec(request.url ?? '') ?? [];
    const bytes = part && (await readFile(join(fixtures, part, name)).catch(() => undefined));
    response.writeHead(bytes ? 200 : 404).end(bytes || '');
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const hub = ['--hub-url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const options = ['--adapter', 'org/adapter', '--revision', 'refs/pr/3', '--dtype', 'float32', ...hub];
  const { code, stderr } = await run(['convert', 'org/base', at('merged'), ...options]);
  expect(code, stderr).toBe(0);
  expect(asked).toContain('/org/base/resolve/refs%2Fpr%2F3/model.safetensors');
  expect(asked).toContain('/org/adapter/resolve/main/adapter_model.safetensors');
  const embed = async (args: string[]) => {
    const { lines } = await run(
      ['embed', ...args, '--dtype', 'fp32', '--arithmetic', 'f32'],
      jsonl([{ text: 'Bread' }]),
    );
    return lines[0].embedding as number[];
  };
  const embedding = await embed([at('merged')]);
  expect(embedding).toHaveLength(24);
  expect(embedding).toEqual(await embed([join(fixtures, 'base'), '--adapter', join(fixtures, 'adapter')]));
});

it('q8: the folder is complete and computes what loadModel does with that dtype', async () => {
  const { code, stderr } = await run(['convert', NANO_EMBED, at('nano-q8'), '--dtype', 'q8']);
  expect(code, stderr).toBe(0);
  const names = async (folder: string) => (await readdir(folder, { recursive: true })).sort();
  const isPart = (name: string) => !name.startsWith('onnx'); // of the checkpoint
  expect(await names(at('nano-q8'))).toEqual((await names(NANO_EMBED)).filter(isPart));
  const texts = ['A ship at sea.', 'Bread and butter.'];
  const embed = async ({ info, embed }: Model) => ({ dtype: info.dtype, data: (await embed(texts)).data });
  const converted = await withModel(at('nano-q8'), {}, embed);
  expect(converted.dtype).toBe('q8');
  expect(converted).toEqual(await withModel(NANO_EMBED, { dtype: 'q8' }, embed));
  expect((await run(['convert', NANO_EMBED, at('nano-q8'), '--dtype', 'q4'])).code).toBe(2); // not replaced
});

it('f16: plain safetensors, every float F16', async () => {
  const { code, stderr } = await run(['convert', tinyModel('mlm'), at('tiny-f16'), '--dtype', 'f16']);
  expect(code, stderr).toBe(0);
  const file = await readFile(at('tiny-f16/model.safetensors'));
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__, ...tensors } = JSON.parse(file.toString('utf8', 8, dataStart));
  expect(__metadata__).toEqual({ format: 'pt' });
  let end = 0;
  for (const { dtype, shape, data_offsets } of Object.values(tensors) as Tensor[]) {
    expect([dtype, data_offsets[0]]).toEqual(['F16', end]);
    end += 2 * shape.reduce((a, b) => a * b, 1);
  }
  expect(dataStart + end).toBe(file.length);
});

it('keeps others out while it runs; what it leaves when killed goes with the next run', async () => {
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(request.url ?? '');
    if (name.endsWith('.safetensors')) return; // no answer
    const bytes = await readFile(join(NANO_EMBED, name)).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, { 'content-length': bytes?.length ?? 0 }).end(bytes);
  });
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const killed = start(
    'convert',
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    at('kill/out'),
    '--dtype',
    'q8',
  );
  const held = () => readdir(at('kill')).catch(() => []);
  while ((await held()).length === 0) await setTimeout(20);
  const other = await run(['convert', NANO_EMBED, at('kill/out'), '--dtype', 'q8']);
  expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/Process \d+ is converting to .* already/)]);
  killed.kill('SIGKILL');
  await once(killed, 'close');
  expect(await held()).toHaveLength(1);
  expect(await run(['convert', NANO_EMBED, at('kill/out'), '--dtype', 'q8'])).toMatchObject({ code: 0 });
  expect(await held()).toEqual(['out']);
});

it('leaves nothing behind when the source is broken', async () => {
  const broken = tinyModel('mlm');
  await writeFile(
    join(broken, 'model.safetensors'),
    (await readFile(join(broken, 'model.safetensors'))).subarray(0, 9000),
  );
  const { code, stderr } = await run(['convert', broken, at('parts/out'), '--dtype', 'f16']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/model\.safetensors/);
  expect(await readdir(at('parts'))).toEqual([]);
});
