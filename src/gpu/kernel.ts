import { UnsupportedModelError } from '../api/errors';
import type { Gpu } from './device';
import { adapterName } from './remembered';

/** A compiled compute shader. `bindings`: names from the WGSL source, in binding order. */
export interface Kernel {
  label: string;
  /** The WGSL that was compiled. */
  code: string;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  bindings: { name: string; binding: number }[];
}

/** What to compile: a shader's source and the values of its constants. */
export interface KernelSpec {
  label: string;
  source: string;
  constants: Constants;
}

export type Workgroups = [x: number, y?: number, z?: number];

/** One dispatch, ready to encode. */
export interface Dispatch {
  kernel: Kernel;
  bindGroup: GPUBindGroup;
  workgroups: Workgroups;
  /** Name in reports; default: the kernel's label. */
  label?: string;
  /** Useful floating-point operations, for reports. */
  flops?: number;
  /** All floating-point operations, including those on padding. */
  issuedFlops?: number;
}

export type Constants = Record<string, number | boolean | string>;

/**
 * Sets a shader's module constants by rewriting its lines `const NAME: T = …;` and `alias NAME = …;`, moves `enable` lines to the front and
 * unrolls loops. A shader is valid with its own values, so it needs no other templating. Throws a TypeError for a name that it does not declare.
 */
export function specialise(source: string, constants: Constants): string {
  let code = source;
  for (const [name, value] of Object.entries(constants)) {
    const declaration = new RegExp(`^(const ${name}: *\\w+ *=|alias ${name} *=)[^;]*;`, 'm');
    if (!declaration.test(code)) throw new TypeError(`The shader declares no constant or alias '${name}'.`);
    const literal =
      typeof value === 'number' && code.match(declaration)![1].includes(': f32') ? floatLiteral(value) : String(value);
    code = code.replace(declaration, `$1 ${literal};`);
  }
  // They must come first, and a source may be two files joined together.
  const enables = [/^alias \w+ *= *f16;/m.test(code) ? 'enable f16;\n' : '', ...(code.match(ENABLE) ?? [])];
  return enables.join('') + unroll(code.replace(ENABLE, ''));
}

const ENABLE = /^enable \w+;\n/gm;

const UNROLLED = /for \(var (\w+)_unroll = 0u; \w+ < (\w+); \w+\+\+\) \{/;

/**
 * Unrolls loops whose index is named `…_unroll`: completely if the loop ends at a literal, which makes the index a constant; otherwise UNROLL
 * steps at a time (the shader's constant, which must divide the trip count). Few drivers unroll loops this long, and the bookkeeping costs
 * up to a fifth of the FMA rate. Each step keeps its declarations in its own block. The loop counts by 1, because then WGSL's compiler can prove
 * that an index is inside its array (src/DESIGN.md).
 */
function unroll(code: string): string {
  const times = Number(/^const UNROLL: u32 = (\d+);/m.exec(code)?.[1] ?? 1);
  let written = '';
  let rest = code;
  for (let found = UNROLLED.exec(rest); found; found = UNROLLED.exec(rest)) {
    const [head, name, end] = found;
    const start = found.index + head.length;
    let depth = 1;
    let stop = start;
    for (; depth > 0; stop++) depth += rest[stop] === '{' ? 1 : rest[stop] === '}' ? -1 : 0;
    const body = rest.slice(start, stop - 1);
    const write = (steps: number, index: (step: number) => string) =>
      Array.from({ length: steps }, (_, i) => `{ ${index(i)};${body}}`).join('\n');
    const loop = /^\d/.test(end)
      ? write(Number(end), (i) => `const ${name}_unroll = ${i}u`)
      : times === 1
        ? rest.slice(found.index, stop)
        : `for (var ${name} = 0u; ${name} < ${end} / ${times}; ${name}++) {\n${write(times, (i) => `let ${name}_unroll = ${name} * ${times} + ${i}`)}\n}`;
    written += rest.slice(0, found.index) + loop;
    rest = rest.slice(stop);
  }
  return written + rest;
}

const floatLiteral = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

const BINDING = /@group\(0\) @binding\((\d+)\) var<(uniform|storage, read|storage, read_write)> (\w+)/g;
const BUFFER_TYPES: Record<string, GPUBufferBindingType> = {
  uniform: 'uniform',
  'storage, read': 'read-only-storage',
  'storage, read_write': 'storage',
};

/**
 * Compiles a kernel, asynchronously so that a model's kernels compile in parallel.
 * Throws UnsupportedModelError, with the compiler's messages, if the device rejects it; an error scope of the caller hears nothing of that.
 */
export async function createKernel(gpu: Gpu, { label, source, constants }: KernelSpec): Promise<Kernel> {
  const { device } = gpu;
  const code = specialise(source, constants);
  const declared = [...code.matchAll(BINDING)].map(([, binding, access, name]) => ({
    name,
    binding: Number(binding),
    type: BUFFER_TYPES[access],
  }));
  // The model's load has an error scope of its own, which must not get what is reported here.
  device.pushErrorScope('validation');
  const layout = device.createBindGroupLayout({
    label,
    entries: declared.map(({ binding, type }) => ({
      binding,
      visibility: GPU_SHADER_STAGE_COMPUTE,
      buffer: { type },
    })),
  });
  const module = device.createShaderModule({ label, code });
  const compiling = device.createComputePipelineAsync({
    label,
    layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  const invalid = device.popErrorScope().catch(() => null);
  try {
    return { label, code, pipeline: await compiling, layout, bindings: declared };
  } catch (cause) {
    const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
    const details = messages.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join('\n');
    const reason = details || (await invalid)?.message || cause;
    throw new UnsupportedModelError(
      `The kernel '${label}' does not compile on this device (${adapterName(gpu.info)}): ${reason}`,
      { cause },
    );
  }
}

const GPU_SHADER_STAGE_COMPUTE = 4;

/**
 * Binds buffers to a kernel by the names in its WGSL source; `gpu.none` is for bindings that a variant does not read.
 * Throws a TypeError if a buffer is missing.
 */
export function bind(gpu: Gpu, kernel: Kernel, buffers: Record<string, GPUBuffer | GPUBufferBinding>): GPUBindGroup {
  const entries = kernel.bindings.map(({ name, binding }) => {
    const given = buffers[name];
    if (!given) throw new TypeError(`Kernel '${kernel.label}': no buffer for binding '${name}'.`);
    return { binding, resource: 'buffer' in given ? given : { buffer: given } };
  });
  return gpu.device.createBindGroup({ label: kernel.label, layout: kernel.layout, entries });
}
