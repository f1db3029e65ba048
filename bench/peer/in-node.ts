// npm run bench:peer -- --node: this library and ONNX Runtime Web in this process, over one Dawn, with the same weights and token ids,
// alternating.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Ort from 'onnxruntime-web';
import type { ModelSource } from '../../src/api/types';
import { openGpu } from '../../src/gpu/device';
import { isSoftware } from '../../src/gpu/profile';
import { packPasses } from '../../src/packing/passes';
import { loadRuntime } from '../../src/session/load-runtime';
import { folderFiles } from '../../src/sources/folder';
import { openFiles } from '../../src/sources/source';
import { ARCHITECTURES } from '../architectures';
import { choose, count, list, parseFlags } from '../args';
import { CASES, lengthsOf, scaled, sequencesOf } from '../cases';
import { createDawn } from '../dawn';
import { nodeEnvironment } from '../environment';
import { benchModels } from '../models';
import { runPasses } from '../passes';
import { columns } from '../print';
import { randomCheckpoint } from '../random-encoder';
import { sum } from '../statistics';
import { UsageError } from '../usage-error';
import { type Contender, PEERS } from './contenders';
import { graphOf } from './graphs';
import type { Precision } from './onnx';
import { BATCH_TOKENS, loadOrt, onnxEmbedder, WEIGHTS } from './onnx-runtime';
import { leastCosine, OWN, type PeerReport, type PeerResult, peerTable, summarised } from './results';
import { readCheckpoint } from './tensors';

const MODELS = ['nano', 'minilm', 'base'] as const;
const PRECISIONS: Precision[] = ['f32', 'f16'];
/** The least cosine between the contenders' embeddings that counts as the same result. */
const SAME = { f32: 0.9999, f16: 0.99 };
/** Runs of a query per run of a set. */
const QUERY_RUNS = 4;

export const NODE_USAGE = `npm run bench:peer -- --node [--adapter lavapipe|swiftshader|system] [options]
  --contenders A,B   beside this library, of ${PEERS.join(', ')}; default both, on software
                     adapters not the fused one, whose flash attention is wrong there
  --models A,B       of ${MODELS.join(', ')} (MiniLM-L6's and ModernBERT-base's shape with random weights); default all
  --precisions A,B   of ${PRECISIONS.join(', ')}: the arithmetic; default f32, and f16 where the adapter has shader-f16
  --cases A,B        of ${CASES.map(({ name }) => name).join(', ')}
  --tokens N         most tokens of a set; default 32768, on software adapters 2048, and 512 for base
  --repeats N        timed runs of a set per contender, alternating, after the first; a query has ${QUERY_RUNS} times as many. Default 5
  --patience S       if a contender's first call takes more seconds than this, it counts as its only run; default 60
  --dawn A,B         Dawn toggles to enable, for example vulkan_enable_f16_on_nvidia with allow_unsafe_apis
  --json FILE        writes the results as they come`;

function parseOptions(args: string[]) {
  const values = parseFlags(
    ['contenders', 'models', 'precisions', 'cases', 'tokens', 'repeats', 'patience', 'dawn', 'json'],
    ['node', 'help'],
    args,
  );
  const names = CASES.map(({ name }) => name);
  const cases = choose('--cases', values.cases, names) ?? names;
  return {
    contenders: choose('--contenders', values.contenders, [...PEERS]),
    models: choose('--models', values.models, [...MODELS]) ?? [...MODELS],
    precisions: choose('--precisions', values.precisions, PRECISIONS),
    cases: CASES.filter(({ name }) => cases.includes(name)),
    tokens: count('--tokens', values.tokens),
    repeats: count('--repeats', values.repeats) ?? 5,
    patience: 1000 * (count('--patience', values.patience) ?? 60),
    toggles: list('--dawn', values.dawn) ?? [],
    json: values.json,
    help: values.help ?? false,
  };
}

type Options = ReturnType<typeof parseOptions>;

/** From token ids to a row per sequence: its normalised mean. */
type Embed = (sequences: Uint32Array[]) => Promise<Float32Array[]>;

interface Loaded {
  embed: Embed;
  dispose(): unknown;
}

async function ownEmbedder(source: ModelSource, gpu: GPU, arithmetic: Precision) {
  const { runtime, info, config } = await loadRuntime(source, { gpu, folder: folderFiles, arithmetic });
  const embed: Embed = async (sequences) => {
    const passes = packPasses(
      sequences.map(({ length }) => length),
      info.maxTokensPerPass,
    );
    const { rows: parts } = await runPasses(
      runtime,
      passes.map((pass) => pass.map((i) => sequences[i])),
    );
    const rows: Float32Array[] = [];
    for (const [number, pass] of passes.entries()) {
      const width = parts[number].length / pass.length;
      for (const [row, i] of pass.entries()) rows[i] = parts[number].subarray(row * width, (row + 1) * width);
    }
    return rows;
  };
  const dispose = () => {
    runtime.dispose();
    runtime.gpu.device.destroy();
  };
  return { embed, dispose, maxTokens: info.maxTokens, vocabulary: config.vocab_size };
}

async function sourceOf(model: (typeof MODELS)[number]): Promise<ModelSource> {
  if (model !== 'minilm') return benchModels([model], undefined)[0].source;
  return randomCheckpoint(ARCHITECTURES.find(({ name }) => name === 'MiniLM-L6')!.config);
}

