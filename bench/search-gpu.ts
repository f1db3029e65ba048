// npm run bench:search: an index's exact search over vectors on the GPU beside the CPU, by their number. USAGE below.
import { appendFileSync, writeFileSync } from 'node:fs';
import { create } from 'webgpu';
import { openGpu } from '../src/gpu/device';
import { isSoftware } from '../src/gpu/profile';
import { GpuRows } from '../src/search/gpu-rows';
import { nearest } from '../src/search/nearest';
import { spansOf } from '../src/search/spans';
import { type Row, VectorTable } from '../src/search/vector-table';
import { choose, count, parseFlags, runCommand } from './args';
import { nodeEnvironment } from './environment';

const USAGE = `npm run bench:search -- [--out FILE.jsonl] [--precisions float32,int8] [--rows N] [--dim N] [--top-k N]
  --out FILE    appends each result as it comes, one JSON object per line; the first line says where and when
  --rows N      most vectors; default 1000000, on software adapters 50000
  --dim N       numbers per vector; default 384
  --top-k N     rows that are wanted; default 10 (a hybrid search takes 100)`;

const PRECISIONS = ['float32', 'int8'] as const;
const COUNTS = [2_500, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
const TIMES = 21;
/** Different rows; others are copies of them with one number changed, which are as much work. */
const DRAWN = 1000;

type Precision = (typeof PRECISIONS)[number];

/** A row of unit length, or its int8. */
function unitRow(precision: Precision, dim: number): Row {
  const row = Float32Array.from({ length: dim }, () => Math.random() - 0.5);
  const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  return precision === 'float32' ? row.map((x) => x / length) : Int8Array.from(row, (x) => Math.round(254 * x));
}

const webgpu = create([]);
const openSearchDevice = () => openGpu(webgpu, { name: 'minimal' });

async function milliseconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const median = (values: number[]) => Number(values.sort((a, b) => a - b)[values.length >> 1].toFixed(3));

async function measure(precision: Precision, rows: number, dim: number, topK: number) {
  const drawn = Array.from({ length: DRAWN }, () => unitRow(precision, dim));
  const table = new VectorTable(precision, dim);
  table.reserve(rows);
  for (let row = 0; row < rows; row++) {
    const own = drawn[row % DRAWN];
    own[row % dim] *= -1;
    table.push(own);
  }
  const queries = Array.from({ length: TIMES }, () => unitRow(precision, dim));
  const onGpu = await GpuRows.open(await openSearchDevice(), table);
  const copied = await milliseconds(() => onGpu.copy(Infinity));
  const first = await milliseconds(() => onGpu.bounds(queries[0])); // waits for what was copied
  const [asked, rest, alone]: number[][] = [[], [], []];
  let scanned = 0;
  for (const query of queries) {
    let spans: ReturnType<typeof spansOf> | undefined;
    asked.push(
      await milliseconds(async () => {
        spans = spansOf(await onGpu.bounds(query), topK, rows);
      }),
    );
    const answers: unknown[] = [];
    rest.push(await milliseconds(() => answers.push(nearest(query, table, topK, undefined, spans))));
    alone.push(await milliseconds(() => answers.push(nearest(query, table, topK))));
    if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) throw new Error('GPU and CPU disagree.');
    scanned += spans!.reduce((sum, { from, to }) => sum + to - from, 0) / TIMES;
  }
  onGpu.dispose();
  const times = {
    copy_ms: median([copied + first]),
    gpu_ms: median(asked),
    rest_ms: median(rest),
    cpu_ms: median(alone),
  };
  return { precision, rows, dim, top_k: topK, ...times, scanned: Math.round(scanned) };
}

async function main(): Promise<void> {
  const values = parseFlags(['out', 'precisions', 'rows', 'dim', 'top-k'], ['help']);
  if (values.help) return console.log(USAGE);
  const precisions = choose('--precisions', values.precisions, [...PRECISIONS]) ?? PRECISIONS;
  const { info } = await openSearchDevice();
  const most = count('--rows', values.rows) ?? (isSoftware(info) ? 50_000 : 1_000_000);
  const report = (line: object) => {
    console.log(Object.values(line).join('\t'));
    if (values.out) appendFileSync(values.out, `${JSON.stringify(line)}\n`);
  };
  if (values.out) writeFileSync(values.out, '');
  report({ ...nodeEnvironment(), adapter: info.device, driver: info.description });
  console.log('precision\trows\tdim\ttop k\tcopy ms\tGPU ms\tthen CPU ms\tCPU alone ms\trows compared by the CPU');
  const [dim, topK] = [count('--dim', values.dim) ?? 384, count('--top-k', values['top-k']) ?? 10];
  for (const precision of precisions) {
    for (const rows of COUNTS.filter((rows) => rows <= most)) report(await measure(precision, rows, dim, topK));
  }
}

runCommand(main, USAGE);
