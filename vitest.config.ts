import { availableParallelism } from 'node:os';
import type { TestProjectConfiguration } from 'vitest/config';
import { defineConfig } from 'vitest/config';
import type { NodeAdapter } from './tools/adapters.mjs';
import { findNodeAdapters } from './tools/adapters.mjs';

const MINUTE = 60_000;

/**
 * The kind of a test is in its file's name: x.test.ts runs in `npm run check`, x.slow.test.ts takes more than about two seconds of CPU,
 * x.gpu.test.ts needs an adapter, x.base.test.ts runs models of ModernBERT-base's size, x.postgres.test.ts needs a PostgreSQL server,
 * x.deno.test.ts needs lavapipe and Deno, x.soak.test.ts runs for minutes on lavapipe, x.real.test.ts needs checkpoints of tools/real,
 * x.apps.test.ts the tools of e2e/bundlers.
 */
const tests = (kind = '') => `{src,cli,tools,bench,demo,training,fuzz}/**/*${kind}.test.ts`;

/**
 * The adapters to test on: both software drivers, or the system's adapter on a machine that has neither (macOS, Windows). A missing
 * driver gets a manifest that does not exist, so that its tests fail instead of not running.
 */
const testAdapters = (): NodeAdapter[] => {
  const found = findNodeAdapters();
  if (found[0]?.name === 'system') {
    console.warn('No software Vulkan driver found: GPU tests run on the system adapter only.');
    return found;
  }
  return (['lavapipe', 'swiftshader'] as const).map(
    (name) =>
      found.find((adapter) => adapter.name === name) ?? { name, env: { VK_ICD_FILENAMES: `${name} is not installed` } },
  );
};

const adapters = testAdapters();

/**
 * Too slow on SwiftShader, or independent of the adapter. Tests of quantised models and of the family's twins load dozens of models (gemm, head and golden.gpu.test.ts run the same kernels on
 * both adapters); the guide's load a model per page. The command line, the search, classifiers, the order of passes and what happens after a loss or a release do
 * not depend on the adapter; overflow.gpu.test.ts of the kernels runs on both.
 */
const LAVAPIPE_ONLY = [
  'src/model/quantized.gpu.test.ts',
  'src/model/quantized-shapes.gpu.test.ts',
  'src/model/family.gpu.test.ts',
  'src/model/base-shape.gpu.test.ts',
  'src/runtime/runtime.gpu.test.ts',
  'cli/cli.gpu.test.ts',
  'cli/docs.gpu.test.ts',
  'cli/convert.gpu.test.ts',
  'cli/evaluate.gpu.test.ts',
  'cli/serve.gpu.test.ts',
  'tools/guide.gpu.test.ts',
  'tools/guide-migrating.gpu.test.ts',
  'src/classifier.gpu.test.ts',
  'src/tasks/embed-sparse.gpu.test.ts',
  'src/session/recovery.gpu.test.ts',
  'src/session/idle.gpu.test.ts',
  'src/session/convert.gpu.test.ts',
  'src/reference/lora.gpu.test.ts',
  'src/reference/gliner.gpu.test.ts',
  'src/session/embedding-space.gpu.test.ts',
  'src/session/overflow.gpu.test.ts',
  'src/transformers/transformers.gpu.test.ts',
  'src/fallback/fallback.gpu.test.ts',
  'bench/pack/pack.gpu.test.ts',
  'bench/peer/in-node.gpu.test.ts',
  'bench/shaders/clamps.gpu.test.ts',
  'src/search/search.gpu.test.ts',
  'src/search/gpu-scan.gpu.test.ts',
  'demo/search/questions.gpu.test.ts',
];

/** Of tests that compute with Dawn in this process. */
const dawn = { setupFiles: ['tools/dawn-waits.mjs'] };

/** Most of such a test's time is a driver's compiler, which uses one core. Browsers and servers use all of them: one file at a time. */
const TWO = Math.min(2, availableParallelism());

/** The projects in this order, one after the other, `maxWorkers` files at a time. */
const sequential = (order: number, minutes: number, maxWorkers = 1) => ({
  pool: 'forks' as const,
  maxWorkers,
  testTimeout: minutes * MINUTE,
  hookTimeout: minutes * MINUTE,
  sequence: { groupOrder: order },
});

/** lavapipe's compiler takes 30 s for a kernel whose inner loops are written out 16 times, and 3 s for one in vectors of 4 with 2 steps. */
const QUICK_TO_COMPILE = { GPU_UNROLL: '2', LP_NATIVE_VECTOR_WIDTH: '128' };

/** Breaks the designs of cards on purpose; the project `card` runs it, where they compile soonest. */
const SELF_CHECK = 'src/session/self-check.gpu.test.ts';

/**
 * Tests that compile every design of a kernel, up to dozens of times. lavapipe does it in vectors of 4 in a third of the time, in the project
 * `designs`; there its subgroups have 4 threads.
 */
const COMPILED_APART = ['tune', 'measure-attention', 'autotune'].map((test) => `src/*/${test}.gpu.test.ts`);
const DESIGNS = [
  ...COMPILED_APART,
  ...['gemm', 'gemm-tiers', 'attention'].map((test) => `src/kernels/${test}.gpu.test.ts`),
];

