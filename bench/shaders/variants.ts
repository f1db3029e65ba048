// Every shader variant that the library can generate, as WGSL. Made by the functions that the models' steps come from, for every tile, dtype,
// arithmetic, epilogue and activation; sizes that only scale a loop or an array have one value each.
import type { Arithmetic, Dtype } from '../../src/api/types';
import type { Gpu, SubgroupMatrix } from '../../src/gpu/device';
import { type KernelSpec, specialise } from '../../src/gpu/kernel';
import { type GemmChoice, profileOf, SUBGROUP_SIZES } from '../../src/gpu/profile';
import { addRows } from '../../src/kernels/add_rows';
import { type AttentionTile, attentionCandidates, attentionKernel, MAX_HEAD_DIM } from '../../src/kernels/attention';
import { embeddings } from '../../src/kernels/embeddings';
import { defaultPlan, matrixTiles, tilesFor, variant } from '../../src/kernels/gemm';
import { ACTIVATIONS, type Epilogue, type GemmSpec, type GemmTile } from '../../src/kernels/gemm-spec';
import { groupMax } from '../../src/kernels/group_max';
import { headScores } from '../../src/kernels/head_scores';
import { layerNorm, layerNormInPlace } from '../../src/kernels/layer_norm';
import { headsLayout } from '../../src/kernels/layout';
import { lstm } from '../../src/kernels/lstm';
import { normalize } from '../../src/kernels/normalize';
import { dotRows, labelFeatures, spanFeatures } from '../../src/kernels/pair_features';
import { pool } from '../../src/kernels/pool';
import { quantizeRows } from '../../src/kernels/quantize_rows';
import { relativeBias } from '../../src/kernels/relative_bias';
import { sparseRows } from '../../src/kernels/sparse_rows';
import { spladePool } from '../../src/kernels/splade_pool';
import { topK } from '../../src/kernels/top_k';
import { POOLINGS } from '../../src/model/modules/pooling';

export interface Variant {
  /** The WGSL file without what it shares; for matrices with what they multiply. */
  shader: string;
  /** A row of the table: the shader and its tile. */
  design: string;
  /** What else it differs in, separated by commas. */
  name: string;
  code: string;
}

type Made = Omit<Variant, 'code'> & { kernel: KernelSpec };

const DTYPES: Dtype[] = ['f32', 'f16', 'q8', 'q4'];
const ARITHMETICS: Arithmetic[] = ['f32', 'f16'];
/** Padded ones: multiples of 32. */
const HEAD_DIMS = Array.from({ length: MAX_HEAD_DIM / 32 }, (_, i) => 32 * (i + 1));
/** What cards get, which leaves out the designs of software adapters only. */
const NAMELESS = { vendor: '', architecture: '', device: '', description: '' };
const CARD = profileOf(NAMELESS, undefined);
const LIMITS = { maxComputeWorkgroupStorageSize: Infinity } as Gpu['limits'];
const HEADS = 2;
const WIDTH = 128;

/** Products of the sizes that subgroupMatrixOf accepts. The first is the RX 7900 XTX's. */
const MATRICES: SubgroupMatrix[] = [
  { component: 'f16', m: 16, n: 16, k: 16, threads: 256 },
  { component: 'f16', m: 16, n: 16, k: 16, threads: 128 },
  { component: 'f16', m: 16, n: 8, k: 16, threads: 128 },
  { component: 'f16', m: 8, n: 16, k: 16, threads: 128 },
  { component: 'f16', m: 8, n: 8, k: 8, threads: 128 },
  { component: 'f32', m: 8, n: 8, k: 8, threads: 128 },
];

const withActivations = (kind: 'activation' | 'geglu'): Epilogue[] =>
  ACTIVATIONS.map((activation) => ({ kind, activation }));

/** Those of an encoder's layers (model/blocks.ts); the activation of an MLP without gates is one of several. RoPE's depend on head_dim. */
const ENCODER: Epilogue[] = [
  ...HEAD_DIMS.map((headDim) => ({ kind: 'rope' as const, attentionWidth: HEADS * headDim, headDim, qScale: 0.1 })),
  ...HEAD_DIMS.map((headDim) => ({ kind: 'scale' as const, attentionWidth: HEADS * headDim, headDim, qScale: 0.1 })),
  { kind: 'residual' },
  { kind: 'store' },
  { kind: 'activation', activation: 'gelu' },
  ...withActivations('geglu'),
];
/** Those of heads and modules (model/heads/rows.ts): all of them in f32. */
const HEAD: Epilogue[] = [{ kind: 'store' }, ...withActivations('activation')];

/** What GEMMs differ in but their sizes. */
export type GemmKind = Pick<GemmSpec, 'epilogue' | 'dtype' | 'a' | 'out' | 'bias'>;

