import { ModelFileError } from '../../api/errors';
import type { JsonFields } from '../../formats/json-fields';
import { logitsOf, pooled } from '../heads/rows';
import type { ReadModule } from './module';

function tokenId(fields: JsonFields, key: string): number {
  const id = fields.json[key];
  if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) return id;
  throw fields.wrong(key, 'the id of a token');
}

/**
 * A cross-encoder's score of what a language model says at a sequence's last token: the logit of one token, or by how much it is above
 * another's (cross_encoder/modules/logit_score.py).
 */
export const readLogitScore: ReadModule = (fields, path, { feature }) => {
  if (feature !== 'token_embeddings') throw fields.unsupported('LogitScore', `there are no logits left (${feature})`);
  if ((fields.text('module_input_name') ?? 'causal_logits') !== 'token_embeddings') {
    const why =
      'here it can be token_embeddings, the logits of a masked language model; causal models are not supported';
    throw fields.unsupported('module_input_name', why);
  }
  const yes = tokenId(fields, 'true_token_id');
  const no = fields.has('false_token_id') ? tokenId(fields, 'false_token_id') : undefined;
  return {
    kind: 'LogitScore',
    path,
    gives: 'scores',
    task: 'mlm',
    columns: () => 1,
    place: () => ({
      apply(tokens, head) {
        const { columns } = head!.output;
        const id = Math.max(yes, no ?? 0);
        if (id >= columns) {
          throw new ModelFileError(`${fields.file}: token ${id} is not one of the vocabulary's ${columns}.`);
        }
        return logitsOf(pooled(tokens, ['lasttoken']), head!);
      },
    }),
    read: (logits) => Float32Array.of(logits[yes] - (no === undefined ? 0 : logits[no])),
  };
};
