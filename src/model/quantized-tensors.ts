import type { Dtype } from '../api/types';
import type { QuantizedAs } from '../formats/convert';
import { isObject } from '../formats/json-fields';
import { isQuantized } from '../formats/quantize';
import { declaredPlaces, glinerPlaces } from './build';
import { readModelConfig } from './families/registry';
import { glinerCheckpoint } from './gliner/gliner';
import { quantizedDtype } from './upload';

/** What a checkpoint's tensors are quantised to with this dtype. Throws what readModelConfig and taskOf throw. */
export function quantizedTensors(json: unknown, names: ReadonlySet<string>, dtype: Dtype): QuantizedAs {
  if (!isQuantized(dtype)) return () => undefined;
  const places =
    isObject(json) && json.encoder_config ? glinerPlaces(glinerCheckpoint(json), dtype, names) : ownPlaces();
  return (name) => quantizedDtype(places.get(name));

  function ownPlaces() {
    const { family, config } = readModelConfig(json);
    return declaredPlaces(family, config, dtype, names);
  }
}
