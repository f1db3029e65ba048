import { DeviceFaultError, UnsupportedModelError } from '../api/errors';
import type { ReplacedKernel } from '../api/types';
import type { GpuMemory } from '../gpu/buffers';
import { type Choice, type GemmChoice, untuned, without } from '../gpu/profile';
import { adapterName, adapterNames, type DeviceStore, hashOf, runtimeVersion } from '../gpu/remembered';
import { type Compile, createCompiler } from '../kernels/compile';
import type { tuneGemm } from '../kernels/measure';
import { createTuner } from '../kernels/tune';
import type { Encoder } from '../model/family';
import type { Head } from '../model/heads/head';
import type { LoadedModel } from '../model/model';
import { HeadRunner } from './head-runner';
import { type CompiledEncoder, compileEncoder } from './runtime';
import type { Checkable } from './self-check';

interface Options {
  memory: GpuMemory;
  model: LoadedModel;
  /** Makes the encoder's steps for the profile as it is. */
  forward(): Encoder;
  /** The head to compile. */
  head: Head | Promise<Head>;
  store: DeviceStore | undefined;
  /** Whether to run the kernels; those that the device refuses are replaced in any case. */
  selfCheck: boolean;
}

export interface CheckedModel {
  encoder: CompiledEncoder;
  heads: HeadRunner;
  replaced: ReplacedKernel[];
}

/** Finds the fastest tiles of a GEMM. */
const measure: typeof tuneGemm = async (...args) => (await import('./first-load')).firstLoad.tuneGemm(...args);

/** What the profile chose for a kernel, if it has a choice. */
interface Chosen {
  kind: 'gemm' | 'attention';
  choice: Choice;
}

/** A kernel that is wrong on this device, or that the device refuses. */
interface Fault {
  kernel: string;
  chosen?: Chosen;
  reason: string;
  /** What compiling it threw, if the device refuses it. */
  error?: UnsupportedModelError;
}

/**
 * Compiles a model's kernels and checks that they compute what they should on this device. While one of them does not, the profile of the device
 * loses the choice that it was made by, and all is done again with the next one; `model.encoder` follows.
 * If there is nothing else to choose, it throws a DeviceFaultError, or the UnsupportedModelError of a kernel that the device refuses.
 */
export async function compileChecked(options: Options): Promise<CheckedModel> {
  const { gpu } = options.memory;
  const replaced: ReplacedKernel[] = [];
  for (;;) {
    const compiled = await compileAll(options);
    const faults = compiled.refused ?? (await faultsOf(compiled.kernels, options));
    if (!compiled.refused && faults.length === 0) {
      compiled.loaded();
      if (replaced.length > 0) console.warn(warning(adapterName(gpu.info), replaced));
      return { encoder: compiled.encoder, heads: compiled.heads, replaced };
    }
    for (const fault of faults) {
      const { kernel, chosen, reason } = fault;
      const safer = chosen && without(gpu.profile, chosen.kind, chosen.choice);
      if (!safer) throw fault.error ?? faultError(adapterName(gpu.info), fault);
      gpu.profile = safer;
      replaced.push({ kernel, design: chosen.choice, reason });
    }
    options.model.encoder = options.forward();
  }
}

type Kernels = (Checkable & Pick<Fault, 'kernel' | 'chosen'>)[];

