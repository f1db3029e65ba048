import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { withModel } from '../session/fixtures';
import { startFaulty } from '../sources/fixtures';

/** Checkpoints that transformers saved, with what it computes: config.json in its many spellings. */
const folderOf = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

interface Call {
  call: string;
  output: 'logits' | 'last_hidden_state';
  texts: (string | [string] | [string, string])[];
  tolerance: number;
  ids: number[][];
  rows?: number[][];
  // biome-ignore lint/suspicious/noExplicitAny: each call has values of its own
  values: any[];
  options?: Record<string, unknown>;
}

const close = (actual: ArrayLike<number>, expected: number[], tolerance: number, where: string) => {
  expect(actual.length, where).toBe(expected.length);
  const worst = expected.reduce((most, value, i) => {
    const difference = Math.abs(value - actual[i]);
    return difference <= most ? most : Number.isNaN(difference) ? Infinity : difference;
  }, 0);
  expect(worst, where).toBeLessThanOrEqual(tolerance);
};

const CALLS: Record<string, (model: Model, call: Call) => Promise<void>> = {
  async forward(model, { output, ids, rows, values, tolerance }) {
    for (const [i, sequence] of ids.entries()) {
      const batch = { inputIds: Uint32Array.from(sequence), lengths: Uint32Array.of(sequence.length) };
      const { data } = (await model.forward(batch, { outputs: [output], rows: rows?.[i] }))[output]!;
      close(data, values[i].flat(), tolerance, `sequence ${i}`);
    }
  },
  async embed(model, { texts, values, tolerance }) {
    const found = await model.embed(texts as string[]);
    for (const [i, expected] of values.entries()) close(found.row(i), expected, tolerance, `text ${i}`);
  },
  async classify(model, { texts, values, tolerance, options }) {
    for (const [i, [text, pair]] of texts.entries()) {
      if (text === '') continue;
      const input = pair === undefined ? text : { text, pair };
      const found = await model.classify(input, { truncate: true, ...options });
      const byLabel = new Map(found.map(({ label, score }) => [label, score]));
      close(
        model.info.labels.map((label) => byLabel.get(label)!),
        values[i],
        tolerance,
        `text ${i}`,
      );
    }
  },
  async classifyTokens(model, { texts, values, tolerance }) {
    for (const [i, text] of (texts as string[]).entries()) {
      if (text === '') continue;
      const found = await model.classifyTokens(text, { truncate: true });
      expect(found.map(({ label }) => label)).toEqual(values[i].map(([label]: [string]) => label));
      close(
        found.map(({ score }) => score),
        values[i].map(([, score]: [string, number]) => score),
        tolerance,
        `text ${i}`,
      );
    }
  },
  async fillMask(model, { texts, values, tolerance }) {
    for (const [i, text] of (texts as string[]).entries()) {
      const masks = await model.fillMask(text, { topK: 5, truncate: true });
      for (const [m, { candidates }] of masks.entries()) {
        expect(candidates.map(({ tokenId }) => tokenId)).toEqual(values[i][m].map(([id]: [number]) => id));
        close(
          candidates.map(({ score }) => score),
          values[i][m].map(([, score]: [number, number]) => score),
          tolerance,
          `text ${i}`,
        );
      }
      expect(masks).toHaveLength(values[i].length);
    }
  },
};

const FOLDERS = [
  'rope-defaults',
  'mlm-decoder-only',
  'mlm-sharded',
  'mlm-untied',
  'classify-labels',
  'classify-multi-label',
  'classify-regression',
  'token-classifier',
  'unusual-mlm',
  'unusual-tokens',
  'unusual-answers',
  'tied-both',
  'poolings-dense',
];

it('loads from a server that answers 403 for every file that is not there, as storage does', async () => {
  const folder = folderOf('mlm-sharded');
  const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]));
  const server = await startFaulty(files);
  try {
    await withModel(server.url('403 for missing files'), { dtype: 'f32', cache: 'none' }, async ({ info }) => {
      expect([info.task, info.pooling]).toEqual(['mlm', ['mean']]);
    });
    const asked = server.requests.map(({ name }) => name);
    expect(asked).toEqual(
      expect.arrayContaining(['modules.json', 'model.safetensors', 'model.safetensors.index.json']),
    );
  } finally {
    server.close();
  }
});

describe('a folder of transformers', () => {
  it.each(FOLDERS)('%s', async (name) => {
    const { calls } = JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8')) as { calls: Call[] };
    await withModel(folderOf(name), { dtype: 'f32', arithmetic: 'f32' }, async (model) => {
      let run = 0;
      for (const call of calls) {
        if (!CALLS[call.call]) continue;
        await CALLS[call.call](model, call);
        run++;
      }
      expect(run).toBeGreaterThan(0);
    });
  });
});