/** Every kind of GEMM in the library; a bias, which is added whatever the weights are, with f32 and int8's weights only. */
export const gemmKinds = (): GemmKind[] => [
  ...ENCODER.flatMap((epilogue) =>
    ARITHMETICS.flatMap((act): GemmKind[] => {
      const out = epilogue.kind === 'residual' ? 'f32' : act;
      return [
        ...DTYPES.map((dtype) => ({ epilogue, dtype, a: act, out, bias: false })),
        { epilogue, dtype: 'q8', a: 'int8', out, bias: false },
        { epilogue, dtype: 'f32', a: act, out, bias: true },
        { epilogue, dtype: 'q8', a: 'int8', out, bias: true },
      ];
    }),
  ),
  ...DTYPES.map((dtype): GemmKind => ({ epilogue: { kind: 'store' }, dtype, a: 'f16', out: 'f32', bias: false })), // ELECTRA's
  ...HEAD.flatMap((epilogue): GemmKind[] => [
    ...DTYPES.map((dtype): GemmKind => ({ epilogue, dtype, a: 'f32', out: 'f32', bias: false })),
    { epilogue, dtype: 'f32', a: 'f32', out: 'f32', bias: true },
  ]),
];

const notUnrolled = ({ unroll }: { unroll?: number }) => (unroll === 1 ? ', not unrolled' : '');

/** "geglu gelu", "rope 64", "scale 64". */
const epilogueName = (epilogue: Epilogue): string => {
  const { kind } = epilogue;
  if ('headDim' in epilogue) return `${kind} ${epilogue.headDim}`;
  return 'activation' in epilogue ? `${kind} ${epilogue.activation}` : kind;
};

/** A GEMM by each tile that some device uses, with what the device has. */
function gemmVariants(kind: GemmKind): Made[] {
  const { epilogue, dtype, a, out, bias } = kind;
  const n = 'qScale' in epilogue ? 3 * epilogue.attentionWidth : 2 * WIDTH;
  const spec: GemmSpec = { ...kind, label: 'gemm', k: WIDTH, n };
  const name = [epilogueName(epilogue), `${dtype} weights`, `${a} to ${out}`, ...(bias ? ['bias'] : [])].join(', ');
  const of = (tile: GemmTile, gpu: Parameters<typeof variant>[0] = {}, more = ''): Made => {
    const { design, m, n, k } = tile;
    const shader = `gemm_${design}${gpu.subgroupMatrix ? ` ${gpu.subgroupMatrix.component}` : ''}`;
    return {
      shader,
      design: `${shader} ${m} × ${n} × ${k}${tile.early ? ', early' : ''}${notUnrolled(tile)}${more}`,
      name,
      kernel: variant(gpu, spec, tile),
    };
  };
  const planned = (choice: GemmChoice) =>
    defaultPlan({ profile: { ...CARD, gemm: [choice] }, limits: LIMITS, info: NAMELESS }, spec).map(({ tile }) => tile);
  const made = [...tilesFor({ profile: CARD, limits: LIMITS }, spec), ...planned('plain')].map((tile) => of(tile));
  if (a === 'int8') return made;
  return [
    ...made,
    ...planned('subgroup').flatMap((tile) =>
      SUBGROUP_SIZES.map((subgroupSize) => of(tile, { subgroupSize }, `, ${subgroupSize} lanes`)),
    ),
    ...MATRICES.flatMap((subgroupMatrix) => {
      const { m, n, k, threads } = subgroupMatrix;
      const more = ` by ${m} × ${n} × ${k}, ${threads} threads`;
      return matrixTiles({ subgroupMatrix }, spec).map((tile) => of(tile, { subgroupMatrix }, more));
    }),
  ];
}

const BIASES = { 'no bias': undefined, bias: { reach: 128 }, disentangled: { reach: 512, span: 512 } };

/** Attention by each tile that some device uses. */
const attentionVariants = (headDim: number): Made[] =>
  [
    ...attentionCandidates({ profile: CARD }, headsLayout(HEADS, headDim)).flatMap((tile) =>
      [CARD.unroll, 1].map((unroll): AttentionTile => ({ ...tile, unroll })),
    ),
    ...SUBGROUP_SIZES.map((across): AttentionTile => ({ design: 'subgroup', rows: 16, across, keys: 4, dims: 8 })),
  ].flatMap((tile) =>
    ARITHMETICS.flatMap((act) => {
      const shader = `attention_${tile.design}`;
      const { rows, across, keys, dims } = tile;
      const size =
        tile.design === 'subgroup' ? `${across} lanes` : `${rows} rows, ${across} across × ${keys} × ${dims}`;
      return Object.entries(BIASES).map(([bias, relative]) => ({
        shader,
        design: `${shader} ${size}${notUnrolled(tile)}`,
        name: `head_dim ${headDim}, ${act}, ${bias}`,
        kernel: attentionKernel({ ...headsLayout(HEADS, headDim), act, window: 64, relative }, tile),
      }));
    }),
  );

/** Steps need buffers and sizes only when they run. */
const NONE = {} as never;
const WEIGHT = { weight: {} } as never;
const GATHER = { rows: {}, weight: {} } as never;
const none = () => {
  throw new Error('Nothing runs here.');
};

const SIDE = { stride: 4 * WIDTH, column: WIDTH };

const NORM = { hidden: WIDTH - 8, stride: WIDTH, eps: 1e-5 };

const ADDED = { stride: WIDTH, sumStride: WIDTH, columns: WIDTH - 8 };