/** Compiles the encoder and the head; or returns what the device refused. */
async function compileAll(options: Options) {
  const { memory, model, head, store } = options;
  const { gpu } = memory;
  const kernels: Kernels = [];
  const refused: Fault[] = [];
  const noting =
    (compile: Compile, gemm: GemmChoice): Compile =>
    async (step) => {
      const kernel = step.label;
      const chosen: Chosen | undefined =
        'gemm' in step
          ? { kind: 'gemm', choice: gemm }
          : 'attention' in step
            ? { kind: 'attention', choice: gpu.profile.attention[0] }
            : undefined;
      try {
        const compiled = await compile(step);
        kernels.push({ compiled: compiled as Checkable['compiled'], compile, kernel, chosen });
        return compiled;
      } catch (error) {
        if (error instanceof UnsupportedModelError) refused.push({ kernel, chosen, reason: error.message, error });
        throw error;
      }
    };
  const [best] = gpu.profile.gemm;
  const usual = untuned(gpu.profile)!;
  const tuned = createCompiler(gpu, best === 'tuned' ? createTuner(gpu, store, measure) : undefined);
  let isLoaded = false;
  /** Heads that a call asks for later have nothing safer to be replaced by: the encoder is compiled. */
  const checkLater = async () => {
    const [fault] = isLoaded ? await faultsOf(kernels.splice(0), options) : [];
    if (fault) throw faultError(adapterName(gpu.info), fault);
  };
  const heads = new HeadRunner(memory, model, noting(createCompiler(gpu), usual), checkLater);
  const [encoder, prepared] = await Promise.allSettled([
    compileEncoder(model, noting(tuned, best)),
    Promise.resolve(head).then((own) => heads.prepare(own)),
  ]);
  for (const result of [encoder, prepared]) {
    if (result.status === 'rejected' && !(result.reason instanceof UnsupportedModelError && refused.length > 0)) {
      throw result.reason;
    }
  }
  if (encoder.status === 'rejected' || prepared.status === 'rejected') return { refused };
  const loaded = () => {
    isLoaded = true;
    kernels.length = 0;
  };
  return { encoder: encoder.value, heads, kernels, loaded, refused: undefined };
}

/** What is wrong with these kernels: as remembered from an earlier load of the same kernels on the same device, or by a check. */
async function faultsOf(kernels: Kernels, { memory, store, selfCheck }: Options): Promise<Fault[]> {
  const { profile, info } = memory.gpu;
  if (!selfCheck) return [];
  const seen = new Set<unknown>();
  const distinct = kernels.filter(({ compiled: { variants } }) => {
    const isNew = variants.some(({ kernel }) => !seen.has(kernel)); // plans may differ in any of theirs
    for (const { kernel } of variants) seen.add(kernel);
    return isNew;
  });
  const names = adapterNames(info);
  const key = names && JSON.stringify(['self-check', names, runtimeVersion(), hashOf(codeOf(distinct))]);
  const known = key && (await store?.get(key).catch(() => undefined));
  // A stored value may come from any version.
  const isKnown = (value: unknown): value is { kernel: string; reason: string }[] =>
    Array.isArray(value) && value.every((fault) => kernels.some(({ kernel }) => kernel === fault?.kernel));
  if (isKnown(known)) {
    return known.map(({ kernel, reason }) => ({ ...kernels.find((one) => one.kernel === kernel)!, reason }));
  }
  const { firstLoad } = await import('./first-load');
  const wrong = await firstLoad.findWrong(memory, distinct);
  const faults = Array.from(wrong, ([{ kernel, chosen }, reason]): Fault => ({ kernel, chosen, reason }));
  // A fault that nothing can be done about is looked for again: the driver may be another by then.
  if (key && faults.every(({ chosen }) => chosen && without(profile, chosen.kind, chosen.choice))) {
    await store
      ?.set(
        key,
        faults.map(({ kernel, reason }) => ({ kernel, reason })),
      )
      .catch(() => {});
  }
  return faults;
}

/** In an order that does not depend on which kernel was compiled first. */
const codeOf = (kernels: Kernels): string =>
  kernels
    .flatMap(({ compiled }) => compiled.variants.map(({ upTo, kernel }) => `${upTo} ${kernel.code}`))
    .sort()
    .join('\n');

const named = ({ kernel, design, reason }: ReplacedKernel): string => `'${kernel}' in design '${design}' (${reason})`;

const warning = (adapter: string, replaced: ReplacedKernel[]): string =>
  `modernbert-webgpu: kernels do not work on this device (${adapter}) and were replaced, which may be slower: ` +
  `${replaced.map(named).join('; ')}. A newer graphics driver may help.`;

const faultError = (adapter: string, { kernel, chosen, reason }: Fault): DeviceFaultError =>
  new DeviceFaultError(
    `The kernel '${kernel}'${chosen ? ` in design '${chosen.choice}', the safest,` : ''} does not work on this device (${adapter}): ${reason}. ` +
      "Update the graphics driver and the browser, or try profile: 'minimal'; please report this message.",
  );
