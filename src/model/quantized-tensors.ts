import type { Dtype } from '../api/types';
import type { QuantizedAs } from '../formats/convert';
import { isObject } from '../formats/json-fields';
import { isQuantized } from '../formats/quantize';
import { declaredPlaces, glinerPlaces } from './build';
import { readModelConfig } from './families/registry';
import { glinerCheckpoint } from './gliner/gliner';
import { quantizedDtype } from './upload';

/** What a checkpoint's tensors, by their names, are quantised to with this dtype. Throws what readModelConfig and taskOf throw. */
export async function quantizedTensors(
  json: unknown,
  dtype: Dtype,
): Promise<(names: ReadonlySet<string>) => QuantizedAs> {
  if (!isQuantized(dtype)) return () => () => undefined;
  const placesOf = isObject(json) && json.encoder_config ? await ofGliner() : await ofTransformer();
  return (names) => {
    const places = placesOf(names);
    return (name) => quantizedDtype(places.get(name));
  };

  async function ofGliner() {
    const gliner = await glinerCheckpoint(json);
    return (names: ReadonlySet<string>) => glinerPlaces(gliner, dtype, names);
  }
  async function ofTransformer() {
    const { family, config } = await readModelConfig(json);
    return (names: ReadonlySet<string>) => declaredPlaces(family, config, dtype, names);
  }
}
