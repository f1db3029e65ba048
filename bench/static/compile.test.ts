import { expect, test } from 'vitest';
import {
  hotLoop,
  hotLoopListing,
  leastTurn,
  loopsOf,
  mixOf,
  nakFaults,
  parseBlocks,
  parseNak,
  tripsOf,
  warpsPerSm,
} from './nak.mjs';
import { parseRadv, radvFaults } from './radv.mjs';
import { missingRows, rowsOf, usesText } from './rows.mjs';
import { TARGETS } from './targets.mjs';

// Output of NAK_DEBUG=print: a loop 1 → 2 → 3 → 1 in which block 2 loops on itself, and an epilogue with more FMAs than the loop.
const NAK = `shared_size: 8704
workgroup_size: 64, 1, 1
NAK IR:
block 0 L0 [] -> {
        %r1 = ffma %r2 %r3 %r4
} -> []
NAK IR after calc_instr_deps:
block.u 0 L3 [] -> {
      r131      = s2r sr[0x21]                                      // delay=6 wr:0
      r1..5     = ld.global.a64.constant.b128 [r2..4]               // delay=1 rd:0 wr:3
} -> [1]
block 1 L2 [0, 3] -> {
      r9        = ld.global.a64.constant.b32 [r2..4]                // delay=1
                  st.shared.strong.cta.b128 [r137+0x1100] r144..148 // delay=4 rd:0
                  bar.sync                                          // delay=6
@!p0              bra L5                                            // delay=1
} -> [2, 4]
block 2 L7 [1, 2] -> {
      r4..8     = ld.shared.strong.cta.b128 [r1]                    // delay=1 rd:0 wr:1
@p1   r6..8     = ld.shared.strong.cta.b64 [r1+0x20]                // delay=1
      r8        = ld.shared.strong.cta.b32 [r1]                     // delay=1
      r61       = ffma.ftz r4 r12 r127                              // delay=1 wt=000011
@p1   r62       = ffma r4 r13 r128                                  // delay=1
      r63       = fadd.ftz r4 r13                                   // delay=1
@p2               bra L7                                            // delay=1
} -> [2, 3]
block 3 L8 [2] -> {
                  bra L2                                            // delay=1
} -> [1]
block 4 L5 [1] -> {
      r61       = ffma.ftz r4 r12 r127                              // delay=1
      r61       = ffma.ftz r4 r12 r127                              // delay=1
      r61       = ffma.ftz r4 r12 r127                              // delay=1
                  st.global.a64.strong.sys.b128 [r2..4] r4..8       // delay=1
} -> []

Instruction count: 23
Num GPRs: 159
SLM size: 0
`;

test('NAK: the hot block is inside a loop, with its mix, and the loop is the innermost one', () => {
  const row = parseNak(NAK);
  expect(row).toMatchObject({
    gprs: 159,
    slm: 0,
    instructions: 23,
    shared: 8704,
    threads: 64,
    hot_instructions: 7,
    hot_ffma: 2,
    hot_lds128: 1,
    hot_lds64: 1,
    hot_lds32: 1,
    hot_ldg: 0,
    loop_blocks: 1,
    loop_instructions: 7,
  });
  const blocks = parseBlocks(NAK);
  expect(blocks.map(({ to }) => to)).toEqual([[1], [2, 4], [2, 3], [1], []]);
  expect(hotLoop(blocks)?.block.index).toBe(2);
  expect(mixOf(blocks[1].lines)).toMatchObject({ ldg: 1, sts: 1, bar: 1, ffma: 0 });
  expect(hotLoopListing(NAK)).toMatch(/^block 2 \(hot\).*7 instructions, 2 ffma\n.*ld\.shared/);
});

test('NAK: without the inner loop, the outer one counts with all its blocks', () => {
  const outer = NAK.replace('L7 [1, 2]', 'L7 [1]').replace('} -> [2, 3]', '} -> [3]');
  expect(parseNak(outer)).toMatchObject({ loop_blocks: 3, loop_instructions: 12, loop_ffma: 2, loop_ldg: 1 });
});

test('NAK: what is missing is named', () => {
  expect(parseNak(NAK.replace('Num GPRs: 159', ''))).toBe('NAK printed no gprs');
  expect(parseNak(NAK.replace(/NAK IR after[\s\S]*?Instruction/, 'Instruction'))).toMatch(/calc_instr_deps/);
  expect(nakFaults({ slm: 16 })).toEqual(['16 bytes of local memory (spills)']);
});

test('warps per multiprocessor are limited by registers, shared memory, threads and workgroups', () => {
  expect(warpsPerSm({ gprs: 128, shared: 0, threads: 128 })).toBe(16);
  expect(warpsPerSm({ gprs: 16, shared: 32 * 1024, threads: 128 })).toBe(12);
  expect(warpsPerSm({ gprs: 16, shared: 0, threads: 1024 })).toBe(32);
  expect(warpsPerSm({ gprs: 16, shared: 0, threads: 32 })).toBe(16);
});

const RADV = `*** SHADER STATS ***
SGPRs: 128
VGPRs: 96
Spilled SGPRs: 0
Spilled VGPRs: 3
LDS size: 8704
Scratch size: 256
Subgroups per SIMD: 8
Instructions: 550
Latency: 25789
Inverse Throughput: 6476
VALU: 359
SALU: 60
VMEM: 26
SMEM: 4
VOPD: 2
`;

