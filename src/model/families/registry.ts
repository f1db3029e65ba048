import { fieldsOf, type Json } from '../../formats/json-fields';
import type { ModelConfig } from '../config';
import type { Family } from '../family';
import type { moreFamilies } from './more-families';

type More = keyof typeof moreFamilies;
const more = (name: More) => async () => (await import('./more-families')).moreFamilies[name];

/** The architectures that can be loaded, by the model_type of config.json. They are parts of the worker. */
const FAMILIES = new Map<unknown, () => Promise<Family>>([
  ['modernbert', async () => (await import('./modernbert')).modernbert as Family],
  ['bert', more('bert')],
  ['roberta', more('roberta')],
  ['xlm-roberta', more('roberta')],
  ['camembert', more('roberta')],
  ['distilbert', more('distilbert')],
  ['electra', more('electra')],
  ['mpnet', more('mpnet')],
  ['deberta-v2', more('deberta_v2')],
  ['nomic_bert', more('nomic_bert')],
  ['gte', more('gte')],
  ['new', more('gte')],
  ['jina_embeddings_v3', more('jina_embeddings_v3')],
  ['eurobert', more('eurobert')],
]);

/** JinaBERT's files call themselves `bert`. */
const isJinaBert = ({ model_type, position_embedding_type }: Json): boolean =>
  model_type === 'bert' && position_embedding_type === 'alibi';

/**
 * Reads config.json by the family that its model_type names. `file`: its name in messages. Rejects with what the family's readConfig throws, and
 * an UnsupportedModelError for another model_type.
 */
export async function readModelConfig(
  json: unknown,
  file = 'config.json',
): Promise<{ family: Family; config: ModelConfig }> {
  const fields = fieldsOf(file, json);
  const fetched = isJinaBert(fields.json) ? more('jina_bert') : FAMILIES.get(fields.json.model_type);
  if (fetched) {
    const family = await fetched();
    return { family, config: family.readConfig(fields) };
  }
  const known = [...FAMILIES.keys()].map((model_type) => `'${model_type}'`).join(', ');
  const own = fields.has('auto_map') ? "; a checkpoint's own code (auto_map) is not run" : '';
  throw fields.unsupported('model_type', `known are ${known}${own}`);
}
