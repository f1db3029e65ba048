import { describe, expect, it } from 'vitest';
import type { CallProgress } from '../api/calls';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import type { SentenceConfig } from '../model/sentence';
import type { Item } from '../runtime/pass-items';
import { modernbertFile } from '../tokenizer/fixtures/load';
import { createTokenizer } from '../tokenizer/tokenizer';
import { type Parts, tokenizerOf } from './common';
import { callsOn, labelsOf, nanoTokenizer, numbersIn } from './fixtures';

const tokenizer = nanoTokenizer();

const classifier = (labels: string[], config: Record<string, unknown> = {}, sentence: Partial<SentenceConfig> = {}) =>
  callsOn('seqcls', { ...labelsOf(labels), ...config }, numbersIn, undefined, sentence).calls;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

it('says how to make a tokenizer.json of the files of older checkpoints', () => {
  const parts = (own: typeof tokenizer | undefined) => ({ tokenizer: own, where: 'models/old' }) as Parts;
  expect(tokenizerOf(parts(tokenizer))).toBe(tokenizer);
  expect(() => tokenizerOf(parts(undefined))).toThrow(ModelFileError);
  const fix = `python -c "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('ID').save_pretrained('FOLDER')"`;
  expect(() => tokenizerOf(parts(undefined))).toThrow(/^There is no tokenizer.json in models\/old: .*only token ids/);
  expect(() => tokenizerOf(parts(undefined))).toThrow(fix);
});

describe('classify', () => {
  const text = 'is 2 and -1 or 0.5';

  it('follows problem_type: softmax, sigmoid, or the number itself', async () => {
    const labels = ['a', 'b', 'c'];
    const sum = Math.exp(2) + Math.exp(-1) + Math.exp(0.5);
    const soft = await classifier(labels).classify(text);
    expect(soft.map(({ label }) => label)).toEqual(['a', 'c', 'b']);
    expect(soft[0].score).toBeCloseTo(Math.exp(2) / sum, 10);
    const multi = await classifier(labels, { problem_type: 'multi_label_classification' }).classify(text);
    expect(multi.map(({ score }) => score)).toEqual([sigmoid(2), sigmoid(0.5), sigmoid(-1)]);
    const regression = await classifier(['rating'], { problem_type: 'regression' }).classify('4.5 stars');
    expect(regression).toEqual([{ label: 'rating', score: 4.5 }]);
    const several = await classifier(labels, { problem_type: 'regression', num_labels: null }).classify(text);
    expect(several.map(({ label, score }) => [label, score])).toEqual([
      ['a', 2],
      ['c', 0.5],
      ['b', -1],
    ]);
    for (const problem_type of [null, 'single_label_classification']) {
      expect(await classifier(labels, { problem_type }).classify(text)).toEqual(soft);
    }
    expect((await classifier(['spam']).classify('0 of it'))[0].score).toBe(0.5);
    const asked = await classifier(labels, { problem_type: 'multi_label_classification' }).classify(text, {
      multiLabel: false,
    });
    expect(asked).toEqual(soft);
  });

  it('gives the best topK of every text, in the order of the texts', async () => {
    const calls = classifier(['a', 'b']);
    const all = await calls.classify(['1 2', { text: '4', pair: '3' }], { topK: 1, raw: true });
    expect(all).toEqual([[{ label: 'b', score: 2 }], [{ label: 'a', score: 4 }]]);
    expect(await calls.classify([])).toEqual([]);
    await expect(calls.classify([''])).rejects.toThrow('Text 0 is empty.');
    await expect(calls.classify(5 as never)).rejects.toThrow('Text 0 must be a string, it is number.');
  });

  it.each([
    [{ text: 'a' }, TypeError, /Text 0: pair must be a string, it is undefined/],
    [{ text: '', pair: 'b' }, RangeError, /Text 0: text is empty/],
    [null, TypeError, /Text 0 must be a string, it is null/],
  ])('says what is wrong with %j', async (input, type, message) => {
    const attempt = classifier(['a', 'b']).classify(input as never);
    await expect(attempt).rejects.toThrow(type);
    await expect(attempt).rejects.toThrow(message);
    await expect(classifier(['a', 'b']).classify('1', { topK: 0 })).rejects.toThrow(
      /topK must be a positive integer, it is 0/,
    );
  });
});

