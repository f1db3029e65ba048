// What Tint makes of every kernel, by Dawn's toggle dump_shaders. On Vulkan only arrays in workgroup memory and the like are clamped: drivers
// check storage buffers themselves.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../tools/bundle.mjs';
import { clampsIn, dumpsIn } from './clamps';
import { covering, shaderVariants } from './variants';

/** The loops around each clamp of each source that compiles. */
async function clampsOf(sources: { name: string; code: string }[]): Promise<Map<string, number[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'clamps-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sources.json');
  writeFileSync(file, JSON.stringify(sources));
  const args = [join(ROOT, 'tools/compile-wgsl.mjs'), file, 'enable-dawn-features=dump_shaders,allow_unsafe_apis'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 28 });
  return new Map(Array.from(dumpsIn(stdout), ([name, spirv]) => [name, clampsIn(spirv)]));
}

const inLoops = (clamps: number[] = []) => clamps.filter((loops) => loops > 0).length;

describe('bounds checks', () => {
  it('are found: in a loop, in a function that a loop calls, and outside', async () => {
    const shader = (body: string, more = '') => `var<workgroup> t: array<f32, 256>;
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
${more}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) thread: u32) {
  t[thread] = 1.0;
  workgroupBarrier();
  var sum = 0.0;
  ${body}
  out[thread] = sum;
}`;
    const clamps = await clampsOf([
      { name: 'none', code: shader('for (var k = 0u; k < 4; k++) { sum += t[k * 64 + thread]; }') },
      { name: 'running', code: shader('var at = thread; for (var k = 0u; k < 4; k++) { sum += t[at]; at += 64; }') },
      {
        name: 'called',
        code: shader(
          'for (var k = 0u; k < 2; k++) { for (var j = 0u; j < 2; j++) { sum += at(k + j); } }',
          'fn at(i: u32) -> f32 { return t[i]; }',
        ),
      },
      { name: 'outside', code: shader('sum = t[u32(out[0])];') },
      { name: 'refused', code: shader('sum = 1u;') },
    ]);
    expect(Object.fromEntries(clamps)).toEqual({ none: [], running: [1], called: [2], outside: [0] });
  });

  it('are in no loop of any kernel', { timeout: 600_000 }, async () => {
    const variants = covering(shaderVariants()).filter(({ shader }) => !shader.startsWith('gemm_matrix')); // lavapipe has no matrices
    const sources = variants.map(({ design, name, code }) => ({ name: `${design}, ${name}`, code }));
    const clamps = await clampsOf(sources);
    expect(clamps.size).toBeGreaterThan(sources.length - 5); // what needs more workgroup memory than this device has
    expect(Array.from(clamps, ([name, found]) => [name, inLoops(found)]).filter(([, count]) => count !== 0)).toEqual(
      [],
    );
  });
});
