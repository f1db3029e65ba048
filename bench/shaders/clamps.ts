/** Bounds checks in compiled shaders: WGSL's compiler (Tint) clamps an index with UMin where it cannot prove it to be inside the array. */

interface SpirvFunction {
  /** For each clamp, how many loops of the function it is in. */
  clamps: number[];
  calls: { name: string; loops: number }[];
}

/** `%12 = OpLabel`: result, instruction, operands. */
const INSTRUCTION = /^\s*(?:(%\S+) = )?(Op\w+)\s*(.*)$/;

/**
 * How many loops each clamp of a shader is in, loops around calls included. A clamp is a UMin whose result is an index. `spirv`: as text, with
 * structured control flow, in which the blocks of a loop come before its merge block. Throws an Error if it has no entry point.
 */
export function clampsIn(spirv: string): number[] {
  const functions = new Map<string, SpirvFunction>();
  let entry: string | undefined;
  let current: SpirvFunction = { clamps: [], calls: [] };
  let minima = new Map<string, number>();
  let open: string[] = []; // merge blocks of the loops around this line
  for (const line of spirv.split('\n')) {
    const [, result, instruction, rest = ''] = INSTRUCTION.exec(line) ?? [];
    const operands = rest.split(/\s+/);
    if (instruction === 'OpEntryPoint') entry = operands[1];
    if (instruction === 'OpFunction') {
      current = { clamps: [], calls: [] };
      functions.set(result, current);
      minima = new Map();
      open = [];
    }
    if (instruction === 'OpLabel' && open.includes(result)) open = open.slice(0, open.indexOf(result));
    if (instruction === 'OpLoopMerge') open.push(operands[0]);
    if (instruction === 'OpExtInst' && operands[2] === 'UMin') minima.set(result, open.length);
    if (instruction === 'OpAccessChain' || instruction === 'OpVectorExtractDynamic') {
      for (const index of operands.slice(2)) {
        const loops = minima.get(index);
        if (loops !== undefined) current.clamps.push(loops);
      }
    }
    if (instruction === 'OpFunctionCall') current.calls.push({ name: operands[1], loops: open.length });
  }
  const inside = (name: string, loops: number): number[] => {
    const { clamps, calls } = functions.get(name)!;
    return [...clamps.map((own) => own + loops), ...calls.flatMap((call) => inside(call.name, call.loops + loops))];
  };
  if (entry === undefined) throw new Error('The SPIR-V has no entry point.');
  return inside(entry, 0);
}

/**
 * The SPIR-V of each source by its name, from what compile-wgsl.mjs prints with Dawn's toggle dump_shaders: before the line of a source comes
 * its dump. Sources that were refused are left out.
 */
export function dumpsIn(output: string): Map<string, string> {
  const dumps = new Map<string, string>();
  let dump: string | undefined;
  for (const part of output.split(/^(?=; SPIR-V$|\{"name":)/m)) {
    if (part.startsWith('; SPIR-V')) dump = part;
    if (!part.startsWith('{')) continue;
    const { name, error, lacks } = JSON.parse(part.slice(0, part.search(/\n|$/)));
    if (!error && !lacks && dump !== undefined) dumps.set(name, dump);
    dump = undefined;
  }
  return dumps;
}
