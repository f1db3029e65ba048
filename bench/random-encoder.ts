// Encoders of any architecture with random weights.
import type { ModelSource } from '../src/api/types';
import { safetensorsHeader } from '../src/formats/safetensors';
import { declaredPlaces, parametersOf } from '../src/model/build';
import { readModelConfig } from '../src/model/families/registry';
import { random } from './cases';

const ONE = 0x3c00;
const RANDOM_VALUES = 1 << 20;

/** F16 numbers of both signs with magnitudes from 1/64 to 1/16, which keep activations in the range of a trained model's. */
function randomF16(): Uint16Array<ArrayBuffer> {
  const next = random(1);
  return Uint16Array.from({ length: RANDOM_VALUES }, () => {
    const [sign, exponent, fraction] = [next() < 0.5 ? 0x8000 : 0, next() < 0.5 ? 9 : 10, next() * 1024];
    return sign | (exponent << 10) | fraction;
  });
}

/** Parameters of the encoder with this config.json. */
export async function parameters(config: object): Promise<number> {
  const known = await readModelConfig(config);
  return parametersOf(known.family, known.config);
}

/** Files of an encoder with this config.json, F16: LayerNorms of 1, biases of 0, all else random. Throws what the family's readConfig throws. */
export async function randomCheckpoint(config: object): Promise<ModelSource> {
  const { family, config: known } = await readModelConfig(config);
  const places = declaredPlaces(family, known, 'f16', new Set(), 'encoder');
  const values = randomF16();
  const tensors = [...places].map(([name, { shape }]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { name, dtype: 'F16', shape, count, bytes: 2 * count };
  });
  const parts = tensors.flatMap(({ name, shape, count }) => {
    if (shape.length === 1) return [new Uint16Array(count).fill(name.endsWith('bias') ? 0 : ONE)];
    const chunks = Array.from({ length: Math.ceil(count / RANDOM_VALUES) }, (_, i) => i * RANDOM_VALUES);
    return chunks.map((first) => values.subarray(0, Math.min(RANDOM_VALUES, count - first)));
  });
  const header = safetensorsHeader(tensors, {}).header as Uint8Array<ArrayBuffer>;
  return {
    'config.json': new Blob([JSON.stringify(config)]),
    'model.safetensors': new Blob([header, ...parts]),
  };
}
