import { DeviceFaultError, UnsupportedModelError } from '../api/errors';
import type { ReplacedKernel } from '../api/types';
import type { GpuMemory } from '../gpu/buffers';
import { type Choice, untuned, without } from '../gpu/profile';
import { adapterName, adapterNames, type DeviceStore, hashOf, runtimeVersion } from '../gpu/remembered';
import type { AttentionSpec } from '../kernels/attention';
import { type Compile, createCompiler, kernelsOf } from '../kernels/compile';
import type { GemmPlan, GemmSpec } from '../kernels/gemm-spec';
import { createTuner, gemmPlan, measuredAttention, type Turn } from '../kernels/tune';
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
  /**
   * If the device has no plan yet for some of the encoder's kernels: measures them, stores the plans, and resolves to the encoder by them. Rejects
   * if that computes something wrong.
   */
  tuned?: (turn: Turn) => Promise<CompiledEncoder>;
}

const firstLoad = async () => (await import('./first-load')).firstLoad;

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
      return { encoder: compiled.encoder, heads: compiled.heads, replaced, tuned: compiled.tuned };
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

type PlanFor = (spec: GemmSpec) => Promise<GemmPlan | undefined>;

/** Compiles the encoder and the head; or returns what the device refused. */
async function compileAll(options: Options) {
  const { memory, model, head, store } = options;
  const { gpu } = memory;
  const usual = untuned(gpu.profile)!;
  const refused: Fault[] = [];
  const noting =
    (kernels: Kernels, compile: Compile, planFor?: PlanFor): Compile =>
    async (step) => {
      const kernel = step.label;
      const chosen: Chosen | undefined =
        'gemm' in step
          ? { kind: 'gemm', choice: (await planFor?.(step.gemm)) ? 'tuned' : usual }
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
  const tuner = gpu.profile.gemm[0] === 'tuned' ? createTuner(gpu, store) : undefined;
  const planFor: PlanFor | undefined =
    tuner && ((spec) => gemmPlan(tuner, gpu, spec, async (...args) => (await firstLoad()).tuneGemm(...args)));
  const attentionPlanFor =
    tuner && gpu.profile.attention[0] === 'workgroup'
      ? (spec: AttentionSpec) =>
          measuredAttention(tuner, gpu, spec, async (...args) => (await firstLoad()).tuneAttention(...args))
      : undefined;
  const kernel = kernelsOf(gpu);
  const compile = async () => {
    const kernels: Kernels = [];
    const compiler = createCompiler(gpu, planFor, kernel, attentionPlanFor);
    const encoder = await compileEncoder(model, noting(kernels, compiler, planFor));
    return { encoder, kernels };
  };
  let isLoaded = false;
  const ofHeads: Kernels = [];
  /** Heads that a call asks for later have nothing safer to be replaced by: the encoder is compiled. */
  const checkLater = async () => {
    if (isLoaded) await expectRight(ofHeads.splice(0), options);
  };
  const heads = new HeadRunner(memory, model, noting(ofHeads, createCompiler(gpu)), checkLater);
  const [compiled, prepared] = await Promise.allSettled([
    compile(),
    Promise.resolve(head).then((own) => heads.prepare(own)),
  ]);
  for (const result of [compiled, prepared]) {
    if (result.status === 'rejected' && !(result.reason instanceof UnsupportedModelError && refused.length > 0)) {
      throw result.reason;
    }
  }
  if (compiled.status === 'rejected' || prepared.status === 'rejected') return { refused };
  const { encoder, kernels } = compiled.value;
  const ofHead = ofHeads.splice(0);
  const loaded = () => {
    isLoaded = true;
  };
  const inUse = [...kernels, ...ofHead];
  const tuned = async (turn: Turn) => {
    // The head's are part of what is remembered as right: the next load looks for all of them.
    const check = (own: Kernels, find: Find) => expectRight([...own, ...ofHead], options, find);
    return (await firstLoad()).retune({ turn, tuner: tuner!, kernel, compile, inUse, check });
  };
  return { encoder, heads, kernels: inUse, loaded, refused: undefined, tuned: tuner?.missing.size ? tuned : undefined };
}

/** What finds the kernels that are wrong, and how. */
type Find = Awaited<ReturnType<typeof firstLoad>>['findWrong'];

const findNow: Find = async (...args) => (await firstLoad()).findWrong(...args);

/** Throws a DeviceFaultError if one of the kernels is wrong. */
async function expectRight(kernels: Kernels, options: Options, find?: Find): Promise<void> {
  const [fault] = await faultsOf(kernels, options, find);
  if (fault) throw faultError(adapterName(options.memory.gpu.info), fault);
}

/** What is wrong with these kernels: as remembered from an earlier load of the same kernels on the same device, or by a check. */
async function faultsOf(kernels: Kernels, { memory, store, selfCheck }: Options, find = findNow): Promise<Fault[]> {
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
  const wrong = await find(memory, distinct);
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
