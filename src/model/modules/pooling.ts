import type { Pooling } from '../../api/calls';
import { UnsupportedModelError } from '../../api/errors';
import type { JsonFields } from '../../formats/json-fields';
import { pooled } from '../heads/rows';
import type { Module } from './module';

/** One vector per sequence (models/Pooling.py). */
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
  poolings,
  include_prompt,
  columns: (before) => before * poolings.length,
  place: () => (rows) => pooled(rows, poolings),
});

/** Earlier versions write a boolean field per mode. In the order in which sentence-transformers concatenates them. */
const FIELDS: Record<Pooling, string> = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
};
export const POOLINGS = Object.keys(FIELDS) as Pooling[];

export function readPooling(fields: JsonFields, path: string): PoolingModule {
  return poolingModule(poolingsOf(fields), fields.boolean('include_prompt', true), path);
}

function poolingsOf(fields: JsonFields): Pooling[] {
  const { json } = fields;
  const known = Object.values(FIELDS);
  const unknown = Object.keys(json).find(
    (key) => key.startsWith('pooling_mode_') && json[key] === true && !known.includes(key),
  );
  if (unknown) throw fields.unsupported(unknown, `known are ${known.join(', ')}`);
  const named = json.pooling_mode; // later versions write one name or a list
  const names = named === undefined ? [] : Array.isArray(named) ? named : [named];
  if (!names.every((name) => POOLINGS.includes(name)))
    throw fields.unsupported('pooling_mode', `known are ${POOLINGS.join(', ')}`);
  const on = POOLINGS.filter((pooling) => names.includes(pooling) || json[FIELDS[pooling]] === true);
  if (on.length === 0) throw new UnsupportedModelError(`${fields.file}: no pooling mode is turned on.`);
  return on;
}
