/** Which vectors may be compared: the id that results carry as `embeddingSpace`. */
import type { ModelInfo } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import { streamBytes } from '../formats/read';
import { normalizesAfter } from '../model/heads/embeddings';
import type { Pipeline } from '../model/pipeline';
import type { SpaceOf } from '../tasks/common';

/** Bytes of the weights by which files without a name are told apart. */
const SAMPLE = 1 << 20;

/**
 * Names the spaces of a loaded model, such as `org/name@1a2b3c4/float/mean/768/unit`. Queries and documents have the same, also where a Router
 * sends them to modules or models of their own; prompts, which say what a text is, are no part of it.
 */
export async function spacesOf(
  files: ModelFiles,
  { inputs }: Pipeline,
  infos: ModelInfo[],
  signal?: AbortSignal,
): Promise<SpaceOf> {
  const base = await baseName(files, inputs[0].path, infos, signal);
  const name = files.adapter ? `${base}+${adapterName(files.adapter)}` : base;
  const onGpu = infos.filter((_, i) => inputs[i].kind === 'Transformer');
  const weights = [...new Set(onGpu.map(weightsOf))].join('+') || 'float';
  const ways = inputs.flatMap(({ path, chains }) =>
    Object.values(chains).map((chain) => [path, ...chain.map((module) => module.path)].join(' ')),
  );
  return spacesNamed(`${name}/${weights}`, new Set(ways).size > 1);
}

/** The spaces of results, whose names begin with those of the model and its weights. `isRouted`: kinds of texts have modules of their own. */
export const spacesNamed =
  (model: string, isRouted: boolean): SpaceOf =>
  ({ chain, pooling, dim, normalize, precision = 'float32', ranges }) => {
    const others = chain?.modules.filter(({ kind }) => kind !== 'Pooling' && kind !== 'Normalize') ?? [];
    const poolings = [pooling ?? chain?.pooling?.poolings ?? []].flat();
    const way = isRouted && !pooling ? 'router' : [...poolings, ...others.map(({ kind }) => kind)].join('+');
    const parts = [model, way, dim];
    // A Normalize comes before the cut to fewer numbers.
    if (chain) parts.push(normalize || (!normalizesAfter(chain) && dim >= chain.columns) ? 'unit' : 'raw');
    // The same number stands for another value in other ranges.
    const bounds = ranges && [ranges.min, ranges.max].flatMap((values) => Array.from(values));
    if (bounds) parts.push(`${precision}~${hashOf(Float32Array.from(bounds))}`);
    else if (precision !== 'float32') parts.push(precision);
    return parts.join('/');
  };

/**
 * Vectors of f32 and f16 weights differ by rounding alone. Quantised weights give others, which lie near them but rank differently enough to lose
 * results, and so do arithmetic in integers and the quantised weights of an ONNX file.
 */
const weightsOf = ({ dtype, compute, fallback }: ModelInfo): string => {
  if (compute === 'int8') return `${dtype}-int8`;
  if (dtype === 'f32' || dtype === 'f16') return 'float';
  return fallback ? `${dtype}-onnx` : dtype;
};

/** A Hub id with its commit; undefined for files that have none. A mirror may not say which commit they are of. */
function nameOf({ identity }: ModelFiles): string | undefined {
  const { source, revision, commit } = identity ?? {};
  if (revision === undefined) return undefined;
  return `${source}@${(commit ?? revision).replace(/^([0-9a-f]{7})[0-9a-f]{33}$/, '$1')}`;
}

const adapterName = ({ files, values }: NonNullable<ModelFiles['adapter']>): string =>
  nameOf(files) ?? `${lastFolder(files) ?? 'adapter'}~${hashOf(values)}`;

/** Of the place nothing else: a model may be in another on each machine. */
function lastFolder({ identity, name }: ModelFiles): string | undefined {
  if (!identity) return name;
  const last = new URL(identity.source).pathname.split('/').filter(Boolean).at(-1);
  try {
    return last && decodeURIComponent(last);
  } catch {
    return last; // '100%'
  }
}

/** Without a commit config.json tells models of one name apart, and without a name also the first weights. */
async function baseName(files: ModelFiles, path: string, infos: ModelInfo[], signal?: AbortSignal): Promise<string> {
  const known = nameOf(files);
  if (known !== undefined) return known;
  const configs = new TextEncoder().encode(JSON.stringify(infos.map(({ config }) => config)));
  const folder = lastFolder(files);
  if (folder !== undefined) return `${folder}~${hashOf(configs)}`;
  const weights = await files.open(path === '' ? WEIGHTS : `${path}/${WEIGHTS}`, signal);
  const first = new Uint8Array(SAMPLE);
  let length = 0;
  if (weights) {
    for await (const chunk of streamBytes(weights, { signal })) {
      const part = chunk.subarray(0, SAMPLE - length);
      first.set(part, length);
      length += part.length;
      if (length === SAMPLE) break;
    }
  }
  return `files~${hashOf(configs)}${hashOf(first)}`;
}

const WEIGHTS = 'model.safetensors';

/** FNV-1a, 32 bits: enough to tell a user's models apart. */
function hashOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
