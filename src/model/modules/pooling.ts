import type { Pooling } from '../../api/embeddings';
import { UnsupportedModelError } from '../../api/errors';
import type { JsonFields } from '../../formats/json-fields';
import { pooled } from '../heads/rows';
import type { Before, Module } from './module';

/** One vector per sequence (sentence_transformer/modules/pooling.py). */
export interface PoolingModule extends Module {
  kind: 'Pooling';
  /** Put side by side. */
  poolings: Pooling[];
  /** Whether the tokens of a prompt count. */
  include_prompt: boolean;
}

export const poolingModule = (poolings: Pooling[], include_prompt = true, path = ''): PoolingModule => ({
  kind: 'Pooling',
  path,
  gives: 'sentence_embedding',
  poolings,
  include_prompt,
  columns: (before) => before * poolings.length,
  place: () => ({ apply: (rows) => pooled(rows, poolings) }),
});

export const isPooling = (module: Module): module is PoolingModule => module.kind === 'Pooling';

/** Versions before 5.4 write a boolean field per mode. In the order in which they concatenate them. */
const FIELDS: Record<Pooling, string> = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
};
export const POOLINGS = Object.keys(FIELDS) as Pooling[];

export function readPooling(fields: JsonFields, path: string, { feature }: Before): PoolingModule {
  if (feature !== 'token_embeddings')
    throw fields.unsupported('Pooling', `there are no tokens left to pool (${feature})`);
  return poolingModule(poolingsOf(fields), fields.boolean('include_prompt', true), path);
}

/** `pooling_mode` is one name or a list, whose order counts. */
function poolingsOf(fields: JsonFields): Pooling[] {
  const { json } = fields;
  const known = Object.values(FIELDS);
  const unknown = Object.keys(json).find(
    (key) => key.startsWith('pooling_mode_') && json[key] === true && !known.includes(key),
  );
  if (unknown) throw fields.unsupported(unknown, `known are ${known.join(', ')}`);
  const named = [json.pooling_mode ?? []].flat() as Pooling[];
  if (!named.every((name) => POOLINGS.includes(name))) {
    throw fields.unsupported('pooling_mode', `known are ${POOLINGS.join(', ')}`);
  }
  const poolings = named.length > 0 ? named : POOLINGS.filter((pooling) => json[FIELDS[pooling]] === true);
  if (poolings.length === 0) throw new UnsupportedModelError(`${fields.file}: no pooling mode is turned on.`);
  return poolings;
}