test('RADV: numbers, spills, and what is missing', () => {
  const row = parseRadv(RADV);
  expect(row).toMatchObject({ vgprs: 96, spilledVgprs: 3, spilledSgprs: 0, lds: 8704, scratch: 256, vopd: 2 });
  if (typeof row === 'string') throw new Error(row);
  expect(radvFaults(row)).toEqual(['3 spilled VGPRs', '256 bytes of scratch']);
  expect(parseRadv(RADV.replace('Scratch size: 256\n', ''))).toBe("RADV printed no 'Scratch size'");
});

test('RADV: matrix and integer products, with the loads in the same blocks only', () => {
  const listing = `BB0:
\tds_load_b128 v[1:4], v5                                      ; d8dc0000
BB1:
\tds_load_b128 v[1:4], v5                                      ; d8dc0000
\tds_load_b128 v[6:9], v5 offset:16                            ; d8dc0000
\tv_wmma_f32_16x16x16_f16 v[1:8], v[9:16], v[17:24], v[1:8]    ; cc404001
BB2:
\tv_dot4_i32_iu8 v1, v2, v3, v1 neg_lo:[1,1,0]                 ; cc164001
\ts_cbranch_scc0 BB1                                           ; bfa1fff0
`;
  expect(parseRadv(listing + RADV)).toMatchObject({ wmma: 1, dot4: 1, ldsLoads: 2 });
  expect(parseRadv(RADV)).toMatchObject({ wmma: 0, dot4: 0, ldsLoads: 0 });
});

const mark = (kind: string, model: string, tier: string, source = 's0') =>
  `@@${kind} ${JSON.stringify({ shader: 'gemm', kernel: 'Wqkv', model, tier, source })}\n`;

test('rows: equal sources share one; spills, an interrupted run and a missing row are problems', () => {
  const clean = RADV.replace('Spilled VGPRs: 3', 'Spilled VGPRs: 0').replace('Scratch size: 256', 'Scratch size: 0');
  const run = (stats: string, end: string) =>
    rowsOf(
      `@@adapter {}\n${mark('pipeline', 'base', 'f32')}${stats}${mark('end', 'base', 'f32')}${mark('same', 'large', 'f32')}${end}`,
      TARGETS.navi31,
    );
  const good = run(clean, '@@done {}\n');
  expect(good.problems).toEqual([]);
  expect(good.rows).toHaveLength(1);
  expect(usesText(good.rows[0].uses)).toBe('base, large: f32');
  expect(run(RADV, '@@done {}\n').problems).toEqual([
    "gemm 'Wqkv' (base, large: f32): 3 spilled VGPRs",
    "gemm 'Wqkv' (base, large: f32): 256 bytes of scratch",
  ]);
  expect(run(clean, '').problems).toEqual(['compiling stopped before the last pipeline']);
  expect(run('', '@@done {}\n').problems[0]).toMatch(/no row, RADV printed no/);
  const expected = { shaders: ['gemm', 'pool'], models: ['base', 'large'], tiers: ['f32'] };
  expect(missingRows(good.rows, expected)).toEqual([
    'pool.wgsl: no row for base, f32',
    'pool.wgsl: no row for large, f32',
  ]);
  const special = { shaders: ['gemm_matrix', 'gemm_split_k'], models: ['base'], tiers: ['f32', 'subgroup-matrix'] };
  expect(missingRows([], special)).toEqual([
    'gemm_matrix.wgsl: no row for base, subgroup-matrix',
    'gemm_split_k.wgsl: no row for base, f32',
  ]);
});

test('NAK: an iteration of the outermost loop, the inner loop with its trip count and an optional branch skipped', () => {
  const step = `NAK IR after calc_instr_deps:
block 0 L0 [] -> {
      r9        = mov rZ                                            // delay=1
} -> [1]
block 1 L1 [0, 5] -> {
      r8        = fadd r8 r8                                        // delay=1
} -> [2, 6]
block 2 L2 [1, 2] -> {
      r61       = ffma.ftz r4 r12 r127                              // delay=1
      r9        = iadd3 r9 0x10 rZ                                  // delay=1
      p4        = isetp.ge.u32 r9 0x40                              // delay=13
@!p4              bra L2                                            // delay=1
} -> [2, 3]
block 3 L3 [2] -> {
@p1               bra L5                                            // delay=1
} -> [4, 5]
block 4 L4 [3] -> {
      r8        = fadd r8 r8                                        // delay=1
      r8        = fadd r8 r8                                        // delay=1
} -> [5]
block 5 L5 [3, 4] -> {
                  bra L1                                            // delay=1
} -> [1]
block 6 L6 [1] -> {
} -> []
`;
  const loops = loopsOf(parseBlocks(step));
  expect(tripsOf(loops[0])).toBe(4);
  const [, inner] = parseBlocks(step).slice(1);
  const hot = loops[0].blocks.find(({ index }) => index === inner.index)!;
  expect(leastTurn(loops[1], loops, hot)).toEqual({ instructions: 1 + 4 * 4 + 1 + 1, ffma: 4 });
  const unknown = loopsOf(parseBlocks(step.replace('r9 0x40', 'r9 r10')));
  expect(leastTurn(unknown[1], unknown, unknown[0].blocks[0]).instructions).toBeNaN();
});
