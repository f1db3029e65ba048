import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { convertModel } from '../../src/node';
import { EMBEDDERS, NANO } from './built-in';

it.each([NANO, ...EMBEDDERS])('$name: what is said of its files is so', ({ name, source, dtype, ...said }) => {
  expect(source).toBe(`./models/${name}`);
  const file = (path: string) => fileURLToPath(new URL(`../../public/models/${name}/${path}`, import.meta.url));
  const json = (path: string) => JSON.parse(readFileSync(file(path), 'utf8'));
  const weights = readFileSync(file('model.safetensors'));
  const { __metadata__, ...tensors } = JSON.parse(weights.toString('utf8', 8, 8 + Number(weights.readBigUInt64LE(0))));
  const isWeight = (key: string) => !/\.scales$|position_ids$/.test(key);
  const count = ({ dtype, shape }: { dtype: string; shape: number[] }) =>
    shape.reduce((a, b) => a * b, dtype === 'U8' ? 2 : 1); // q4: two weights in a byte
  const parameters = Object.keys(tensors)
    .filter(isWeight)
    .reduce((sum, key) => sum + count(tensors[key]), 0);
  expect({ ...said, dtype: __metadata__.dtype }).toEqual({
    bytes: statSync(file('model.safetensors')).size,
    parameters: Math.round(parameters / 1e6),
    maxTokens:
      name === 'nano' ? json('config.json').max_position_embeddings : json('sentence_bert_config.json').max_seq_length,
    dtype,
  });
  expect(readFileSync(file('README.md'), 'utf8')).toContain('Apache-2.0');
});

it('nano-embed-q4 is nano-embed, converted', async () => {
  const models = fileURLToPath(new URL('../../public/models', import.meta.url));
  const top = mkdtempSync(join(tmpdir(), 'built-in-'));
  onTestFinished(() => rmSync(top, { recursive: true }));
  const folder = join(top, 'q4');
  await convertModel(join(models, 'nano-embed'), folder, { dtype: 'q4' });
  for (const name of ['model.safetensors', 'tokenizer.json', 'config.json', 'sentence_bert_config.json']) {
    const shipped = readFileSync(join(models, 'nano-embed-q4', name));
    expect(Buffer.compare(readFileSync(join(folder, name)), shipped), name).toBe(0);
  }
});
