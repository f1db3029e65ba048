import type { Gpu } from '../gpu/device';
import { bind, createKernel, type Dispatch, type Kernel, type KernelSpec } from '../gpu/kernel';
import { createGemm, defaultPlan, gemmDispatch } from './gemm';
import type { GemmPlan, GemmSpec, GemmTile } from './gemm-spec';
import type { Operand, Slot, Step } from './step';

/** A step with its kernels. `dispatch` takes the buffers of its slots: another function once one of them is another. */
export interface CompiledStep<S> {
  step: Step<S>;
  /** A GEMM has one kernel per entry of its plan. */
  variants: { upTo?: number; tile?: GemmTile; kernel: Kernel }[];
  dispatch(sizes: S, bufferOf: (slot: Slot) => GPUBuffer): Dispatch;
}

export type Compile = <S>(step: Step<S>) => Promise<CompiledStep<S>>;

/** Compiles kernels, equal ones only once. */
export const kernelsOf = (gpu: Gpu) => once((spec: KernelSpec) => createKernel(gpu, spec));

/**
 * Compiles steps for a device, equal kernels only once, by `kernel`. `planFor` returns the plan of a GEMM, or undefined for the default one.
 */
export function createCompiler(
  gpu: Gpu,
  planFor: (spec: GemmSpec) => Promise<GemmPlan | undefined> = async () => undefined,
  kernel = kernelsOf(gpu),
): Compile {
  const gemm = once(async (spec: GemmSpec) =>
    createGemm(gpu, spec, (await planFor(spec)) ?? defaultPlan(gpu, spec), kernel),
  );
  return async <S>(step: Step<S>): Promise<CompiledStep<S>> => {
    const { label } = step;
    if ('gemm' in step) {
      const compiled = await gemm(step.gemm);
      const bindings = createBindings(gpu, step, compiled.variants[0].kernel);
      return {
        step,
        variants: compiled.variants,
        dispatch(sizes, bufferOf) {
          const flops = step.flops?.(sizes);
          const { issuedFlops, ...launch } = gemmDispatch(compiled, step.rows(sizes));
          return { label, ...launch, bindGroup: bindings(sizes, bufferOf), flops, issuedFlops: flops && issuedFlops };
        },
      };
    }
    const compiled = await kernel(step.kernel);
    const bindings = createBindings(gpu, step, compiled);
    return {
      step,
      variants: [{ kernel: compiled }],
      dispatch: (sizes, bufferOf) => ({
        label,
        kernel: compiled,
        bindGroup: bindings(sizes, bufferOf),
        workgroups: step.workgroups(sizes),
        flops: step.flops?.(sizes),
        issuedFlops: step.issuedFlops?.(sizes),
      }),
    };
  };
}

/** Memoizes `make` by the JSON of its argument. */
function once<T, R>(make: (value: T) => Promise<R>): (value: T) => Promise<R> {
  const known = new Map<string, Promise<R>>();
  return (value) => {
    const key = JSON.stringify(value);
    const made = known.get(key) ?? make(value);
    known.set(key, made);
    return made;
  };
}

/** How many bind groups a step caches: heads bind a different part of the row lists for every chunk. */
const MOST_KEPT = 8;

/**
 * Returns a function that returns the bind group for the current buffers. Creating one costs much more than finding it in the cache, and finding it
 * more than seeing that `bufferOf` is still the same.
 */
function createBindings<S>(gpu: Gpu, { buffers }: Step<S>, kernel: Kernel) {
  const kept: { resources: GPUBufferBinding[]; group: GPUBindGroup }[] = [];
  const operands = kernel.bindings.map(({ name }) => {
    if (!(name in buffers)) throw new TypeError(`Kernel '${kernel.label}': no buffer for binding '${name}'.`);
    return buffers[name];
  });
  const hasParts = operands.some((operand) => operand && 'of' in operand);
  let last: (typeof kept)[number];
  let boundOf: unknown;
  return (sizes: S, bufferOf: (slot: Slot) => GPUBuffer): GPUBindGroup => {
    if (boundOf === bufferOf && !hasParts) return last.group;
    const resources = operands.map((operand) => resourceOf(operand, sizes, bufferOf, gpu.none));
    const found = kept.find((entry) => entry.resources.every((resource, i) => isSame(resource, resources[i])));
    if (found) last = found;
    else {
      const named = Object.fromEntries(kernel.bindings.map(({ name }, i) => [name, resources[i]]));
      last = { resources, group: bind(gpu, kernel, named) };
      kept.push(last);
      if (kept.length > MOST_KEPT) kept.shift();
    }
    boundOf = bufferOf;
    return last.group;
  };
}

function resourceOf<S>(
  operand: Operand<S>,
  sizes: S,
  bufferOf: (slot: Slot) => GPUBuffer,
  none: GPUBuffer,
): GPUBufferBinding {
  if (operand === undefined) return { buffer: none };
  if ('of' in operand) return { ...resourceOf(operand.of, sizes, bufferOf, none), ...operand.range(sizes) };
  return { buffer: 'per' in operand ? bufferOf(operand) : operand };
}

const isSame = (a: GPUBufferBinding, b: GPUBufferBinding): boolean =>
  a.buffer === b.buffer && a.offset === b.offset && a.size === b.size;
