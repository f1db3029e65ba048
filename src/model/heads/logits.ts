import type { LoadedModel } from '../model';
import { headOf } from '../task-head';
import type { Head } from './head';
import { allTokens, answerOf, chosenTokens, logitsOf, pooled, projected, type Rows, throughHead } from './rows';

/** The logits of the chunk's tokens. */
export const tokenLogitsOf = (model: LoadedModel): Rows => logitsOf(chosenTokens(model.encoder), headOf(model));

/** Each row's logits: [rows, vocab_size] of a masked language model, [rows, labels] of a token classifier. */
export const tokenLogits: Head = {
  key: 'token_logits',
  by: 'row',
  build: (model) => answerOf(tokenLogitsOf(model)),
  onCpu: (sequence) => sequence.logits(),
};

/** Each sequence's logits: [sequences, labels] of a sequence classifier, by its own head or by the modules of a cross-encoder. */
export const sequenceLogits: Head = {
  key: 'sequence_logits',
  by: 'sequence',
  build(model) {
    const { encoder, scores, through } = model;
    if (scores) return answerOf(through(scores, allTokens(encoder)));
    const head = headOf(model);
    if (!head.pooling) throw new TypeError(`A head of task '${model.task}' does not pool.`);
    if (head.isLate)
      return answerOf(projected(pooled(throughHead(allTokens(encoder), head), [head.pooling]), head.output));
    return answerOf(logitsOf(pooled(allTokens(encoder), [head.pooling]), head));
  },
  onCpu: (sequence) => sequence.logits(),
};

/** What BERT's pooler makes of each sequence: [sequences, hidden_size]. */
export const poolerOutput: Head = {
  key: 'pooler_output',
  by: 'sequence',
  build({ encoder }) {
    const { pooler } = encoder;
    if (!pooler) throw new TypeError('This checkpoint has no pooler.');
    return answerOf(throughHead(pooled(allTokens(encoder), ['cls']), { layers: [pooler] }));
  },
};