/**
 * Each adapter has its own processes: a process keeps the Vulkan drivers it saw first. The kernels' tests run the designs that software
 * adapters choose, and write out no loops but where that is what they test.
 */
const gpuProject = ({ name, env }: NodeAdapter, i: number): TestProjectConfiguration => ({
  test: {
    ...sequential(1 + i, 5), // two at a time, one in three runs ended with a process that had crashed
    ...dawn,
    name,
    include: [tests('.gpu')],
    exclude: [SELF_CHECK, ...COMPILED_APART, ...(name === 'swiftshader' ? LAVAPIPE_ONLY : [])],
    env: { ...env, GPU_ADAPTER: name, GPU_UNROLL: '1', ...(name !== 'system' && { GPU_DESIGNS: 'software' }) },
  },
});

const designsProject = ({ name, env }: NodeAdapter): TestProjectConfiguration => ({
  test: {
    ...sequential(3, 5, TWO),
    ...dawn,
    name: 'designs',
    include: DESIGNS,
    env: { ...env, ...QUICK_TO_COMPILE, GPU_ADAPTER: name, GPU_UNROLL: '1' },
  },
});

/**
 * Whole models by the designs that cards get (`card`), also on a device with nothing but WebGPU's defaults (`minimal`), which SwiftShader is
 * too slow for but for one random and one trained model: one takes it 30 s. Wrong calls and unusual shapes are left to lavapipe's
 * own profile: the kernels' tests run the tiles of cards at odd sizes.
 */
const GOLDEN = ['golden', 'golden-tasks', 'golden-f16', 'nano-embed'];
const WHOLE_MODELS = {
  card: [...GOLDEN, 'quantized', 'base-shape', 'tasks', 'self-check', 'reference'],
  minimal: [...GOLDEN, 'quantized'],
  'minimal-swiftshader': ['golden'],
};
const profileProject = (name: keyof typeof WHOLE_MODELS, adapter: NodeAdapter, i: number) => ({
  test: {
    ...sequential(5 + i, 5, TWO),
    ...dawn,
    name,
    include: WHOLE_MODELS[name].map((test) => `src/*/${test}.gpu.test.ts`),
    env: { ...adapter.env, ...QUICK_TO_COMPILE, GPU_ADAPTER: adapter.name, GPU_PROFILE: name.split('-')[0] },
  },
});

export default defineConfig({
  test: {
    globalSetup: ['tools/test-folder.mjs'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [tests()],
          exclude: [tests('.{slow,gpu,base,postgres,deno,soak,real}')],
          // A process per file would take a third of the time. So a test file must undo what it does to globals.
          isolate: false,
          maxWorkers: availableParallelism(),
          testTimeout: MINUTE,
        },
      },
      {
        test: {
          name: 'unit-slow',
          include: [tests('.slow')],
          maxWorkers: availableParallelism(),
          testTimeout: MINUTE,
        },
      },
      ...adapters.map(gpuProject),
      designsProject(adapters[0]),
      profileProject('card', adapters[0], 0),
      profileProject('minimal', adapters[0], 1),
      ...(adapters[1] ? [profileProject('minimal-swiftshader', adapters[1], 2)] : []),
      {
        test: {
          ...sequential(9, 5, TWO),
          name: 'deno',
          include: [tests('.deno')],
          env: { ...adapters[0]?.env, ...QUICK_TO_COMPILE, GPU_PROFILE: 'card' },
        },
      },
      {
        test: {
          ...sequential(10, 5),
          name: 'e2e',
          include: ['e2e/*.test.ts'],
          exclude: ['e2e/*.apps.test.ts'],
          globalSetup: ['e2e/setup.ts'],
        },
      },
      // extra-*: not part of `npm test`
      {
        test: {
          ...sequential(11, 60),
          ...dawn,
          name: 'extra-base',
          include: [tests('.base')],
          env: { ...adapters[0]?.env, GPU_ADAPTER: adapters[0]?.name ?? '' },
        },
      },
      {
        test: {
          ...sequential(15, 5),
          name: 'extra-apps',
          include: ['e2e/*.apps.test.ts'],
          globalSetup: ['e2e/chromium.ts'],
          env: adapters[0]?.env,
        },
      },
      {
        test: {
          ...sequential(13, 20),
          ...dawn,
          name: 'extra-soak',
          include: [tests('.soak'), 'src/session/recovery.gpu.test.ts'],
          execArgv: ['--expose-gc'],
          env: { ...adapters[0]?.env, GPU_ADAPTER: adapters[0]?.name ?? '', GPU_UNROLL: '1', LOSSES: '100' },
        },
      },
      {
        test: {
          ...sequential(14, 10),
          ...dawn,
          name: 'extra-real',
          include: [tests('.real')],
          env: { ...adapters[0]?.env, GPU_ADAPTER: adapters[0]?.name ?? '', GPU_UNROLL: '1' },
        },
      },
      {
        test: {
          ...sequential(12, 5),
          name: 'extra-postgres',
          include: [tests('.postgres')],
          globalSetup: ['tools/postgres.mjs'],
          env: adapters[0]?.env,
        },
      },
    ],
  },
});
