import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { UnsupportedModelError } from '../api/errors';
import { type Gpu, guarded, openGpu } from '../gpu/device';
import { type Constants, createKernel } from '../gpu/kernel';
import { weightConstants } from './storage';

/**
 * Every shader file is complete and valid by itself, except those that are appended to gemm.wgsl, attention.wgsl or layer_norm.wgsl.
 * Dawn's null backend compiles WGSL as the real backends do, and supports shader-f16.
 */
const files = Object.entries(
  import.meta.glob<string>('./*.wgsl', { query: '?raw', import: 'default', eager: true }),
).map(([path, source]) => ({ name: path.replace('./', ''), source }));
const common = ['gemm', 'attention', 'layer_norm'].map((name) => ({
  name,
  source: files.find((file) => file.name === `${name}.wgsl`)!.source,
}));
const before = (file: string) => common.find(({ name }) => file.startsWith(`${name}_`))?.source ?? '';
const shaders = files
  .filter(({ source }) => !common.some((shared) => shared.source === source))
  .map(({ name, source }) => ({ name, source: before(name) + source }));

const F16: Constants = { a_t: 'f16', tile_t: 'f16', act_t: 'f16', out_t: 'f16', ...weightConstants('f16') };
/** Constants that a design cannot do without: the operands of int8 are integers. */
const needed = (name: string): Constants => (name === 'gemm_int8.wgsl' ? { a_t: 'u32', ...weightConstants('q8') } : {});
const ofSource = (source: string, constants: Constants): Constants =>
  Object.fromEntries(
    Object.entries(constants).filter(([name]) => new RegExp(`^(const|alias) ${name}\\b`, 'm').test(source)),
  );

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu(create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']));
});
afterAll(() => gpu.device.destroy());

/** Compiles a shader and returns the names of its bindings. Throws what validation reports. */
async function compile(source: string, constants: Constants): Promise<string[]> {
  gpu.device.pushErrorScope('validation');
  const kernel = createKernel(gpu, { label: 'shader', source, constants });
  const [compiled, error] = await Promise.all([kernel.catch((e: Error) => e), gpu.device.popErrorScope()]);
  if (compiled instanceof Error) throw compiled;
  if (error) throw new Error(error.message);
  return compiled.bindings.map(({ name }) => name);
}

it('finds the shaders and a device that compiles f16', () => {
  expect(shaders.length).toBeGreaterThanOrEqual(7);
  expect(gpu.hasF16).toBe(true);
});

it.each(shaders)('$name is valid with its own constants', async ({ name, source }) => {
  const declared = [...source.matchAll(/@group\(0\) @binding\(\d+\) var<[^>]*> (\w+)/g)].map(([, name]) => name);
  expect(declared.length).toBeGreaterThan(0);
  expect(declared.length).toBeLessThanOrEqual(8); // every device binds so many
  expect(await compile(source, needed(name))).toEqual(declared);
});

it.each(shaders.filter(({ source }) => /^alias \w+_t = f32;/m.test(source)))(
  '$name is valid in f16',
  async ({ name, source }) => {
    await compile(source, { ...ofSource(source, F16), ...needed(name) });
  },
);

it.each(shaders.filter(({ source }) => source.includes('const UNROLL:')))(
  '$name is valid with and without unrolled loops',
  async ({ name, source }) => {
    for (const UNROLL of [1, 8]) await compile(source, { ...needed(name), UNROLL });
  },
);

describe('a shader that does not compile', () => {
  const source = shaders[0].source.replace('@workgroup_size(', 'let x = nothing; @workgroup_size(');
  /** As a model's load compiles, inside an error scope. */
  const load = (on: Gpu) => guarded(on, () => createKernel(on, { label: 'shader', source, constants: {} }));

  it('is an UnsupportedModelError that names the line', async () => {
    const error = await load(gpu).catch((error) => error);
    expect(error).toBeInstanceOf(UnsupportedModelError);
    expect(error.message).toMatch(/does not compile on this device.*\d+:\d+ /s);
  });

  it('is one with the reason of WebGPU if the compiler says nothing or fails itself', async () => {
    for (const getCompilationInfo of [async () => ({ messages: [] }), () => Promise.reject(new Error('no'))]) {
      const device = new Proxy(gpu.device, {
        get(target, name) {
          if (name === 'createShaderModule')
            return (descriptor: GPUShaderModuleDescriptor) =>
              Object.assign(target.createShaderModule(descriptor), { getCompilationInfo });
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const error = await load({ ...gpu, device, info: { ...gpu.info, description: '', vendor: '' } }).catch((e) => e);
      expect(error).toBeInstanceOf(UnsupportedModelError);
      expect(error.message).toMatch(/does not compile on this device \(unnamed\): .*nothing/s);
    }
  });
});
