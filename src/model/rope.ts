/** RoPE in config.json, where all layers have the same. ModernBERT, whose layers differ, reads its own. */
import { ModelFileError } from '../api/errors';
import { fieldsOf, isObject, type JsonFields } from '../formats/json-fields';

/** Angles are position · rope_theta^(-2i / head_dim) / rope_factor. */
export interface Rope {
  rope_theta: number;
  /** Default 1. */
  rope_factor?: number;
}

/** Scalings that do not depend on a text's length: transformers' `linear`, and the fixed `ntk` of GTE's own code (new-impl/modeling.py). */
export type RopeScaling = 'linear' | 'ntk';

/**
 * The base and its scaling: of rope_scaling if it has anything, else of rope_parameters, as transformers 5 reads them; the base else of rope_theta, else
 * `fallback`. Throws an UnsupportedModelError for other scalings, for RoPE of a part of a head and for an odd head_dim, a ModelFileError for a base
 * or a factor that is not positive.
 */
export function readRope(
  fields: JsonFields,
  head_dim: number,
  fallback: number,
  scalings: RopeScaling[] = ['linear'],
): Rope {
  const { file, json, has, wrong, unsupported } = fields;
  if (head_dim % 2 !== 0) throw unsupported('head_dim', 'RoPE needs an even head_dim', head_dim);
  const isEmpty = (value: unknown) => isObject(value) && Object.keys(value).length === 0;
  const key = has('rope_scaling') && !isEmpty(json.rope_scaling) ? 'rope_scaling' : 'rope_parameters';
  const own = json[key] ?? {};
  if (!isObject(own)) throw wrong(key, 'an object');
  const type = own.rope_type ?? own.type ?? 'default';
  const parts = fieldsOf(file, own);
  const part = parts.number('partial_rotary_factor', fields.number('partial_rotary_factor', 1));
  if (part !== 1) throw unsupported('partial_rotary_factor', 'only 1 is', part);
  const positive = (name: string, value: number) => {
    if (value > 0) return value;
    throw new ModelFileError(`${file}: ${name} must be positive, it is ${value}.`);
  };
  const rope_theta = positive('rope_theta', parts.number('rope_theta', fields.number('rope_theta', fallback)));
  if (type === 'default') return { rope_theta };
  const scaling = scalings.find((known) => known === type);
  if (!scaling) throw unsupported(`${key}.rope_type`, `only ${['default', ...scalings].join(', ')} are`, type);
  if (parts.has('mixed_b')) throw unsupported(`${key}.mixed_b`, 'only ntk without it is', own.mixed_b);
  const factor = positive(`${key}.factor`, parts.number('factor'));
  if (scaling === 'linear') return { rope_theta, rope_factor: factor };
  return { rope_theta: rope_theta * factor, rope_factor: factor ** (2 / head_dim) };
}
