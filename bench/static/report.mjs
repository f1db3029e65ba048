// The report as Markdown: one table per target, sorted for small diffs.
import { titleOf, usesText } from './rows.mjs';

/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {[title: string, cell: (numbers: Record<string, number>) => string | number]} Column */

/** @param {number} part @param {number} whole */
const percent = (part, whole) => (whole > 0 && part > 0 ? `${((100 * part) / whole).toFixed(1)}%` : '');

/** @param {Record<string, number>} n @param {string} prefix */
const sharedLoads = (n, prefix) =>
  [
    [128, n[`${prefix}_lds128`]],
    [64, n[`${prefix}_lds64`]],
    [32, n[`${prefix}_lds32`]],
  ]
    .filter(([, count]) => count > 0)
    .map(([bits, count]) => `${count}×${bits / 8}B`)
    .join(' ') || '0';

/** @type {Record<string, { note: string, columns: Column[] }>} */
const TABLES = {
  navi31: {
    note: [
      'Subgroups: how many a SIMD holds at once (occupancy), out of 32 as RADV counts them; VGPRs and bytes of LDS limit it.',
      'VALU counts instructions, including VOPD, which issue two operations at once; VMEM are global loads and stores. Loop bodies count once,',
      'whatever the trip count, except in the last two columns. Inverse throughput and latency are the compiler’s estimates in cycles: compare',
      'them only between versions of the same kernel. WMMA and dot4: instructions that multiply 16 × 16 f16 matrices or four 8-bit integers;',
      'LDS loads: in the same blocks, 16 bytes each; a matrix takes two.',
    ].join('\n'),
    columns: [
      ['VGPRs', (n) => n.vgprs],
      ['spilled V / S', (n) => `${n.spilledVgprs} / ${n.spilledSgprs}`],
      ['scratch', (n) => n.scratch],
      ['LDS', (n) => n.lds],
      ['subgroups', (n) => n.subgroupsPerSimd],
      ['instructions', (n) => n.instructions],
      ['VALU', (n) => n.valu],
      ['VOPD', (n) => n.vopd],
      ['SALU', (n) => n.salu],
      ['VMEM', (n) => n.vmem],
      ['SMEM', (n) => n.smem],
      ['WMMA', (n) => n.wmma || ''],
      ['dot4', (n) => n.dot4 || ''],
      ['LDS loads', (n) => (n.wmma + n.dot4 > 0 ? n.ldsLoads : '')],
      ['inverse throughput', (n) => n.inverseThroughput],
      ['latency', (n) => n.latency],
    ],
  },
  ga102: {
    note: [
      'SLM: bytes of local memory per thread, which are spills. Warps: how many a multiprocessor holds at once, out of 48, as limited by',
      'registers, shared memory and threads. Hot block: the basic block inside a loop with the most ffma; its ffma share is the ceiling on the',
      'share of FP32 peak, because a scheduler issues one instruction per cycle. Loop: all blocks of the innermost loop around it, each counted',
      'once. Shared loads by width: 16 bytes are one ld.shared.b128. Step: one iteration of the outermost loop around the hot block (attention:',
      'a whole step of keys), inner loops counted with their trip count; empty if that is not constant. Optional branches do not count:',
      'masks when there is nothing to mask, a row’s scale that does not rise, and of attention a product that a thread’s rows do not need.',
      'Dawn’s toggle disable_robustness is on, because NVK emulates bounds checks with branches.',
    ].join('\n'),
    columns: [
      ['GPRs', (n) => n.gprs],
      ['SLM', (n) => n.slm],
      ['shared', (n) => n.shared],
      ['threads', (n) => n.threads],
      ['warps', (n) => n.warpsPerSm],
      ['instructions', (n) => n.instructions],
      ['hot block', (n) => (n.hot_ffma > 0 ? n.hot_instructions : '')],
      ['ffma', (n) => n.hot_ffma || ''],
      ['share', (n) => percent(n.hot_ffma, n.hot_instructions)],
      ['shared loads', (n) => (n.hot_ffma > 0 ? sharedLoads(n, 'hot') : '')],
      ['global loads', (n) => (n.hot_ffma > 0 ? n.hot_ldg : '')],
      ['loop', (n) => (n.loop_ffma > 0 ? n.loop_instructions : '')],
      ['ffma in loop', (n) => n.loop_ffma || ''],
      ['share in loop', (n) => percent(n.loop_ffma, n.loop_instructions)],
      ['shared loads in loop', (n) => (n.loop_ffma > 0 ? sharedLoads(n, 'loop') : '')],
      ['global loads in loop', (n) => (n.loop_ffma > 0 ? n.loop_ldg : '')],
      ['step', (n) => n.step_instructions ?? ''],
      ['ffma in step', (n) => n.step_ffma || ''],
      ['share in step', (n) => percent(n.step_ffma, n.step_instructions)],
    ],
  },
};

/** @param {string} target @param {Row[]} rows */
export const table = (target, rows) => {
  const { columns } = TABLES[target];
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['shader', 'kernel', 'in', ...columns.map(([title]) => title)]),
    line(['---', '---', '---', ...columns.map(() => '---:')]),
    ...rows.map(({ shader, kernel, uses, numbers }) =>
      line([shader, kernel, usesText(uses), ...columns.map(([, cell]) => cell(numbers))]),
    ),
  ].join('\n');
};

/** @param {Row[]} rows */
export const sorted = (rows) => [...rows].sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));

/**
 * @param {string} target
 * @param {string} name
 * @param {import('./rows.mjs').Compiled} compiled
 */
export const markdown = (target, name, { adapter, rows, problems }) =>
  `# Kernels compiled for ${name}

Made by \`npm run bench:static\` without the card, with ${adapter.description}. Each row is one WGSL source; "in" lists the models and
tiers that use it. Tiers: f32; f16-storage (packed f16 weights, f32 arithmetic); shader-f16 (f16 weights, activations and tiles, sums in
f32); f32-weights-shader-f16; subgroup-matrix (shader-f16 on the GPU's matrix units); int8 (q8 weights, activations rounded to 8 bits).

${TABLES[target].note}

${problems.length > 0 ? `**Problems**\n\n${problems.map((text) => `- ${text}`).join('\n')}` : 'No spills, no scratch memory, no missing row.'}

${table(target, rows)}
`;