describe('rerank', () => {
  const documents = ['says 1.5', 'says -3', 'says 1.5', 'says 2'];

  it('keeps the order of equals, and gives documents where asked', async () => {
    const results = await classifier(['LABEL_0']).rerank('Which?', documents, { returnDocuments: true });
    expect(results).toEqual([
      { index: 3, score: sigmoid(2), document: documents[3] },
      { index: 0, score: sigmoid(1.5), document: documents[0] },
      { index: 2, score: sigmoid(1.5), document: documents[2] },
      { index: 1, score: sigmoid(-3), document: documents[1] },
    ]);
  });

  it("leaves logits alone where the checkpoint's activation is Identity, and gives the difference of two labels' logits", async () => {
    const identity = classifier(['LABEL_0'], {}, { activation: 'Identity' });
    expect(await identity.rerank('Which?', documents, { topK: 1 })).toEqual([{ index: 3, score: 2 }]);
    expect((await identity.rerank('Which?', documents, { raw: false }))[0].score).toBe(sigmoid(2));
    const own = classifier(['LABEL_0'], {}, { activation: 'Sigmoid' });
    expect((await own.rerank('Which?', ['2']))[0].score).toBe(sigmoid(2));
    expect(await classifier(['no', 'yes']).rerank('Which?', ['1 4'], { raw: true })).toEqual([{ index: 0, score: 3 }]);
    const other = classifier(['LABEL_0'], {}, { activation: 'Softplus' });
    await expect(other.rerank('Which?', ['2'])).rejects.toThrow(/activation, Softplus, is not supported.*raw: true/);
    expect((await other.rerank('Which?', ['2'], { raw: true }))[0].score).toBe(2);
  });

  it('says what is wrong', async () => {
    const { rerank } = classifier(['LABEL_0']);
    await expect(rerank('', ['a'])).rejects.toThrow('The query is empty.');
    await expect(rerank(['q'] as never, ['a'])).rejects.toThrow('The query must be a string, it is object.');
    await expect(rerank('q', 'a' as never)).rejects.toThrow('The documents must be an array, not string.');
    expect(await rerank('q', [])).toEqual([]);
    await expect(rerank('', [])).rejects.toThrow('The query is empty.');
    await expect(rerank('q', ['a', ''])).rejects.toThrow('Document 1 is empty.');
    await expect(rerank('q', ['a', 4 as never])).rejects.toThrow('Document 1 must be a string, it is number.');
    await expect(rerank('q', ['a'], { maxTokens: 129 })).rejects.toThrow(/maxTokens must be .* model's 128, it is 129/);
    await expect(rerank('q', ['a'], { maxTokens: 4 })).rejects.toThrow(/first text has 1 tokens, which leaves none/);
  });
});

describe('zeroShot', () => {
  it('finds entailment by its name, wherever it is', async () => {
    const text = 'has 1, 3 and 2';
    const labels = ['a'];
    const scoreOf = async (names: string[], config = {}) =>
      (await classifier(names, config).zeroShot(text, labels))[0].score;
    const against = (yes: number, no: number) => sigmoid(yes - no);
    expect(await scoreOf(['contradiction', 'neutral', 'entailment'])).toBeCloseTo(against(2, 1), 10);
    expect(await scoreOf(['ENTAILMENT', 'NEUTRAL', 'CONTRADICTION'])).toBeCloseTo(against(1, 2), 10);
    expect(await scoreOf(['neutral', 'entailment', 'contradiction'])).toBeCloseTo(against(3, 2), 10);
    expect(await scoreOf(['entailment', 'not_entailment'])).toBeCloseTo(against(1, 3), 10);
    expect(await scoreOf(['not_entailment', 'entailment'])).toBeCloseTo(against(3, 1), 10);
    expect(await scoreOf(['entails', 'maybe', 'no'])).toBeCloseTo(against(1, 2), 10);
    const label2id = { contradiction: 0, neutral: 1, entailment: 2 };
    expect(await scoreOf(['LABEL_0', 'LABEL_1', 'LABEL_2'], { label2id })).toBeCloseTo(against(2, 1), 10);
  });

  it('puts the label into the template as it is, and cuts only the text', async () => {
    const { calls, submitted } = callsOn('seqcls', labelsOf(['entailment', 'not_entailment']), () => [[0, 0]]);
    await calls.zeroShot('word '.repeat(300), ['$& {}', 'b'], { hypothesisTemplate: '{} or not {}?', truncate: true });
    const texts = submitted.map(({ ids }) => [...ids].map((id) => tokenizer.decodeToken(id)).join(''));
    expect(submitted.map(({ ids }) => ids.length)).toEqual([128, 128]);
    expect(texts[0]).toMatch(/^\[CLS\]word( word)+\[SEP\]\$& {} or not \$& {}\?\[SEP\]$/);
    expect(texts[1]).toMatch(/\[SEP\]b or not b\?\[SEP\]$/);
  });

  it('says what is wrong', async () => {
    const { zeroShot } = classifier(['entailment', 'not_entailment']);
    for (const texts of ['a', [] as never]) {
      await expect(zeroShot(texts, [])).rejects.toThrow('There are no labels: the list is empty.');
    }
    expect(await zeroShot([], ['b', 'c'])).toEqual([]);
    await expect(zeroShot('a', 'b,c' as never)).rejects.toThrow('The labels must be an array, not string.');
    await expect(zeroShot('a', ['b', ''])).rejects.toThrow('Label 1 is empty.');
    await expect(zeroShot('a', ['b'], { hypothesisTemplate: 'It is.' })).rejects.toThrow("'It is.' has no {}");
    await expect(zeroShot(['x '.repeat(20), 'y '.repeat(200)], ['b', 'c'])).rejects.toThrow(/Text 1 has \d+ tokens/);
    const attempt = classifier(['a', 'b', 'c', 'd', 'e', 'f']).zeroShot('a', ['b']);
    await expect(attempt).rejects.toThrow(UnsupportedModelError);
    await expect(attempt).rejects.toThrow("a label for entailment; this one's labels are a, b, c, d, e, ….");
  });
});

describe('fillMask with targets', () => {
  const zeros = () => [Array.from({ length: 16384 }, (_, id) => (id === tokenizer.encode(' Paris').ids[1] ? 5 : 0))];
  const { calls } = callsOn('mlm', {}, zeros);

  it('writes a target as it stands in the text: with a space where the mask takes it in', async () => {
    const [spaced] = await calls.fillMask('in [MASK].', { targets: ['Paris', ' Paris'], sequences: true });
    expect(spaced.candidates).toHaveLength(1); // both are the same token
    expect(spaced.candidates[0]).toMatchObject({ token: ' Paris', sequence: 'in Paris.' });
    expect(spaced.candidates[0].score).toBeCloseTo(Math.exp(5) / (Math.exp(5) + 16383), 8);
    const [joined] = await calls.fillMask('re[MASK]', { targets: ['s'], sequences: true });
    expect(joined.candidates[0]).toMatchObject({ token: 's', sequence: 'res' });
    const [first] = await calls.fillMask('[MASK] is', { targets: [' Paris'], sequences: true });
    expect(first.candidates[0]).toMatchObject({ token: ' Paris', sequence: 'Paris is' });
  });

  it('scores them over a vocabulary of 300,000', async () => {
    const { calls: large } = callsOn('mlm', {}, () => [new Array<number>(300_000).fill(0)]);
    const [{ candidates }] = await large.fillMask('in [MASK].', { targets: ['Paris'] });
    expect(candidates[0].score).toBeCloseTo(1 / 300_000, 12);
  });

  it('says which target is no token', async () => {
    await expect(calls.fillMask('in [MASK]', { targets: ['Paris', 'Llanfairpwll'] })).rejects.toThrow(
      /The target 'Llanfairpwll' is \d+ tokens \(.+\); a mask stands for one/,
    );
    await expect(calls.fillMask('in [MASK]', { targets: [] })).rejects.toThrow('There are no targets');
    await expect(calls.fillMask('in [MASK]', { targets: [''] })).rejects.toThrow('Target 0 is empty.');
  });
});

describe('every task', () => {
  const TASKS = {
    fillMask: ['mlm', ['[MASK]']],
    classify: ['seqcls', ['a']],
    rerank: ['seqcls', ['a', ['b']]],
    zeroShot: ['seqcls', ['a', ['b']]],
    classifyTokens: ['tokcls', ['a']],
    answer: ['qa', ['a', 'b']],
  } as const;

  it.each(Object.entries(TASKS))('%s refuses other checkpoints by name', async (name, [task, args]) => {
    for (const other of ['encoder', 'mlm', 'seqcls', 'tokcls', 'qa'] as const) {
      if (other === task) continue;
      const { calls } = callsOn(other, labelsOf(['entailment', 'not_entailment']), () => []);
      const attempt = (calls[name as 'rerank'] as (...args: unknown[]) => Promise<unknown>)(...args);
      await expect(attempt).rejects.toThrow(UnsupportedModelError);
      await expect(attempt).rejects.toThrow(new RegExp(`^${name} needs a .*; this checkpoint is a `));
    }
  });

  it.each(Object.entries(TASKS))(
    '%s takes signal and onProgress, and needs a tokenizer',
    async (name, [task, args]) => {
      const answer = (_: Item, { head, rows }: Item['wanted'][number]) =>
        head.key.startsWith('top_k')
          ? Array.from(rows!, () => new Array(2 * 5).fill(0))
          : Array.from(rows ?? [0], () => [0, 0]);
      const labels = name === 'rerank' ? ['LABEL_0'] : ['entailment', 'not_entailment'];
      const { calls } = callsOn(task, labelsOf(labels), answer);
      const run = (own: object, on = calls) =>
        (on[name as 'rerank'] as (...args: unknown[]) => Promise<unknown>)(...args, own);
      const reports: CallProgress[] = [];
      await run({ onProgress: (report: CallProgress) => reports.push(report) });
      expect(reports).toMatchObject([{ done: 1, total: 1 }]);
      await expect(run({ signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more');
      const { calls: bare } = callsOn(task, labelsOf(labels), answer, null as never);
      await expect(run({}, bare)).rejects.toThrow(ModelFileError);
    },
  );

  it('lets others have a turn while many texts are tokenized, and an abort ends it', async () => {
    const modernbert = createTokenizer(modernbertFile(), undefined);
    const { calls, submitted } = callsOn(
      'seqcls',
      { ...labelsOf(['a', 'b']), vocab_size: 50368 },
      () => [[0, 0]],
      modernbert,
    );
    const controller = new AbortController();
    const texts = Array.from({ length: 20000 }, (_, i) => `Text ${i} of very many, each with words of its own.`);
    setTimeout(() => controller.abort());
    await expect(calls.classify(texts, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(submitted).toEqual([]);
  });
});
