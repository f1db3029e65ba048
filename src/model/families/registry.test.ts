import { expect, it } from 'vitest';
import { UnsupportedModelError } from '../../api/errors';
import { readModelConfig } from './registry';

it.each([
  [
    { model_type: 'gpt2' },
    /config\.json: model_type = "gpt2" is not supported; known are 'modernbert', 'bert', .*'eurobert'\./,
  ],
  [{ model_type: undefined }, /model_type = missing/],
  [
    { model_type: 'my-bert', auto_map: { AutoModel: 'modeling.My' }, transformers_version: '4.44.2' },
    /known are .*; a checkpoint's own code \(auto_map\) is not run\. transformers 4\.44\.2 wrote/,
  ],
])('refuses an architecture that it does not know: %j', async (json, message) => {
  await expect(readModelConfig(json)).rejects.toThrow(UnsupportedModelError);
  await expect(readModelConfig(json)).rejects.toThrow(message);
});
