// npm run bench -- --compare: other encoders beside ModernBERT, as in table 2 of its paper (arXiv 2412.13663).
import type { ProfileName } from '../src/api/types';
import { openGpu } from '../src/gpu/device';
import { isSoftware } from '../src/gpu/profile';
import { loadRuntime } from '../src/session/load-runtime';
import { type Architecture, CLASSES, shortened } from './architectures';
import { type Case, TIERS, type TierName } from './cases';
import type { ComparedModel, Comparison } from './compare-report';
import { copyPeak, fmaPeak } from './peaks';
import { parameters, randomCheckpoint } from './random-encoder';
import { type Measured, measureSets, setsOf, tokensToRun } from './sets';
import { type Step, tokenSteps } from './steps';

export interface CompareOptions {
  gpu: GPU | undefined;
  /** Each class's ModernBERT before the others of it. */
  architectures: Architecture[];
  /** Layers of each model that run; default all, on software adapters 3. */
  layers?: number;
  cases: Case[];
  tier?: TierName;
  tokens?: number;
  repeats?: number;
  profile?: ProfileName;
  log(line: string): void;
  onStep?(step: Step): void;
  /** Called with all results so far, whenever there are more. */
  onResult?(results: Comparison): void;
}

/** Most tokens of a set on a card; on software adapters one of the longest documents, and not fewer than SOFTWARE_TOKENS. */
const CARD_TOKENS = 32768;
const SOFTWARE_TOKENS = 2048;
const SOFTWARE_LAYERS = 3;

/** Measures the architectures, class by class, the models of a class in turns. A model that does not load is listed with the reason. */
export async function compareArchitectures(options: CompareOptions): Promise<Comparison> {
  const { gpu, profile: name, log, onStep = () => {} } = options;
  const opened = await openGpu(gpu, name && { name });
  const { device, info } = opened;
  const onCpu = isSoftware(info);
  const features = [...device.features].sort();
  device.destroy();
  const layers = options.layers ?? (onCpu ? SOFTWARE_LAYERS : undefined);
  const sets = options.cases.filter(({ kind }) => kind !== 'query');
  const tier = TIERS.find((known) => known.name === (options.tier ?? 'f16-storage'))!;
  const all: Comparison = {
    adapter: info.device || `${info.vendor} ${info.architecture}`.trim(),
    driver: info.description,
    features,
    profile: opened.profile.name,
    tier: tier.name,
    layers,
    peaks: { fma_gflops: 0, copy_gb_s: 0 },
    models: [],
    sets: [],
  };
  const found = () => {
    for (const set of all.sets) set.peak_share = set.gflops / all.peaks.fma_gflops;
    options.onResult?.(all);
  };
  log(`${all.adapter} (${all.driver || 'driver unknown'}), profile ${all.profile}, tier ${tier.name}`);
  for (const group of CLASSES) {
    const members = options.architectures.filter((architecture) => architecture.class === group);
    if (members.length === 0) continue;
    const models: Measured[] = [];
    try {
      for (const [done, architecture] of members.entries()) {
        onStep({ what: 'Making random weights', done, total: members.length, unit: 'model' });
        const { measured, model } = await load(architecture, layers, tier, options);
        all.models.push(model);
        if (measured) models.push(measured);
        else log(`${architecture.name} was not measured: ${model.error}`);
      }
      const addPeaks = async () => {
        const [first] = models;
        if (!first) return;
        const { gpu } = first.loaded.runtime;
        all.peaks.fma_gflops = Math.max(all.peaks.fma_gflops, await fmaPeak(gpu));
        all.peaks.copy_gb_s = Math.max(all.peaks.copy_gb_s, await copyPeak(gpu));
      };
      const repeats = options.repeats ?? (onCpu ? 3 : 5);
      const work = setsOf(
        models,
        sets,
        ({ limit }) => options.tokens ?? (onCpu ? Math.max(SOFTWARE_TOKENS, limit) : CARD_TOKENS),
      );
      const ran = tokenSteps('Measuring', tokensToRun(work, repeats), onStep);
      await addPeaks();
      await measureSets(work, {
        repeats,
        log,
        ran,
        found(set) {
          const at = all.sets.findIndex(({ model, name }) => model === set.model && name === set.name);
          if (at < 0) all.sets.push(set);
          else all.sets[at] = set;
          found();
        },
      });
      await addPeaks();
    } finally {
      for (const { loaded } of models) loaded.runtime.dispose();
    }
    found();
  }
  return all;
}

async function load(
  architecture: Architecture,
  layers: number | undefined,
  tier: (typeof TIERS)[number],
  { gpu, profile }: CompareOptions,
): Promise<{ measured?: Measured; model: ComparedModel }> {
  const { name, class: group, config, paper } = architecture;
  const model: ComparedModel = {
    name,
    model: architecture.model,
    class: group,
    layers: config.num_hidden_layers,
    paper,
  };
  try {
    const { name: _, ...how } = tier;
    const source = await randomCheckpoint(layers ? shortened(architecture, layers).config : config);
    const loaded = await loadRuntime(source, { gpu, profile, ...how });
    const { runtime, info } = loaded;
    return {
      measured: { model: name, tier, loaded },
      model: {
        ...model,
        parameters: await parameters(config),
        layers_run: info.config.num_hidden_layers as number,
        max_tokens: info.maxTokens,
        token_limit: runtime.tokenLimit,
        weight_bytes: runtime.memoryUse().weights,
      },
    };
  } catch (error) {
    return { model: { ...model, error: error instanceof Error ? error.message : String(error) } };
  }
}
