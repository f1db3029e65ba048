import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { covering, shaderVariants } from '../../bench/shaders/variants';
import { UnsupportedModelError } from '../api/errors';
import { type Gpu, guarded, openGpu } from '../gpu/device';
import { type Constants, createKernel } from '../gpu/kernel';
import { weightConstants } from './storage';

/**
 * Every shader file is complete and valid by itself, except those that are appended to gemm.wgsl, attention.wgsl or layer_norm.wgsl.
 * Dawn's null backend checks WGSL as the real backends do, and supports shader-f16. `npm run bench:shaders` compiles every variant.
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

/** Constants that a design cannot do without: the operands of int8 are integers. */
const needed = (name: string): Constants => (name === 'gemm_int8.wgsl' ? { a_t: 'u32', ...weightConstants('q8') } : {});

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

it('a selection of what they are specialised to is valid', async () => {
  const checked = covering(shaderVariants()).map(async ({ design, name, code }) => {
    const { messages } = await gpu.device.createShaderModule({ code }).getCompilationInfo();
    const errors = messages.filter(({ type }) => type === 'error').map(({ message }) => message);
    return { design, name, errors };
  });
  expect(checked.length).toBeGreaterThan(100);
  expect((await Promise.all(checked)).filter(({ errors }) => errors.length > 0)).toEqual([]);
});

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
      const error = await load({
        ...gpu,
        device,
        info: { vendor: '', architecture: '', device: '', description: '' },
      }).catch((e) => e);
      expect(error).toBeInstanceOf(UnsupportedModelError);
      expect(error.message).toMatch(/does not compile on this device \(unnamed\): .*nothing/s);
    }
  });
});
