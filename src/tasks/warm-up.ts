import type { Calls } from '../api/calls';
import type { Kind } from '../api/embeddings';
import type { Parts } from './common';

const TEXT = 'a';

/**
 * Makes a short call of each kind that a checkpoint is for, with the usual options: they fetch, compile and allocate what the next one needs. They
 * share a pass.
 */
export async function warmUp(calls: Calls, { info, sentence, tokenizer }: Parts): Promise<void> {
  const { task, maskToken } = info;
  const kinds = Object.keys(sentence.chains).map((kind) => (kind === 'any' ? undefined : (kind as Kind)));
  const embeddings = (): Promise<unknown>[] => {
    if (sentence.multiVector) return kinds.flatMap((kind) => (kind ? [calls.embedMultiVector(TEXT, { kind })] : []));
    if (sentence.output === 'sparse') return kinds.map((kind) => calls.embedSparse(TEXT, { kind }));
    return kinds.map((kind) => calls.embed(TEXT, { kind }));
  };
  const own = (): Promise<unknown>[] => {
    if (!tokenizer) return [calls.forward({ inputIds: Uint32Array.of(0), lengths: Uint32Array.of(1) })];
    if (task === 'seqcls') return [calls.classify(TEXT)];
    if (task === 'tokcls') return [calls.classifyTokens(TEXT)];
    if (task === 'qa') return [calls.answer(TEXT, TEXT)];
    if (task === 'gliner') return [calls.entities(TEXT, [TEXT])];
    const isFilled = task === 'mlm' && maskToken !== undefined && sentence.output !== 'sparse';
    return [...(isFilled ? [calls.fillMask(maskToken)] : []), ...embeddings()];
  };
  await Promise.all(own());
}
