import { fieldsOf } from '../../formats/json-fields';
import type { ModelConfig } from '../config';
import type { Family } from '../family';
import { modernbert } from './modernbert';

/** The architectures that can be loaded. */
const FAMILIES: Family[] = [modernbert];

/** Reads config.json by the family that its model_type names. `file`: its name in messages. Throws what the family's readConfig throws. */
export function readModelConfig(json: unknown, file = 'config.json'): { family: Family; config: ModelConfig } {
  const fields = fieldsOf(file, json);
  const family = FAMILIES.find(({ model_type }) => model_type === fields.json.model_type);
  if (family) return { family, config: family.readConfig(fields) };
  const known = FAMILIES.map(({ model_type }) => `'${model_type}'`).join(', ');
  const own = fields.has('auto_map') ? "; a checkpoint's own code (auto_map) is not run" : '';
  throw fields.unsupported('model_type', `known are ${known}${own}`);
}
