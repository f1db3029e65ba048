import { readJson } from '../src/formats/read';
import { createTokenizer } from '../src/tokenizer/tokenizer';
import { sequencesOf } from './cases';
import { embeddings, type Loaded } from './passes';
import type { QueryResult } from './report';
import { median, quantile, sum } from './statistics';
import { textOf } from './texts';

const MOST_WARM_UPS = 3;

const warmUpsOf = (repeats: number) => Math.min(MOST_WARM_UPS, repeats);

/** Tokens of all runs that measuring queries takes. */
export const queryTokens = (limits: number[], repeats: number): number => sum(limits) * (warmUpsOf(repeats) + repeats);

/** Queries of these token counts, one at a time, as a search page sends them: texts if the model has a tokenizer, else token ids. */
export async function measureQueries(
  { runtime, files, config }: Loaded,
  limits: number[],
  repeats: number,
  found: (query: Omit<QueryResult, 'model' | 'tier'>) => void,
  ran: (tokens: number) => void,
): Promise<void> {
  const json = await readJson(files, 'tokenizer.json', {});
  const tokenizer =
    json === undefined ? undefined : createTokenizer(json, await readJson(files, 'tokenizer_config.json', {}));
  const watch = watchQueue(runtime.gpu.device);
  const warmUps = warmUpsOf(repeats);
  for (const tokens of limits) {
    const text = tokenizer && (await textOf(tokens, tokens, (part) => tokenizer.encode(part).ids.length));
    const [random] = sequencesOf([tokens], config.vocab_size);
    const marks: { tokenize: number; encode: number; gpu: number; readback: number; total: number }[] = [];
    for (let i = 0; i < warmUps + repeats; i++) {
      const start = performance.now();
      const ids = text && tokenizer ? tokenizer.encode(text).ids : random;
      const encoding = performance.now();
      await runtime.run([ids], [embeddings(1)]);
      const end = performance.now();
      const { submitted, done } = await watch.last();
      ran(tokens);
      if (i < warmUps) continue;
      marks.push({
        tokenize: encoding - start,
        encode: submitted - encoding,
        gpu: Math.min(done, end) - submitted,
        readback: Math.max(0, end - done),
        total: end - start,
      });
    }
    const of = (part: keyof (typeof marks)[number]) => marks.map((mark) => mark[part]);
    found({
      name: `query-${tokens}`,
      tokens,
      runs: repeats,
      median_ms: median(of('total')),
      p90_ms: quantile(of('total'), 0.9),
      split_ms: {
        ...(text ? { tokenize: median(of('tokenize')) } : {}),
        encode: median(of('encode')),
        gpu: median(of('gpu')),
        readback: median(of('readback')),
      },
    });
  }
  watch.stop();
}

/** Records when the device's queue last got work, and when that work was done. */
function watchQueue({ queue }: GPUDevice) {
  let submitted = 0;
  let done = Promise.resolve(0);
  const submit = queue.submit;
  queue.submit = (commands) => {
    submit.call(queue, commands);
    submitted = performance.now();
    done = queue.onSubmittedWorkDone().then(() => performance.now());
    return undefined;
  };
  return {
    last: async () => ({ submitted, done: await done }),
    stop: () => {
      queue.submit = submit;
    },
  };
}
