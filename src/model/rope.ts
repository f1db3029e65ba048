/** RoPE in config.json, where all layers have the same. ModernBERT, whose layers differ, reads its own. */
import { ModelFileError } from '../api/errors';
import { fieldsOf, isObject, type JsonFields } from '../formats/json-fields';

/**
 * Its base: of rope_parameters (transformers 5), else of rope_theta, else transformers' default. Throws an UnsupportedModelError for scaled RoPE and
 * for an odd head_dim, a ModelFileError for a base that is not positive.
 */
export function readRopeTheta(fields: JsonFields, head_dim: number, fallback: number): number {
  const { file, json, has, wrong, unsupported } = fields;
  if (head_dim % 2 !== 0) throw unsupported('head_dim', 'RoPE needs an even head_dim', head_dim);
  const key = has('rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const own = json[key] ?? {};
  if (!isObject(own)) throw wrong(key, 'an object');
  const type = own.rope_type ?? own.type ?? 'default';
  if (type !== 'default') throw unsupported(`${key}.rope_type`, 'only unscaled RoPE is', type);
  const theta = fieldsOf(file, own).number('rope_theta', fields.number('rope_theta', fallback));
  if (theta > 0) return theta;
  throw new ModelFileError(`${file}: rope_theta must be positive, it is ${theta}.`);
}