/** The results of one model in one precision; `found` gets all of them whenever there is more. Exported for the test. */
export async function runModel(
  { gpu, ort }: { gpu: GPU; ort: typeof Ort },
  { model, source, precision }: { model: string; source: ModelSource; precision: Precision },
  {
    contenders,
    cases,
    tokens,
    repeats,
    patience,
  }: Pick<Options, 'cases' | 'repeats' | 'patience'> & {
    contenders: Contender[];
    tokens: number;
  },
  found: (results: PeerResult[]) => void,
): Promise<PeerResult[]> {
  const loads = new Map<Contender, { load_ms?: number; failure?: string }>();
  const load = async <T>(contender: Contender, open: () => Promise<T>) => {
    const start = performance.now();
    const opened = await open();
    loads.set(contender, { load_ms: performance.now() - start });
    return opened;
  };
  const own = await load(OWN, () => ownEmbedder(source, gpu, precision));
  const loaded = new Map<Contender, Loaded>([[OWN, own]]);
  const checkpoint = await readCheckpoint(openFiles(source, { folder: folderFiles }));
  for (const attention of ['fused', 'unfused'] as const) {
    const contender = `onnxruntime-web ${attention}` as const;
    if (!contenders.includes(contender)) continue;
    try {
      const graph = graphOf(checkpoint, { precision, attention }, WEIGHTS);
      loaded.set(contender, await load(contender, () => onnxEmbedder(ort, graph)));
    } catch (error) {
      loads.set(contender, { failure: firstLine(error) });
    }
  }
  const shapes = new Map(
    cases.map((given) => scaled(given, tokens, own.maxTokens)).map((shape) => [shape.name, shape]),
  );
  const all: PeerResult[] = [];
  for (const shape of shapes.values()) {
    const lengths = lengthsOf(shape, tokens);
    const sequences = sequencesOf(lengths, own.vocabulary);
    const results = [...loads].map(
      ([contender, load]): PeerResult => ({
        name: `${model} ${precision} ${shape.name}`,
        contender,
        device: 'WebGPU',
        documents: lengths.length,
        tokens: sum(lengths),
        equal: shape.kind !== 'variable',
        runs_ms: [],
        ...load,
      }),
    );
    all.push(...results);
    const call = async (result: PeerResult) => {
      const start = performance.now();
      try {
        const rows = await loaded.get(result.contender)!.embed(sequences);
        return { ms: performance.now() - start, rows };
      } catch (error) {
        result.failure = firstLine(error);
        return undefined;
      }
    };
    let expected: number[] = [];
    for (const result of results.filter(({ failure }) => failure === undefined)) {
      const answer = await call(result);
      if (!answer) continue;
      result.first_ms = answer.ms;
      if (answer.ms > patience) result.runs_ms.push(answer.ms);
      const data = answer.rows.flatMap((row) => Array.from(row));
      if (result.contender === OWN) expected = data;
      else result.cosine = leastCosine(data, expected, data.length / sequences.length);
      if (result.cosine !== undefined && !(result.cosine >= SAME[precision])) {
        result.failure = 'other numbers than this library';
      }
    }
    for (let i = 0; i < repeats * (shape.kind === 'query' ? QUERY_RUNS : 1); i++) {
      for (const result of results) {
        if (result.first_ms === undefined || result.first_ms > patience) continue;
        const answer = await call(result);
        if (answer) result.runs_ms.push(answer.ms);
      }
      found(all.map(summarised));
    }
    for (const { name, contender, median_ms, failure } of results.map(summarised)) {
      console.error(`${name} ${contender}: ${failure ?? `${median_ms?.toFixed(1)} ms`}`);
    }
  }
  for (const { dispose } of loaded.values()) await dispose();
  return all.map(summarised);
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 300);

/** Runs the comparison and prints it. Throws an Error at the end if a contender failed. */
export async function compareInNode(args: string[]): Promise<void> {
  const { help, toggles, json, ...options } = parseOptions(args);
  if (help) return console.log(NODE_USAGE);
  const gpu = createDawn(toggles);
  const { device, info, hasF16 } = await openGpu(gpu);
  device.destroy();
  const onCpu = isSoftware(info);
  const precisions = options.precisions ?? PRECISIONS.filter((precision) => precision === 'f32' || hasF16);
  if (precisions.includes('f16') && !hasF16) throw new UsageError('--precisions: this adapter has no shader-f16.');
  const ort = await loadOrt(gpu);
  const { date, commit, runtime } = nodeEnvironment();
  const adapter = info.device || `${info.vendor} ${info.architecture}`.trim();
  const peer = `onnxruntime-web ${versionOf('onnxruntime-web')}, WebGPU`;
  const head = { date, commit, runtime, adapter, driver: info.description, toggles, peer, batch_tokens: BATCH_TOKENS };
  const results: PeerResult[] = [];
  const write = (more: PeerResult[] = []) => {
    const report: NodeReport = { ...head, load_average: loadavg()[0], results: [...results, ...more], bars: [] };
    if (json) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  };
  const usual = PEERS.filter((contender) => !onCpu || contender !== 'onnxruntime-web fused');
  for (const model of options.models) {
    const source = await sourceOf(model);
    for (const precision of precisions) {
      const tokens = options.tokens ?? (onCpu ? (model === 'base' ? 512 : 2048) : 32768);
      const how = { ...options, contenders: options.contenders ?? usual, tokens };
      results.push(...(await runModel({ gpu, ort }, { model, source, precision }, how, write)));
      write();
    }
  }
  console.log(
    `${adapter} (${info.description}); commit ${commit}; ${runtime}; ${peer}\n\n${columns(peerTable(results))}`,
  );
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (failed.length > 0) throw new Error(`${failed.length} of ${results.length} failed, or gave other numbers.`);
}

type NodeReport = PeerReport & { driver: string; toggles: string[]; batch_tokens: number; load_average: number };

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(dirname(createRequire(import.meta.url).resolve(name)), '../package.json'), 'utf8'))
    .version;