const LSTM = { hidden: WIDTH / 2, columns: WIDTH / 2, gates: 2 * WIDTH, outStride: WIDTH, outColumn: 0 };
const BIASED = { bias: {} } as never;

/** All other kernels, by WGSL file. */
const smallVariants = (): Made[] => {
  const made = (shader: string, name: string, { kernel }: { kernel: KernelSpec }): Made => ({
    shader,
    design: shader,
    name,
    kernel,
  });
  return [
    ...ARITHMETICS.flatMap((out) => [
      ...[false, true].flatMap((rms) => [
        made('layer_norm_rows', `${out}${rms ? ', rms' : ''}`, layerNorm({ ...NORM, out, rms }, WEIGHT, none)),
        made('layer_norm_rows', `${out}, gather${rms ? ', rms' : ''}`, layerNorm({ ...NORM, out, rms }, GATHER, none)),
      ]),
      made('layer_norm_in_place', out, layerNormInPlace({ ...NORM, out }, NONE, none)),
      made('quantize_rows', out, quantizeRows({ act: out, k: WIDTH }, NONE, none)),
    ]),
    made('layer_norm_rows', 'f32, copy', layerNorm({ ...NORM, out: 'f32' }, NONE, none)),
    made('layer_norm_rows', 'f32, gather, copy', layerNorm({ ...NORM, out: 'f32' }, { rows: {} } as never, none)),
    ...DTYPES.flatMap((dtype) =>
      [0, 2].flatMap((positions) =>
        [0, 1, 2].map((types) =>
          made(
            'embeddings',
            `${dtype} table${positions ? ', positions' : ''}, types ${types}`,
            embeddings({ stride: WIDTH, dtype, firstId: 0, ids: 9, positions, types }, NONE, none),
          ),
        ),
      ),
    ),
    ...ARITHMETICS.flatMap((act) =>
      HEAD_DIMS.map((headDim) =>
        made(
          'head_scores',
          `head_dim ${headDim}, ${act}`,
          headScores({ ...headsLayout(HEADS, headDim), act, columns: 64, a: SIDE, b: SIDE }, NONE, none),
        ),
      ),
    ),
    made('relative_bias', '', relativeBias({ heads: HEADS, reach: 128 }, NONE)),
    ...POOLINGS.map((pooling) => made('pool', pooling, pool({ pooling, stride: WIDTH }, NONE, none))),
    made('normalize', '', normalize({ stride: WIDTH, columns: WIDTH - 8 }, NONE, none)),
    ...[undefined, 0, 1].map((index) =>
      made(
        'add_rows',
        index === undefined ? 'residual' : index === 0 ? 'first term' : 'term',
        addRows(
          { ...ADDED, term: index === undefined ? undefined : { index, weights: 2, isFirst: index === 0 } },
          NONE,
          none,
        ),
      ),
    ),
    ...[false, true].map((reverse) => made('lstm', reverse ? 'reverse' : '', lstm({ ...LSTM, reverse }, NONE))),
    ...[false, true].flatMap((is) => [
      made('span_features', is ? 'relu' : '', spanFeatures({ columns: WIDTH, relu: is }, NONE, none)),
      made('dot_rows', is ? 'bias' : '', dotRows({ columns: WIDTH, count: 4, stride: 48 }, is ? BIASED : NONE, none)),
    ]),
    made('label_features', '', labelFeatures({ width: WIDTH }, NONE, none)),
    made('top_k', '', topK({ vocab: WIDTH - 8, stride: WIDTH }, NONE, none)),
    ...(['max', 'sum'] as const).flatMap((pooling) =>
      [false, true].map((twice) =>
        made(
          'splade_pool',
          `${pooling}, log1p ${twice ? 'twice' : 'once'}`,
          spladePool({ stride: WIDTH, pooling, twice }, NONE, none),
        ),
      ),
    ),
    ...[false, true].map((int8) => made('group_max', int8 ? 'int8' : 'float32', { kernel: groupMax(4 * WIDTH, int8) })),
    made('sparse_rows', '', sparseRows({ vocab: WIDTH - 8, block: WIDTH, piece: WIDTH }, NONE, none)),
  ];
};

/** Every variant, equal ones only once. */
export function shaderVariants(): Variant[] {
  const all = [...gemmKinds().flatMap(gemmVariants), ...HEAD_DIMS.flatMap(attentionVariants), ...smallVariants()];
  const byCode = new Map<string, Variant>();
  for (const { kernel, ...names } of all) {
    const code = specialise(kernel.source, kernel.constants);
    byCode.set(code, { ...names, code });
  }
  return [...byCode.values()];
}

/** A selection that compiles quickly: every tile and, of every shader, every part of a name (an epilogue, a dtype, …) at least once. */
export function covering(variants: Variant[]): Variant[] {
  const seen = new Set<string>();
  return variants.filter(({ shader, design, name }) => {
    const parts = [design, ...name.split(', ').map((part) => `${shader}: ${part}`)];
    const isNew = parts.some((part) => !seen.has(part));
    for (const part of parts) seen.add(part);
    return isNew;
  });
}
