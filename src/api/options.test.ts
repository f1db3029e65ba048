import { describe, expect, it } from 'vitest';
import { loadModel as loadInPage } from '../index';
import { convertModel, loadModel as loadInNode } from '../node';
import { callsOn } from '../tasks/fixtures';
import { checkOptions } from './options';

describe('an option that nobody reads', () => {
  const names = { normalize: true, topK: true, signal: true } as const;

  it.each([
    [{ normalise: true }, "embed has no option 'normalise'. Did you mean 'normalize'?"],
    [{ topk: 1 }, "embed has no option 'topk'. Did you mean 'topK'?"],
    [{ batchSize: 8 }, "embed has no option 'batchSize'. Its options are normalize, topK, signal."],
    [JSON.parse('{"__proto__": 1}'), "embed has no option '__proto__'."],
    [['signal'], 'The options of embed must be an object, not an array.'],
    ['query', 'The options of embed must be an object, not a string.'],
    [null, 'The options of embed must be an object, not null.'],
  ])('%j is refused by name', (options, message) => {
    expect(() => checkOptions('embed', options, names)).toThrow(TypeError);
    expect(() => checkOptions('embed', options, names)).toThrow(message);
  });

  it('is no option that is known, also if it is undefined', () => {
    checkOptions('embed', { normalize: undefined, topK: 3 }, names);
    checkOptions('embed', undefined, names);
  });

  it.each([
    [
      { signal: new AbortController() },
      'signal must be an AbortSignal: of an AbortController its signal, controller.signal.',
    ],
    [{ signal: null }, 'signal must be an AbortSignal'],
    [{ onProgress: true }, 'onProgress must be a function, it is true.'],
  ])('what controls a call is of the right kind: %j', (options, message) => {
    const all = { signal: true, onProgress: true } as const;
    expect(() => checkOptions('embed', options, all)).toThrow(TypeError);
    expect(() => checkOptions('embed', options, all)).toThrow(message);
  });

  it('is refused by every load', async () => {
    const misspelt = { dType: 'q8' } as object;
    await expect(loadInNode('./nowhere', misspelt)).rejects.toThrow(
      "loadModel has no option 'dType'. Did you mean 'dtype'?",
    );
    await expect(loadInPage('./nowhere', misspelt)).rejects.toThrow("Did you mean 'dtype'?");
    await expect(convertModel('./nowhere', '/nowhere', misspelt as never)).rejects.toThrow("Did you mean 'dtype'?");
  });

  it('is refused by every call that has options', async () => {
    const misspelt = { signale: undefined };
    const { calls } = callsOn('mlm', {}, () => []);
    const inputs: Record<keyof typeof calls, unknown[] | undefined> = {
      fillMask: ['a'],
      embed: ['a'],
      embedMultiVector: ['a'],
      embedSparse: ['a'],
      decodeSparse: [{}],
      classify: ['a'],
      zeroShot: ['a', ['b']],
      entities: ['a', ['b']],
      rerank: ['a', ['b']],
      classifyTokens: ['a'],
      answer: ['a', 'b'],
      chunk: ['a'],
      forward: [{}],
      tokenize: undefined,
    };
    for (const [name, input] of Object.entries(inputs)) {
      if (!input) continue;
      const call = calls[name as 'embed'] as unknown as (...args: unknown[]) => Promise<unknown>;
      await expect(call(...input, misspelt)).rejects.toThrow(`${name} has no option 'signale'. Did you mean 'signal'?`);
    }
  });
});
